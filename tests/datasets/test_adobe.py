"""Adobe-Matting, from its archives to composites."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from iiccli.datasets import archives
from iiccli.datasets.groups import groups_of
from iiccli.errors import InputError
from iiccli.media.image import read_picture
from tests.datasets import trees
from tests.datasets.trees import by_split, names, prepared


def below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_splits_and_pairings(tmp_path: Path) -> None:
    trees.adobe(tmp_path)
    splits = by_split(prepared("layers", tmp_path))
    assert {split: len(m.items) for split, m in splits.items()} == {
        "train": 200,
        "val": 1000,
        "test": 40,
    }
    assert names(splits["train"])[0] == "000-train00-00"
    assert names(splits["val"])[0] == "002-train02-00"
    heading = splits["test"].heading
    assert (heading.alias, heading.task, heading.pictures) == ("adobe", "layers", 3)
    item = splits["train"].items[101]  # the second foreground over its second background
    assert item.name == "001-train01-01"
    assert [p.role for p in item.pictures] == ["foreground", "alpha", "background"]
    inside = "Adobe-Matting/Combined_Dataset/Training_set/Adobe-licensed images"
    assert [p.path for p in item.pictures] == [
        f"{inside}/fg/train01.jpg",
        f"{inside}/alpha/train01.jpg",
        f"Adobe-Matting/train2014/{trees.COCO[101 % 7]}",
    ]
    assert splits["test"].items[20].pictures[2].path == (
        f"Adobe-Matting/VOCdevkit/VOC2008/JPEGImages/{trees.VOC[20 % 3]}"
    )


def test_composites(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    manifest = prepared("adobe", tmp_path, ["test"]).manifests[0]
    group = groups_of(manifest).read(21)
    composite, background, alpha = group.pictures
    assert composite.shape == background.shape == alpha.shape == (8, 10, 3)
    folder = home / "Combined_Dataset/Test_set/Adobe-licensed images"
    foreground = read_picture(folder / "fg/test01.png").pixels.astype(float)
    a = read_picture(folder / "alpha/test01.png").pixels.astype(float) / 255
    assert np.array_equal(alpha, np.rint(a * 255))
    assert np.abs(composite - (a * foreground + (1 - a) * background)).max() <= 0.5
    assert group.foreground is not None
    assert np.abs(group.foreground - a * foreground).max() <= 0.5


def test_only_what_is_needed_is_unpacked(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    prepared("adobe", tmp_path, ["test"])
    unpacked = set(below(home)) - {
        "Addobe_Deep_Matting_Dataset.zip",
        "train2014.zip",
        "VOC2008test.tar",
        "VOCtrainval_14-Jul-2008.tar",
    }
    test = "Combined_Dataset/Test_set"
    assert unpacked == {
        f"{test}/test_fg_names.txt",
        f"{test}/test_bg_names.txt",
        *(
            f"{test}/Adobe-licensed images/{kind}/test0{number}.png"
            for kind in ("fg", "alpha")
            for number in (0, 1)
        ),
        *(f"VOCdevkit/VOC2008/JPEGImages/{name}" for name in trees.VOC),
    }
    for path in home.rglob("*"):
        assert (
            not path.is_file()
            or path.suffix in (".zip", ".tar")
            or b"evil" not in (path.read_bytes())
        )
    assert not (tmp_path / "evil.png").exists()
    assert not (tmp_path / "Combined_Dataset").exists()


def test_archives_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = trees.adobe(tmp_path)
    before = prepared("adobe", tmp_path, ["test"]).manifests[0]
    before.path.unlink()

    def opened(*given: object) -> None:
        raise AssertionError(f"{given} was opened again")

    monkeypatch.setattr(archives, "_members", opened)
    assert prepared("adobe", tmp_path, ["test"]).manifests[0].items == before.items
    before.path.unlink()
    for path in (*home.glob("*.zip"), *home.glob("*.tar")):
        path.unlink()
    assert prepared("adobe", tmp_path, ["test"]).manifests[0].items == before.items


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = trees.adobe(tmp_path)
    copy, calls = archives.shutil.copyfileobj, []

    def broken(*given: object) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        copy(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(archives.shutil, "copyfileobj", broken)
    with pytest.raises(KeyboardInterrupt):
        prepared("adobe", tmp_path, ["test"])
    there = {path: path.stat().st_mtime_ns for path in (home / "Combined_Dataset").rglob("*.*")}
    assert not (tmp_path / "manifests").exists()
    given = prepared("adobe", tmp_path, ["test"])
    assert len(given.manifests[0].items) == 40
    assert not given.left_out
    assert {path: path.stat().st_mtime_ns for path in there if path.is_file()} == {
        path: time for path, time in there.items() if path.is_file()
    }


def test_all_missing_archives_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepared("adobe", tmp_path)
    home = tmp_path / "Adobe-Matting"
    for name in (
        "Addobe_Deep_Matting_Dataset.zip",
        "train2014.zip",
        "VOCtrainval_14-Jul-2008.tar",
        "VOC2008test.tar",
    ):
        assert f"{home / name}: " in caught.value.message
    with pytest.raises(InputError) as caught:
        prepared("adobe", tmp_path, ["val"])
    assert "VOC" not in caught.value.message


def test_the_other_spelling_of_the_archive(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    (home / "Addobe_Deep_Matting_Dataset.zip").rename(home / "Adobe_Deep_Matting_Dataset.zip")
    assert len(prepared("adobe", tmp_path, ["test"]).manifests[0].items) == 40


def test_what_is_missing_or_damaged_costs_its_composites(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    prepared("adobe", tmp_path, ["test"]).manifests[0].path.unlink()
    for path in (*home.glob("*.zip"), *home.glob("*.tar")):
        path.unlink()
    folder = home / "Combined_Dataset/Test_set/Adobe-licensed images"
    (folder / "alpha/test00.png").unlink()
    trees.damage(home / "VOCdevkit/VOC2008/JPEGImages" / trees.VOC[0])
    given = prepared("adobe", tmp_path, ["test"])
    # The second foreground is on backgrounds 20..39, of which 21, 24, ... are the damaged one.
    assert names(given.manifests[0]) == [
        f"001-test01-{n:02d}" for n in range(20) if (20 + n) % 3 != 0
    ]
    said = "\n".join(given.left_out)
    assert f"{folder / 'alpha/test00.png'} does not exist. 000-test00 is left out." in said
    assert f"{trees.VOC[0]} is damaged" in said
    assert said.count("test00") == 2


def test_a_list_that_leads_elsewhere(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    lists = home / "Combined_Dataset/Test_set"
    lists.mkdir(parents=True)
    (lists / "test_bg_names.txt").write_text("2007_000027.jpg\n" * 40)
    for name in ("../../evil.png", "a\\b.png", ".."):
        (lists / "test_fg_names.txt").write_text(f"test00.png\n{name}\n")
        with pytest.raises(InputError, match="is no file name"):
            prepared("adobe", tmp_path, ["test"])
    (lists / "test_fg_names.txt").write_text("test00.png\ntest01.png\nmore.png\n")
    with pytest.raises(InputError, match="names 40 backgrounds, but 3 foregrounds take 20"):
        prepared("adobe", tmp_path, ["test"])


def test_a_damaged_archive(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    path = home / "Addobe_Deep_Matting_Dataset.zip"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"Addobe_Deep_Matting_Dataset\.zip is damaged"):
        prepared("adobe", tmp_path, ["test"])


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    home = trees.adobe(tmp_path)
    with zipfile.ZipFile(home / "Addobe_Deep_Matting_Dataset.zip", "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(InputError, match=r"test_fg_names\.txt is missing"):
        prepared("adobe", tmp_path, ["test"])
