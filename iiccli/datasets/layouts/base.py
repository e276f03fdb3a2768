"""What all layouts share: what they need, what they are asked for, what they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from iiccli.datasets.manifest import SPLITS, Box, Heading, Item, Picture
from iiccli.datasets.scanning import Progress, Scan, Scanner
from iiccli.errors import InputError
from iiccli.media.frames import STILL_SUFFIXES

Note = Callable[[str], None]
"""Told a sentence for the user."""


@dataclass(frozen=True)
class Request:
    """What to prepare.

    Attributes:
        root: the folder of all data sets.
        splits: which; the layout has them all.
        pictures: how many are embedded together; the layout allows it.
        zooms: of double views; empty takes all that are there.
    """

    root: Path
    splits: tuple[str, ...]
    pictures: int
    zooms: tuple[int, ...] = ()


@dataclass(frozen=True)
class Need:
    """A folder or file without which nothing can be prepared.

    Attributes:
        path: where it belongs.
        what: what it is, to follow a colon.
        file: whether it is one; else it is a folder that must hold something.
    """

    path: Path
    what: str
    file: bool = False

    @property
    def problem(self) -> str:
        """What is wrong, as a phrase; empty if nothing is."""
        if self.file:
            return "" if self.path.is_file() else f"{self.path}: {self.what}"
        if not self.path.is_dir():
            return f"{self.path}: {self.what}"
        try:
            empty = not any(self.path.iterdir())
        except OSError as error:
            return f"{self.path} cannot be read ({error.strerror}): {self.what}"
        return f"{self.path} is empty: {self.what}" if empty else ""


@dataclass(frozen=True)
class Part:
    """A picture of an item, before its file was looked at."""

    role: str
    path: Path
    box: Box | None = None


@dataclass(frozen=True)
class Draft:
    """A manifest that is not written yet.

    Attributes:
        stem: of its file's name.
        heading: its first line.
        items: the others.
    """

    stem: str
    heading: Heading
    items: tuple[Item, ...]


class Desk:
    """What a layout works with while it is preparing.

    Args:
        root: the folder of all data sets.
        progress: told how far it is.
        note: told each sentence at once: on what is left out, and whatever else the user should
            know.

    Attributes:
        root: as given.
        progress: as given.
        left_out: sentences on what is damaged or odd, with the items that it costs.
        remarks: the other sentences.
    """

    def __init__(self, root: Path, progress: Progress, note: Note) -> None:
        self.root = root
        self.progress = progress
        self.left_out: list[str] = []
        self.remarks: list[str] = []
        self._note = note
        self._scanner = Scanner(progress)

    def scan(self, paths: Sequence[Path]) -> None:
        """Read pictures, many at a time."""
        self._scanner.scan(paths)

    def scanned(self, path: Path) -> Scan:
        """What is known of a picture."""
        return self._scanner.of(path)

    def item(self, name: str, parts: Sequence[Part], zoom: float = 1.0) -> Item | None:
        """An item of pictures that are whole; None, and a sentence on it, if one is not."""
        for part in parts:
            if problem := self.scanned(part.path).problem:
                self.leave_out(name, problem)
                return None
        return Item(name, tuple(map(self._picture, parts)), zoom)

    def leave_out(self, name: str, why: str, *, what: str = "is left out") -> None:
        """Say that an item is left out; the same sentence is said once only.

        Args:
            name: of the item.
            why: a sentence.
            what: happens to it.
        """
        _say_once(f"{why} {name} {what}.", self.left_out, self._note)

    def remark(self, sentence: str) -> None:
        """Say something else, once only."""
        _say_once(sentence, self.remarks, self._note)

    def expect(self, found: int, whole: int, noun: str, place: Path) -> None:
        """Remark that something of a published set is missing, or too much."""
        if found != whole:
            self.remark(f"{place} holds {found} {noun}; the whole set has {whole}.")

    def _picture(self, part: Part) -> Picture:
        scan = self.scanned(part.path)
        assert scan.size is not None  # it is whole
        path = part.path.relative_to(self.root).as_posix()
        return Picture(part.role, path, *scan.size, scan.sha256, part.box)


def _say_once(sentence: str, said: list[str], note: Note) -> None:
    if sentence not in said:
        said.append(sentence)
        note(sentence)


class Layout(ABC):
    """How a data set lies below the root, and what of it is in which split.

    Attributes:
        alias: its name.
        task: what it is for.
        source: where to get it.
        splits: that it has.
        pictures: how many are embedded together.
        choice: what `pictures` may be instead; empty if nothing else.
    """

    alias: ClassVar[str]
    task: ClassVar[str]
    source: ClassVar[str]
    splits: ClassVar[tuple[str, ...]] = SPLITS
    pictures: ClassVar[int] = 1
    choice: ClassVar[tuple[int, ...]] = ()

    @abstractmethod
    def needs(self, request: Request) -> Iterator[Need]:
        """All that must be there for a request."""

    @abstractmethod
    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """The manifests that were asked for; what they need is there.

        Raises:
            InputError: something that is named in the set itself is missing or damaged.
        """

    def stems(self, request: Request) -> tuple[str, ...]:
        """The names of the manifests that `drafts` will give, without suffix."""
        return tuple(f"{self.alias}-{split}" for split in request.splits)

    def draft(
        self,
        request: Request,
        split: str,
        items: Sequence[Item | None],
        *,
        steps: tuple[int, ...] = (),
        suffix: str = "",
    ) -> Draft:
        """A draft of the items that are there."""
        heading = Heading(self.alias, split, self.task, request.pictures, steps)
        kept = tuple(item for item in items if item is not None)
        return Draft(f"{self.alias}{suffix}-{split}", heading, kept)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder, by name as the published splits count: in order of code points.

    Raises:
        InputError: there is none, or the folder cannot be read.
    """
    try:
        found = sorted(
            (
                path
                for path in folder.iterdir()
                if path.suffix.lower() in STILL_SUFFIXES and not path.name.startswith(".")
            ),
            key=lambda path: path.name,
        )
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise InputError(f"There are no pictures in the folder {folder}.")
    return found


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, by name.

    Raises:
        InputError: there is none, or the folder cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not found:
        raise InputError(f"There are no folders in {folder}.")
    return sorted(found, key=lambda path: path.name)


def centre(size: tuple[int, int], part: tuple[int, int]) -> Box:
    """The middle of a picture, or as near to it as whole pixels allow (up and left of it).

    Args:
        size: width and height of the picture.
        part: width and height of the box; not larger.
    """
    left, top = (size[0] - part[0]) // 2, (size[1] - part[1]) // 2
    return left, top, left + part[0], top + part[1]
