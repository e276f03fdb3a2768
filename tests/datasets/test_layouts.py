"""The published splits of data sets that need no unpacking."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from iiccli.datasets.groups import groups_of
from iiccli.datasets.layouts import div2k, voc2012
from iiccli.datasets.manifest import read_manifest
from iiccli.errors import InputError, OutputExistsError, UsageError
from tests.datasets import trees
from tests.datasets.trees import by_split, names, prepared


def test_davis(tmp_path: Path) -> None:
    trees.davis(tmp_path)
    given = by_split(prepared("video", tmp_path))
    assert names(given["train"]) == ["bear", "boat", "cat", "eel", "gnu"]
    assert names(given["val"]) == ["dog", "fox"]
    assert names(given["test"]) == ["hen"]
    heading = given["test"].heading
    assert (heading.alias, heading.task, heading.pictures) == ("davis", "video", 5)
    assert heading.steps == (5, 3, 1)
    groups = groups_of(given["test"])
    # 13 frames: none of 5 frames 5 apart, 1 that are 3 apart, 9 of neighbours.
    assert len(groups) == 1 + 9
    assert [p.stem for p in groups.paths(0)] == ["00000", "00003", "00006", "00009", "00012"]
    group = groups.read(0)
    assert group.reference == 2
    assert group.pictures[0].shape == (12, 16, 3)


def test_manifests_are_where_they_belong_and_say_what_is_returned(tmp_path: Path) -> None:
    trees.davis(tmp_path, 5)
    given = prepared("davis", tmp_path, pictures=3)
    for manifest in given.manifests:
        split = manifest.heading.split
        assert manifest.path == tmp_path / "manifests" / f"davis-{split}.jsonl"
        assert read_manifest(manifest.path) == manifest
        assert manifest.heading.pictures == 3
    picture = given.manifests[0].items[0].pictures[0]
    file = tmp_path / picture.path
    assert picture.path == "DAVIS-2017/DAVIS-2017-trainval/JPEGImages/480p/bear/00000.jpg"
    assert (picture.width, picture.height) == Image.open(file).size
    assert len(picture.sha256) == 64


def test_a_damaged_frame_splits_its_clip(tmp_path: Path) -> None:
    trees.davis(tmp_path, 7)
    hen = tmp_path / "DAVIS-2017/DAVIS-2017-test-challenge/JPEGImages/480p/hen"
    trees.damage(hen / "00003.jpg")
    given = prepared("davis", tmp_path, ["test"], pictures=3)
    assert names(given.manifests[0]) == ["hen.1", "hen.2"]
    assert len(groups_of(given.manifests[0])) == 2
    assert len(given.left_out) == 1
    assert str(hen / "00003.jpg") in given.left_out[0]
    assert "hen is split there" in given.left_out[0]


def test_a_frame_of_another_size_and_foreign_files(tmp_path: Path) -> None:
    trees.davis(tmp_path, 4)
    hen = tmp_path / "DAVIS-2017/DAVIS-2017-test-challenge/JPEGImages/480p/hen"
    trees.noise(hen / "00003.jpg", (8, 8))
    (hen / "Thumbs.db").write_bytes(b"x")
    (hen / "._00000.jpg").write_bytes(b"x")
    given = prepared("davis", tmp_path, ["test"], pictures=3)
    assert [len(item.pictures) for item in given.manifests[0].items] == [3]
    assert "differs in size" in given.left_out[0]


def test_only_a_part_is_needed_for_a_part(tmp_path: Path) -> None:
    trees.davis(tmp_path, 3)
    shutil.rmtree(tmp_path / "DAVIS-2017/DAVIS-2017-test-challenge")
    shutil.rmtree(tmp_path / "DAVIS-2017/DAVIS-2017-trainval")
    with pytest.raises(InputError) as caught:
        prepared("davis", tmp_path)
    for part in ("trainval", "test-challenge"):
        folder = tmp_path / f"DAVIS-2017/DAVIS-2017-{part}/JPEGImages/480p"
        assert f"{folder}: clips; the folder DAVIS of DAVIS-2017-{part}-480p.zip" in (
            caught.value.message
        )
    assert "test-dev/" not in caught.value.message
    assert caught.value.hint.endswith("What is there is enough for --only val.")
    assert not (tmp_path / "manifests").exists()
    assert list(by_split(prepared("davis", tmp_path, ["val"]))) == ["val"]


def test_an_empty_folder_is_missing_too(tmp_path: Path) -> None:
    folder = tmp_path / "DAVIS-2017/DAVIS-2017-test-challenge/JPEGImages/480p"
    folder.mkdir(parents=True)
    with pytest.raises(InputError, match="is empty") as caught:
        prepared("davis", tmp_path, ["test"])
    assert "enough" not in caught.value.hint


def test_flickr1024(tmp_path: Path) -> None:
    trees.flickr1024(tmp_path)
    given = prepared("mono", tmp_path)
    splits = by_split(given)
    assert names(splits["train"]) == [f"Train_{n + 1}-{n:04d}" for n in range(4)]
    assert names(splits["val"]) == ["Validation-0004"]
    assert names(splits["test"]) == ["Test-0005"]
    assert [p.role for p in splits["test"].items[0].pictures] == ["left", "right"]
    assert [p.name for p in groups_of(splits["test"]).paths(0)] == ["0005_L.png", "0005_R.png"]
    assert groups_of(splits["test"]).read(0).reference == 0
    assert any("4 pairs for train; the whole set has 800" in r for r in given.remarks)


def test_pairs_that_are_none(tmp_path: Path) -> None:
    trees.flickr1024(tmp_path)
    folder = tmp_path / "flicker1024/Test"
    trees.picture(folder / "0006_L.png")
    trees.picture(folder / "odd.png")
    trees.picture(folder / "0007_L.png", (9, 8))
    trees.picture(folder / "0007_R.png", (8, 8))
    trees.picture(folder / "0008_L.png")
    trees.damage(trees.picture(folder / "0008_R.png"))
    given = prepared("flickr1024", tmp_path, ["test"])
    assert names(given.manifests[0]) == ["Test-0005"]
    said = "\n".join(given.left_out)
    for words in ("0006_L.png has no other view", "odd.png does not say", "0007_R.png differ"):
        assert words in said
    assert f"{folder / '0008_R.png'} is damaged" in said
    assert "Test-0008 is left out" in said


def test_double_views(tmp_path: Path) -> None:
    trees.div2k(tmp_path, "train", 53, (2,))
    trees.div2k(tmp_path, "valid", 2, (2,))
    given = prepared("dual", tmp_path)
    assert [manifest.path.name for manifest in given.manifests] == [
        f"div2k-dual-x2-{split}.jsonl" for split in ("train", "val", "test")
    ]
    splits = by_split(given)
    assert names(splits["train"]) == ["0001", "0002", "0003"]
    assert names(splits["val"]) == [f"{n:04d}" for n in range(4, 54)]
    assert names(splits["test"]) == ["0001", "0002"]
    item = splits["test"].items[0]
    wide, tele = item.pictures
    assert item.zoom == 2
    assert wide.path == "DIV2K/DIV2K_valid_LR_bicubic/X2/0001x2.png"
    assert (wide.width, wide.height, wide.box) == (8, 8, None)
    assert (tele.width, tele.height, tele.box) == (16, 16, (4, 4, 12, 12))
    assert [p.shape for p in groups_of(splits["test"]).read(0).pictures] == [(8, 8, 3)] * 2


def test_the_centre_of_odd_sizes(tmp_path: Path) -> None:
    trees.picture(tmp_path / "DIV2K/DIV2K_valid_LR_bicubic/X4/0001x4.png", (5, 4))
    trees.picture(tmp_path / "DIV2K/DIV2K_valid_HR/0001.png", (20, 17))
    given = prepared("dual", tmp_path, ["test"])
    assert given.manifests[0].items[0].pictures[1].box == (7, 6, 12, 10)
    assert given.manifests[0].heading.pictures == 2


def test_small_views_at_eight_times_do_not_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(div2k, "VALIDATION", 1)  # 50 large pictures would take too long
    for number, side in enumerate((144, 143, 144, 144), start=1):
        small = tmp_path / f"DIV2K/DIV2K_train_LR_bicubic/X8/{number:04d}x8.png"
        trees.picture(small, (144, side))
        trees.picture(tmp_path / f"DIV2K/DIV2K_train_HR/{number:04d}.png", (1152, side * 8))
    trees.picture(tmp_path / "DIV2K/DIV2K_valid_LR_bicubic/X8/0801x8.png", (100, 50))
    trees.picture(tmp_path / "DIV2K/DIV2K_valid_HR/0801.png", (800, 400))
    splits = by_split(prepared("dual", tmp_path))
    assert names(splits["train"]) == ["0001", "0003"]
    assert names(splits["val"]) == ["0004"]
    assert names(splits["test"]) == ["0801"]


def test_zooms_that_are_there_or_asked_for(tmp_path: Path) -> None:
    trees.div2k(tmp_path, "valid", 1, (2, 4))
    both = prepared("dual", tmp_path, ["test"])
    assert [manifest.items[0].zoom for manifest in both.manifests] == [2, 4]
    with pytest.raises(InputError, match=r"DIV2K_valid_LR_bicubic/X8: .*DIV2K_valid_LR_x8\.zip"):
        prepared("dual", tmp_path, ["test"], zooms=[8])
    with pytest.raises(OutputExistsError, match="div2k-dual-x4-test"):
        prepared("dual", tmp_path, ["test"], zooms=[4])
    with pytest.raises(UsageError):
        prepared("dual", tmp_path, zooms=[3])


def test_views_without_counterpart_or_too_large(tmp_path: Path) -> None:
    trees.div2k(tmp_path, "valid", 3, (2,))
    (tmp_path / "DIV2K/DIV2K_valid_HR/0001.png").unlink()
    trees.picture(tmp_path / "DIV2K/DIV2K_valid_HR/0002.png", (7, 16))
    given = prepared("dual", tmp_path, ["test"])
    assert names(given.manifests[0]) == ["0003"]
    assert "0001x2.png has no counterpart in" in given.left_out[0]
    assert "0002x2.png is larger than" in given.left_out[1]


def test_large_pictures(tmp_path: Path) -> None:
    trees.div2k(tmp_path, "train", 3, ())
    trees.div2k(tmp_path, "valid", 2, ())
    splits = by_split(prepared("rescale", tmp_path))
    assert {split: len(manifest.items) for split, manifest in splits.items()} == {
        "train": 3,
        "test": 2,
    }
    assert splits["train"].items[0].pictures[0].path == "DIV2K/DIV2K_train_HR/0001.png"
    assert splits["train"].heading.alias == "div2k-sr"


def test_groups_to_hide(tmp_path: Path) -> None:
    sizes = [(576, 576)] * 21
    sizes[1] = (575, 600)
    sizes[20] = (580, 577)
    trees.flickr(tmp_path, sizes)
    splits = by_split(prepared("hide", tmp_path))
    # 20 large ones are 10 pairs: 7 train, 1 val, 2 test.
    numbers = {s: [i.pictures[0].path[-7:-4] for i in m.items] for s, m in splits.items()}
    assert numbers["train"] == ["000", "003", "005", "007", "009", "011", "013"]
    assert numbers["val"] == ["015"]
    assert numbers["test"] == ["017", "019"]
    assert [p.path[-7:-4] for p in splits["train"].items[0].pictures] == ["000", "002"]
    assert [p.role for p in splits["train"].items[0].pictures] == ["cover", "secret"]
    assert splits["train"].items[0].pictures[0].box is None
    assert splits["test"].items[1].pictures[1].box == (2, 0, 578, 576)
    group = groups_of(splits["test"]).read(1)
    assert [p.shape for p in group.pictures] == [(576, 576, 3)] * 2


def test_larger_groups(tmp_path: Path) -> None:
    trees.flickr(tmp_path, [(576, 576)] * 11)
    given = prepared("hide", tmp_path, ["train"], pictures=5)
    (item,) = given.manifests[0].items  # one of two groups; the eleventh picture is left over
    assert [p.role for p in item.pictures] == ["cover", *["secret"] * 4]
    assert given.manifests[0].heading.pictures == 5


def test_a_damaged_picture_costs_its_group_alone(tmp_path: Path) -> None:
    paths = trees.flickr(tmp_path, [(576, 576)] * 20)
    before = by_split(prepared("hide", tmp_path))
    shutil.rmtree(tmp_path / "manifests")
    trees.damage(paths[2])
    given = prepared("hide", tmp_path)
    after = by_split(given)
    assert set(names(before["train"])) - set(names(after["train"])) == {"00001-002"}
    assert names(before["test"]) == names(after["test"])
    assert given.left_out == (given.left_out[0],)
    assert str(paths[2]) in given.left_out[0]
    assert "00001-002 is left out" in given.left_out[0]


def test_a_picture_without_a_head_moves_the_groups_and_that_is_said(tmp_path: Path) -> None:
    paths = trees.flickr(tmp_path, [(576, 576)] * 20)
    paths[0].write_bytes(b"no picture")
    given = prepared("hide", tmp_path)
    assert "may not be the published ones" in given.left_out[0]


def test_voc2012(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert voc2012.TRAIN == 13_758
    monkeypatch.setattr(voc2012, "TRAIN", 2)  # so many pictures would take too long
    trees.voc2012(
        tmp_path, [(144, 144), (143, 500), (500, 144), (200, 200), (300, 143), (150, 150)]
    )
    splits = by_split(prepared("gray", tmp_path))
    assert names(splits["train"]) == ["2007_000000", "2007_000002"]
    assert names(splits["test"]) == ["2007_000003", "2007_000005"]


def test_too_few_for_a_split_write_nothing(tmp_path: Path) -> None:
    trees.voc2012(tmp_path, [(144, 144)])
    with pytest.raises(InputError, match="Nothing is left for the test split of voc2012"):
        prepared("gray", tmp_path)
    assert not (tmp_path / "manifests").exists()
    assert len(prepared("gray", tmp_path, ["train"]).manifests) == 1


def test_sizes_are_upright(tmp_path: Path) -> None:
    path = tmp_path / "VOCdevkit/VOC2012/JPEGImages/a.jpg"
    path.parent.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (160, 150)).save(path, exif=exif)
    item = prepared("gray", tmp_path, ["train"]).manifests[0].items[0]
    assert (item.pictures[0].width, item.pictures[0].height) == (150, 160)


def test_what_exists_stops_before_anything_is_read(tmp_path: Path) -> None:
    trees.flickr1024(tmp_path)
    prepared("mono", tmp_path, ["val"])
    content = (tmp_path / "manifests/flickr1024-val.jsonl").read_bytes()
    with pytest.raises(OutputExistsError):
        prepared("mono", tmp_path)
    assert [p.name for p in (tmp_path / "manifests").iterdir()] == ["flickr1024-val.jsonl"]
    assert (tmp_path / "manifests/flickr1024-val.jsonl").read_bytes() == content
