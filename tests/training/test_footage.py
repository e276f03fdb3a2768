"""Pictures and how they belong together."""

from dataclasses import fields
from pathlib import Path

import pytest
import torch
from PIL import Image

from iiccli.datasets.manifest import Heading, Item, Picture, write_manifest
from iiccli.errors import TrainingError
from iiccli.training.footage import Footage, Index, View, footage_of, load_footage

KINDS = [f.name for f in fields(Index) if f.name != "steps"]

FULL = Index(
    stills=(0, 1, 2),
    clips=((3, 4, 5), (6, 7)),
    pairs=((8, 9),),
    cutouts=(10,),
    composites=((10, 0), (10, 1)),
    views=(View(11, 12, 2.0),),
    groups=((0, 1, 2), (13,)),
    steps=(5, 3),
)


def picture(path: Path, value: int, size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 0, 255 - value)).save(path)
    return path


def stills_manifest(folder: Path, count: int, size: tuple[int, int] = (24, 16)) -> Path:
    """A manifest of single pictures with values from 100 on."""
    items = []
    for number in range(count):
        path = picture(folder / "set" / f"{number}.png", 100 + number, size)
        entry = Picture("picture", path.relative_to(folder).as_posix(), *size, "0" * 64)
        items.append(Item(path.stem, (entry,)))
    target = folder / "manifests" / "mine-train.jsonl"
    target.parent.mkdir(exist_ok=True)
    write_manifest(target, Heading("mine", "train", "gray", 1), items)
    return target


def values(footage: Footage) -> list[int]:
    return [int(footage.shelf[n][0, 0, 0]) for n in footage.index.stills]


def test_words_for_what_there_is():
    assert FULL.count == (
        "3 photographs, 2 clips, 1 pairs, 1 cut-outs, 2 composites, 1 double views, 2 groups"
    )
    assert Index(pairs=((0, 1), (2, 3))).count == "2 pairs"
    assert Index().count == ""
    assert not Index()
    assert not Index(steps=(5,))
    assert all(Index(**{kind: getattr(FULL, kind)}) for kind in KINDS)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "cutouts"])
def test_one_in_so_many_is_kept_out(kind):
    index = Index(**{kind: tuple(range(25))}, steps=(7,))
    own, kept = (getattr(part, kind) for part in index.split(12))
    assert kept == (6, 18)
    assert sorted(own + kept) == list(range(25))
    assert not set(own) & set(kept)
    assert all(part.steps == (7,) for part in index.split(12))


@pytest.mark.parametrize("count", [0, 1, 11])
def test_too_few_are_not_split(count):
    own, kept = Index(stills=tuple(range(count))).split(12)
    assert own.stills == tuple(range(count))
    assert kept.stills == ()


def test_few_cut_outs_are_on_both_sides():
    own, kept = Index(cutouts=(1, 2), stills=tuple(range(3, 30))).split(12)
    assert own.cutouts == kept.cutouts == (1, 2)
    assert not set(own.stills) & set(kept.stills)
    own, kept = Index(cutouts=tuple(range(24))).split(12)
    assert not set(own.cutouts) & set(kept.cutouts)


def test_each_kind_is_split_by_itself():
    index = Index(stills=tuple(range(12)), clips=((0, 1),))
    own, kept = index.split(4)
    assert kept.stills == (2, 6, 10)
    assert (own.clips, kept.clips) == (((0, 1),), ())


def test_two_indices_become_one():
    both = FULL.merged(FULL, 100)
    for kind in KINDS:
        first, second = getattr(both, kind)[: len(getattr(FULL, kind))], getattr(both, kind)
        assert first == getattr(FULL, kind)
        assert len(second) == 2 * len(first)
    assert both.stills[3:] == (100, 101, 102)
    assert both.clips[2:] == ((103, 104, 105), (106, 107))
    assert both.composites[2:] == ((110, 100), (110, 101))
    assert both.views[1] == View(111, 112, 2.0)
    assert both.groups[2:] == ((100, 101, 102), (113,))


def test_steps_are_those_of_the_first_that_has_clips():
    other = Index(clips=((0, 1),), steps=(9,))
    assert Index().merged(other, 0).steps == (9,)
    assert Index(stills=(0, 1)).merged(other, 2).steps == (9,)
    assert FULL.merged(other, 14).steps == (5, 3)
    assert other.merged(Index(stills=(0,)), 2).steps == (9,)


def test_both_parts_are_on_the_same_shelf():
    pictures = [torch.full((3, 2, 2), i, dtype=torch.uint8) for i in range(4)]
    footage = footage_of(pictures, Index(stills=(0, 1, 2, 3)))
    own, kept = footage.split(2)
    assert (own.index.stills, kept.index.stills) == ((0, 2), (1, 3))
    assert own.shelf is kept.shelf is footage.shelf
    assert values(kept) == [1, 3]


def test_what_was_left_out_is_said_once(tmp_path):
    picture(tmp_path / "a.png", 1)
    (tmp_path / "b.png").write_bytes(b"no picture")
    own, kept = load_footage([tmp_path], frames=0).split(2)
    assert len(own.skipped) == 1
    assert kept.skipped == ()


def test_several_sources_add_up_in_their_order(tmp_path):
    for name, value in (("b", 1), ("a", 2)):
        picture(tmp_path / name / "x.png", value)
        (tmp_path / name / "broken.png").write_bytes(b"")
    sources = [tmp_path / "b", stills_manifest(tmp_path / "m", 3), tmp_path / "a"]
    footage = load_footage(sources, frames=3)
    assert values(footage) == [1, 100, 101, 102, 2]
    assert len(footage.skipped) == 2
    assert footage.shelf.whole


def test_no_memory_decodes_everything_anew(tmp_path):
    """And what is drawn is the same."""
    for number in range(3):
        picture(tmp_path / "photos" / f"{'abc'[number]}.png", number)
        picture(tmp_path / "clip" / f"{number}.png", 10 + number)
    sources = [tmp_path / "photos", stills_manifest(tmp_path / "m", 2), tmp_path / "clip"]
    kept = load_footage(sources, frames=3)
    anew = load_footage(sources, frames=3, memory=0)
    assert kept.shelf.whole
    assert not anew.shelf.whole
    assert kept.index == anew.index
    assert all(torch.equal(a, b) for a, b in zip(kept.shelf, anew.shelf, strict=True))
    picture(tmp_path / "photos" / "b.png", 77)
    assert values(anew)[1] == 77
    assert values(kept)[1] == 1


def test_memory_is_shared_by_all_sources(tmp_path):
    """Room for three pictures of two folders with two each."""
    sources = [tmp_path / "one", tmp_path / "two"]
    for source in sources:
        for name in "ab":
            picture(source / f"{name}.png", 5)
    footage = load_footage(sources, frames=0, memory=3.5 * 3 * 16 * 24 / (1 << 30))
    assert not footage.shelf.whole
    for source in sources:
        for name in "ab":
            picture(source / f"{name}.png", 9)
    assert values(footage) == [5, 5, 5, 9]


def test_nothing_in_any_source_names_them_all(tmp_path):
    sources = [tmp_path / "one", tmp_path / "two"]
    for source in sources:
        source.mkdir()
    with pytest.raises(TrainingError, match="No readable pictures") as caught:
        load_footage(sources, frames=3)
    assert all(str(source) in caught.value.message for source in sources)
    assert "--data" in caught.value.hint
