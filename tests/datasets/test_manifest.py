"""Manifests, from writing to reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iiccli.datasets.manifest import (
    Heading,
    Item,
    Manifest,
    Picture,
    read_manifest,
    write_manifest,
)
from iiccli.errors import InputError, OutputExistsError

HEADING = Heading("davis", "train", "video", 5, (5, 3, 1))
ITEMS = (
    Item("bär", (Picture("frame", "a/ä\u2028.jpg", 8, 6, "00"),)),
    Item(
        "pair",
        (Picture("wide", "b.png", 4, 4, "01"), Picture("tele", "c.png", 8, 8, "02", (2, 2, 6, 6))),
        2.0,
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "manifests" / "davis-train.jsonl"
    write_manifest(path, HEADING, ITEMS)
    return path


def test_what_was_written_is_read(path: Path) -> None:
    assert read_manifest(path) == Manifest(HEADING, ITEMS, path)


def test_one_line_an_item(path: Path) -> None:
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    assert len(lines) == 3
    assert json.loads(lines[0])["alias"] == "davis"
    assert json.loads(lines[2])["pictures"][1]["box"] == [2, 2, 6, 6]
    assert "zoom" not in json.loads(lines[1])


def test_paths_start_from_the_root(path: Path) -> None:
    manifest = read_manifest(path)
    assert manifest.file_of(ITEMS[1].pictures[0]).resolve() == path.parent.parent / "b.png"


def test_nothing_is_overwritten_unasked(path: Path) -> None:
    with pytest.raises(OutputExistsError):
        write_manifest(path, HEADING, ITEMS)
    write_manifest(path, HEADING, ITEMS[:1], force=True)
    assert len(read_manifest(path).items) == 1


def test_a_missing_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no manifest .*nothing\.jsonl"):
        read_manifest(tmp_path / "nothing.jsonl")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1 is not JSON"),
        (b"\xff\xfe", "not text"),
        (b"[]", "line 1 is no object"),
        (b'{"alias": "davis"}', "iic-manifest"),
        (b'{"iic-manifest": 9}', "version 9"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_manifest(path)


def changed(path: Path, line: int, **values: Any) -> None:
    """Change a line's fields; those of the first picture are called `picture_...`."""
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    value = json.loads(lines[line])
    for key, new in values.items():
        holder, name = value, key
        if key.startswith("picture_"):
            holder, name = value["pictures"][0], key.removeprefix("picture_")
        holder[name] = new
    lines[line] = json.dumps(value)
    path.write_text("\n".join(lines), "utf-8")


@pytest.mark.parametrize(
    ("line", "values", "words"),
    [
        (0, {"task": "dance"}, "line 1 names the unknown task 'dance'"),
        (0, {"split": "half"}, "line 1 names the unknown split 'half'"),
        (0, {"pictures": 0}, "line 1 has no 'pictures' from 1 on"),
        (0, {"steps": [0]}, "line 1 has steps"),
        (0, {"root": ""}, "line 1 has no 'root'"),
        (1, {"name": 7}, "line 2 has no 'name'"),
        (1, {"pictures": []}, "line 2 has no list of pictures"),
        (1, {"zoom": 0.5}, "line 2 has a zoom below 1"),
        (1, {"zoom": 10**400}, "line 2 has a zoom above 1000"),
        (1, {"zoom": float("inf")}, "line 2 has a zoom above 1000"),
        (2, {"picture_path": "..\\..\\secret"}, "outside the root"),
        (2, {"picture_path": "a\0b"}, "outside the root"),
        (2, {"picture_path": "../../secret"}, "outside the root"),
        (2, {"picture_path": "/etc/passwd"}, "outside the root"),
        (2, {"picture_width": True}, "line 3 has no 'width'"),
        (2, {"picture_box": [0, 0, 5, 4]}, "line 3 has a box that is empty or outside"),
        (2, {"picture_box": [0, 0, 4]}, "line 3 has a box that is not four"),
    ],
)
def test_damage_is_named_with_its_line(
    path: Path, line: int, values: dict[str, Any], words: str
) -> None:
    changed(path, line, **values)
    with pytest.raises(InputError, match=words) as caught:
        read_manifest(path)
    assert str(path) in caught.value.message
