"""Manifests: which pictures belong together, in JSON Lines.

The first line is the heading, each further line one item. Paths are relative to a root, so that
a folder of data sets can be moved with its manifests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.atomic import atomic_path
from iiccli.errors import InputError

VERSION = 1
"""Of the format; a manifest with another is refused."""

TASKS = ("video", "mono", "dual", "layers", "hide", "gray", "rescale")

SPLITS = ("train", "val", "test")

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels; the latter two are just outside."""

MOST_ZOOM = 1000
"""Of double views: a larger one is a mistake."""

_VERSION_KEY = "iic-manifest"


@dataclass(frozen=True)
class Picture:
    """A file, or a part of one.

    Attributes:
        role: what it is in its item: frame, left, right, wide, tele, cover, secret, picture;
            composite, or foreground and alpha that one is made of; background.
        path: of the file, relative to the root, with `/`.
        width: of the whole picture in pixels, upright.
        height: likewise.
        sha256: of the file, in hexadecimal digits.
        box: the part that is meant; None means all of it.
    """

    role: str
    path: str
    width: int
    height: int
    sha256: str
    box: Box | None = None


@dataclass(frozen=True)
class Item:
    """Pictures that belong together: a clip, a pair, a group.

    Attributes:
        name: unique in its manifest.
        pictures: in their natural order.
        zoom: of double views, how many times nearer the second is.
    """

    name: str
    pictures: tuple[Picture, ...]
    zoom: float = 1.0


@dataclass(frozen=True)
class Heading:
    """What a manifest is about.

    Attributes:
        alias: of the data set.
        split: one of `SPLITS`.
        task: one of `TASKS`.
        pictures: how many are embedded together.
        steps: of video, how far the frames of a window may be apart.
        root: the folder that paths start from, relative to the manifest's own.
    """

    alias: str
    split: str
    task: str
    pictures: int
    steps: tuple[int, ...] = ()
    root: str = ".."


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read.

    Attributes:
        heading: its first line.
        items: the others.
        path: where it lies.
    """

    heading: Heading
    items: tuple[Item, ...]
    path: Path

    @property
    def root(self) -> Path:
        """The folder that the pictures' paths start from."""
        return self.path.parent / self.heading.root

    def file_of(self, picture: Picture) -> Path:
        """Where a picture's file is."""
        return self.root / picture.path


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; the pictures that it names are not looked at.

    Raises:
        InputError: it is missing, no manifest, or damaged; with the line.
    """
    hint = "`iic data prepare` writes manifests."
    if not path.is_file():
        raise InputError(f"There is no manifest {path}.", hint)
    try:
        first, *others = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no manifest: it is not text.", hint) from error
    try:
        heading = _heading(_object(first))
    except _WrongError as error:
        raise InputError(f"{path} is no manifest: line 1 {error}.", hint) from error
    items: list[Item] = []
    for number, line in enumerate(others, start=2):
        try:
            items.append(_item(_object(line)))
        except _WrongError as error:
            raise InputError(f"{path} is damaged: line {number} {error}.", hint) from error
    return Manifest(heading, tuple(items), path)


def write_manifest(
    path: Path, heading: Heading, items: Iterable[Item], *, force: bool = False
) -> None:
    """Write a manifest, whole or not at all.

    Raises:
        OutputExistsError: it exists and `force` is false.
        OutputError: the system refuses.
    """
    with atomic_path(path, force=force) as temporary, temporary.open("w", encoding="utf-8") as file:
        for line in _lines(heading, items):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _lines(heading: Heading, items: Iterable[Item]) -> Iterator[dict[str, Any]]:
    first: dict[str, Any] = {_VERSION_KEY: VERSION, "alias": heading.alias}
    first |= {"split": heading.split, "task": heading.task, "pictures": heading.pictures}
    if heading.steps:
        first["steps"] = list(heading.steps)
    yield {**first, "root": heading.root}
    for item in items:
        line: dict[str, Any] = {"name": item.name}
        if item.zoom != 1:
            line["zoom"] = item.zoom
        yield {**line, "pictures": [_picture_line(picture) for picture in item.pictures]}


def _picture_line(picture: Picture) -> dict[str, Any]:
    line: dict[str, Any] = {"role": picture.role, "path": picture.path}
    line |= {"width": picture.width, "height": picture.height}
    if picture.box is not None:
        line["box"] = list(picture.box)
    return {**line, "sha256": picture.sha256}


class _WrongError(Exception):
    """What is wrong with a line, as the end of a sentence."""


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _WrongError("is not JSON") from error
    if not isinstance(value, dict):
        raise _WrongError("is no object")
    return value


def _heading(line: Mapping[str, Any]) -> Heading:
    if _VERSION_KEY not in line:
        raise _WrongError(f"has no {_VERSION_KEY!r}")
    if line[_VERSION_KEY] != VERSION:
        raise _WrongError(f"says version {line[_VERSION_KEY]!r}; only {VERSION} is known")
    task, split = _text(line, "task"), _text(line, "split")
    if task not in TASKS:
        raise _WrongError(f"names the unknown task {task!r}")
    if split not in SPLITS:
        raise _WrongError(f"names the unknown split {split!r}")
    steps = line.get("steps", [])
    if not isinstance(steps, list) or not all(_is_whole(step, 1) for step in steps):
        raise _WrongError("has steps that are no list of whole numbers")
    pictures = _whole(line, "pictures")
    return Heading(_text(line, "alias"), split, task, pictures, tuple(steps), _text(line, "root"))


def _item(line: Mapping[str, Any]) -> Item:
    pictures = line.get("pictures")
    if not isinstance(pictures, list) or not pictures:
        raise _WrongError("has no list of pictures")
    zoom = line.get("zoom", 1.0)
    if isinstance(zoom, bool) or not isinstance(zoom, int | float) or not zoom >= 1:
        raise _WrongError("has a zoom below 1")
    if zoom > MOST_ZOOM:
        raise _WrongError(f"has a zoom above {MOST_ZOOM}")
    return Item(_text(line, "name"), tuple(map(_picture, pictures)), float(zoom))


def _picture(value: Any) -> Picture:
    if not isinstance(value, dict):
        raise _WrongError("has a picture that is no object")
    path = _text(value, "path")
    if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/") or "\0" in path:
        raise _WrongError(f"names {path!r}, which is outside the root")
    width, height = _whole(value, "width"), _whole(value, "height")
    box = None if value.get("box") is None else _box(value["box"], width, height)
    return Picture(_text(value, "role"), path, width, height, _text(value, "sha256"), box)


def _box(value: Any, width: int, height: int) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(_is_whole(v, 0) for v in value):
        raise _WrongError("has a box that is not four whole numbers")
    left, top, right, bottom = value
    if not (left < right <= width and top < bottom <= height):
        raise _WrongError("has a box that is empty or outside its picture")
    return left, top, right, bottom


def _text(line: Mapping[str, Any], key: str) -> str:
    value = line.get(key)
    if not isinstance(value, str) or not value:
        raise _WrongError(f"has no {key!r}")
    return value


def _whole(line: Mapping[str, Any], key: str) -> int:
    value = line.get(key)
    if not _is_whole(value, 1):
        raise _WrongError(f"has no {key!r} from 1 on")
    return int(value)  # type: ignore[arg-type]  # _is_whole says so


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
