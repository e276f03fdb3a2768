"""Training pictures from manifests, as `iiccli.datasets` writes them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.datasets.groups import groups_of
from iiccli.datasets.manifest import (
    Heading,
    Item,
    Manifest,
    Picture,
    read_manifest,
    write_manifest,
)
from iiccli.errors import TrainingError
from iiccli.tasks.layer_pictures import ALPHA, BACKGROUND, COMPOSITE, PREMULTIPLIED
from iiccli.training.footage import Footage, load_footage
from iiccli.training.groups import Groups, Wish
from tests.datasets import trees
from tests.datasets.trees import by_split, prepared

FRONT = (60, 51)


def loaded(manifest: Manifest, **more: object) -> Footage:
    return load_footage([manifest.path], frames=2, **more)  # type: ignore[arg-type]


def pixels(footage: Footage, numbers) -> list[np.ndarray]:
    return [footage.shelf[n].permute(1, 2, 0).numpy() for n in numbers]


def same(found, wanted) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def without(item: Item, role: str) -> Item:
    return dataclasses.replace(item, pictures=tuple(p for p in item.pictures if p.role != role))


def test_clips_and_their_steps(tmp_path):
    trees.davis(tmp_path, 6)
    manifest = by_split(prepared("davis", tmp_path, pictures=3))["val"]
    footage = loaded(manifest)
    assert footage.index.count == "2 clips"
    assert footage.index.steps == manifest.heading.steps == (5, 3, 1)
    for clip, item in zip(footage.index.clips, manifest.items, strict=True):
        names = [Path(footage.shelf.name(n)) for n in clip]
        assert names == [manifest.file_of(p) for p in item.pictures]
    window = groups_of(manifest).read(0)
    assert same(pixels(footage, footage.index.clips[0][:3]), window.pictures)


def test_pairs(tmp_path):
    trees.flickr1024(tmp_path)
    manifest = by_split(prepared("flickr1024", tmp_path))["train"]
    footage = loaded(manifest)
    assert footage.index.count == f"{len(manifest.items)} pairs"
    for pair, number in zip(footage.index.pairs, range(len(manifest.items)), strict=True):
        assert same(pixels(footage, pair), groups_of(manifest).read(number).pictures)


def noisy_div2k(root: Path) -> None:
    for number in (1, 2):
        for zoom in (2, 4):
            small = root / f"DIV2K/DIV2K_train_LR_bicubic/X{zoom}/{number:04d}x{zoom}.png"
            trees.noise(small, (32 // zoom, 24 // zoom), 10 * number + zoom)
        trees.noise(root / f"DIV2K/DIV2K_train_HR/{number:04d}.png", (32, 24), number)


@pytest.mark.parametrize("memory", [None, 0])
def test_views_are_wide_and_the_centre_of_the_large_picture(tmp_path, memory):
    noisy_div2k(tmp_path)
    given = prepared("div2k-dual", tmp_path, ["val"], zooms=(2, 4))
    for manifest, zoom in zip(given.manifests, (2, 4), strict=True):
        footage = loaded(manifest, memory=memory)
        assert footage.index.count == "2 double views"
        for number, view in enumerate(footage.index.views):
            assert view.zoom == zoom
            numbers = (view.wide, view.near)
            assert same(pixels(footage, numbers), groups_of(manifest).read(number).pictures)
            # What is not meant takes no room.
            sizes = {footage.shelf.shape(n) for n in numbers}
            assert sizes == {(3, 24 // zoom, 32 // zoom)}


def test_groups_and_the_parts_of_them_that_are_meant(tmp_path):
    trees.flickr(tmp_path, [(600, 580), (577, 700)] * 10)
    given = by_split(prepared("flickr", tmp_path, pictures=2))
    footage = loaded(given["val"], memory=0)
    assert footage.index.count == "1 groups"
    (numbers,) = footage.index.groups
    assert same(pixels(footage, numbers), groups_of(given["val"]).read(0).pictures)
    assert {footage.shelf.shape(n) for n in numbers} == {(3, 576, 576)}
    own = loaded(given["train"], memory=0)
    assert {own.shelf.shape(n)[1:] for n in own.index.groups[0]} == {(580, 600), (700, 577)}


def layers(root: Path, count: int = 2) -> Manifest:
    """Foregrounds before two backgrounds each; one of those is too small."""
    items = []
    for number in range(count):
        front = trees.noise(root / f"f{number}.png", FRONT, number)
        mask = np.random.default_rng(number).integers(0, 256, FRONT[::-1], np.uint8)
        Image.fromarray(mask).save(root / f"a{number}.png")
        for name, size in (("x", (90, 120)), ("y", (27, 24))):
            back = root / f"{name}.png"
            if not back.exists():
                trees.noise(back, size, 50)
            pictures = (
                _entry(front, "foreground", FRONT),
                _entry(root / f"a{number}.png", "alpha", FRONT),
                _entry(back, "background", size),
            )
            items.append(Item(f"{number}{name}", pictures))
    target = root / "mine.jsonl"
    write_manifest(target, Heading("mine", "train", "layers", 3, root="."), items)
    return read_manifest(target)


def _entry(path: Path, role: str, size: tuple[int, int]) -> Picture:
    return Picture(role, path.name, *size, "0" * 64)


def test_composites_share_their_files(tmp_path):
    manifest = layers(tmp_path)
    footage = loaded(manifest)
    assert footage.index.count == "4 composites"
    assert len(footage.shelf) == 4  # two cut-outs, two backgrounds
    wish = {"task": "layers", "pictures": 3, "side": 64, "exact": False}
    for alpha in (False, True):
        for number in range(4):
            one = Footage(
                footage.shelf,
                dataclasses.replace(
                    footage.index, composites=footage.index.composites[number:][:1]
                ),
            )
            roles = (COMPOSITE, BACKGROUND, ALPHA if alpha else PREMULTIPLIED)
            made = Groups(one, Wish(**wish, roles=roles)).draw(0)
            wanted = groups_of(manifest).read(number)
            third = wanted.pictures[2] if alpha else wanted.foreground
            found = [p.permute(1, 2, 0).numpy() for p in made.pictures]
            # A small background is enlarged, as it is to evaluate.
            for one, other in zip(found, (*wanted.pictures[:2], third), strict=True):
                assert one.shape == other.shape
                assert np.abs(one.astype(int) - other).mean() < 0.5


def test_composites_of_which_nobody_has_the_foreground(tmp_path):
    """As the frames of films before their background."""
    size = FRONT
    paths = [trees.noise(tmp_path / f"{n}.png", size, n) for n in range(2)]
    pictures = tuple(
        _entry(p, role, size) for p, role in zip(paths, ("composite", "background"), strict=True)
    )
    target = tmp_path / "mine.jsonl"
    write_manifest(
        target, Heading("mine", "train", "layers", 2, root="."), [Item("a", pictures)] * 2
    )
    footage = load_footage([target], frames=2)
    made = Groups(footage, Wish("layers", 2, 64, exact=False)).draw(0)
    assert [p.shape for p in made.pictures] == [(3, 51, 60)] * 2
    assert same([p.permute(1, 2, 0).numpy() for p in made.pictures], pixels(footage, (0, 1)))
    with pytest.raises(TrainingError, match="serves to train layers"):
        Groups(footage, Wish("layers", 3, 64, exact=False))


def test_single_pictures(tmp_path):
    trees.voc2012(tmp_path, [(150, 150), (160, 145), (20, 20)])
    (manifest, *_) = prepared("voc2012", tmp_path, ["train"]).manifests
    footage = loaded(manifest)
    assert footage.index.count == "2 photographs"
    assert [footage.shelf.shape(n) for n in footage.index.stills] == [(3, 150, 150), (3, 145, 160)]


def test_transparency_is_left_out(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (20, 10), (1, 2, 3, 4)).save(path)
    target = tmp_path / "m.jsonl"
    item = Item("a", (_entry(path, "picture", (20, 10)),))
    write_manifest(target, Heading("mine", "train", "rescale", 1, root="."), [item])
    assert load_footage([target], frames=2).shelf[0].shape == (3, 10, 20)


def test_a_missing_manifest_or_none_at_all(tmp_path):
    with pytest.raises(TrainingError, match="There is no manifest") as caught:
        load_footage([tmp_path / "none.jsonl"], frames=2)
    assert "iic data prepare" in caught.value.hint
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(TrainingError, match="is no manifest"):
        load_footage([tmp_path / "bad.jsonl"], frames=2)


def test_missing_files_are_counted_once_each(tmp_path):
    manifest = layers(tmp_path)
    (tmp_path / "f0.png").unlink()
    with pytest.raises(TrainingError, match=r"f0\.png, which .* names, is not there\."):
        loaded(manifest)
    (tmp_path / "x.png").unlink()
    with pytest.raises(TrainingError, match="nor are 1 others"):
        loaded(manifest)


@pytest.mark.parametrize("memory", [None, 0])
def test_a_file_that_has_changed_since_is_named(tmp_path, memory):
    """Not met by a crash in the middle of a night's training."""
    manifest = layers(tmp_path)
    trees.noise(tmp_path / "x.png", (90, 121), 1)
    with pytest.raises(TrainingError, match=r"x\.png is 90×121, not 90×120 as in its manifest"):
        list(loaded(manifest, memory=memory).shelf)


@pytest.mark.parametrize("memory", [None, 0])
def test_a_damaged_file_is_named(tmp_path, memory):
    manifest = layers(tmp_path)
    trees.damage(tmp_path / "f1.png")
    with pytest.raises(TrainingError, match=r"f1\.png"):
        list(loaded(manifest, memory=memory).shelf)


def test_items_that_are_not_what_their_task_needs(tmp_path):
    trees.flickr1024(tmp_path / "pairs")
    pairs = by_split(prepared("flickr1024", tmp_path / "pairs"))["test"]
    made = layers(tmp_path)
    first, pair = made.items[0], pairs.items[0]
    odd = dataclasses.replace(
        pair, pictures=(pair.pictures[0], dataclasses.replace(pair.pictures[1], width=5))
    )
    small = dataclasses.replace(first.pictures[1], height=5)
    cases = (
        (pairs, without(pair, "right"), "has 1 pictures, not 2"),
        (pairs, odd, "has pictures of several sizes"),
        (made, without(first, "foreground"), "needs a foreground, an alpha and a background"),
        (made, without(first, "alpha"), "needs a foreground, an alpha and a background"),
        (
            made,
            dataclasses.replace(first, pictures=(first.pictures[0], small, first.pictures[2])),
            "has a foreground and an alpha of different sizes",
        ),
    )
    for number, (manifest, item, words) in enumerate(cases):
        target = manifest.path.with_name(f"odd{number}.jsonl")
        write_manifest(target, manifest.heading, [item])
        with pytest.raises(TrainingError) as caught:
            load_footage([target], frames=2)
        assert f"{item.name} in {target} {words}." == caught.value.message


def test_a_manifest_of_another_task_says_what_is_there(tmp_path):
    footage = loaded(layers(tmp_path))
    with pytest.raises(TrainingError, match="Nothing of 4 composites serves to train video"):
        Groups(footage, Wish("video", 3, 16))


def test_every_picture_is_decoded_to_the_shape_that_was_promised(tmp_path):
    noisy_div2k(tmp_path)
    for manifest in (*prepared("div2k-dual", tmp_path, ["val"]).manifests, layers(tmp_path)):
        shelf = loaded(manifest, memory=0).shelf
        for number, picture in enumerate(shelf):
            assert picture.shape == shelf.shape(number)
            assert picture.dtype == torch.uint8
            assert picture.is_contiguous()
