"""What there is to train on: pictures, and how they belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from iiccli.errors import TrainingError
from iiccli.training.shelf import GIGABYTE, Entry, Shelf, room_on


@dataclass(frozen=True)
class View:
    """A wide and a near view of one place.

    Attributes:
        wide: number of the wide picture.
        near: number of the near picture, of the same size.
        zoom: how much nearer it is.
    """

    wide: int
    near: int
    zoom: float


@dataclass(frozen=True)
class Index:
    """How pictures belong together, by their numbers on the shelf.

    Attributes:
        stills: photographs.
        clips: frames in order of time, of one size.
        pairs: left and right views of one size.
        cutouts: pictures with transparency.
        composites: a cut-out and the background that it belongs on.
        views: wide and near views.
        groups: pictures to be embedded together, the cover first.
        steps: between the frames of a window; each is as likely as the others.
    """

    stills: tuple[int, ...] = ()
    clips: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    cutouts: tuple[int, ...] = ()
    composites: tuple[tuple[int, int], ...] = ()
    views: tuple[View, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    steps: tuple[int, ...] = (1, 1, 1, 2, 3)

    @property
    def count(self) -> str:
        """How much there is, in words."""
        words = {
            "stills": "photographs",
            "clips": "clips",
            "pairs": "pairs",
            "cutouts": "cut-outs",
            "composites": "composites",
            "views": "double views",
            "groups": "groups",
        }
        numbers = {word: len(getattr(self, name)) for name, word in words.items()}
        return ", ".join(f"{number} {word}" for word, number in numbers.items() if number)

    def __bool__(self) -> bool:
        return bool(self.count)

    def split(self, every: int) -> tuple[Index, Index]:
        """Most of it, and one in `every` of each kind, for validation.

        Cut-outs are in both where there are fewer than that: their backgrounds differ.
        """
        own: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        for name in (f.name for f in fields(self) if f.name != "steps"):
            items = getattr(self, name)
            # From the middle, so that a kind of which there is little gives none away.
            chosen = set(range(every // 2, len(items), every)) if len(items) >= every else set()
            own[name] = tuple(v for i, v in enumerate(items) if i not in chosen)
            kept[name] = tuple(v for i, v in enumerate(items) if i in chosen)
        kept["cutouts"] = kept["cutouts"] or self.cutouts
        return replace(self, **own), replace(self, **kept)

    def merged(self, other: Index, offset: int) -> Index:
        """This and another, whose pictures have numbers from `offset` on.

        Steps are those of the first that has clips.
        """

        def moved(item: Any) -> Any:
            if isinstance(item, View):
                return replace(item, wide=item.wide + offset, near=item.near + offset)
            return item + offset if isinstance(item, int) else tuple(i + offset for i in item)

        values = {
            f.name: getattr(self, f.name) + tuple(map(moved, getattr(other, f.name)))
            for f in fields(self)
            if f.name != "steps"
        }
        steps = self.steps if self.clips else other.steps
        return replace(self, **values, steps=steps)


@dataclass(frozen=True)
class Footage:
    """Pictures and their index.

    Attributes:
        shelf: the pictures.
        index: how they belong together.
        skipped: sentences on files that could not be read.
    """

    shelf: Shelf
    index: Index
    skipped: tuple[str, ...] = ()

    def split(self, every: int) -> tuple[Footage, Footage]:
        """See `Index.split`; both on the same shelf."""
        own, kept = self.index.split(every)
        return replace(self, index=own), replace(self, index=kept, skipped=())


@dataclass
class Findings:
    """What a source of pictures holds, before it is loaded.

    Attributes:
        entries: the pictures.
        index: how they belong together.
        skipped: sentences on files that could not be read.
    """

    entries: list[Entry] = field(default_factory=list)
    index: Index = field(default_factory=Index)
    skipped: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> int:
        """Take a picture in; the result is its number."""
        self.entries.append(entry)
        return len(self.entries) - 1


def load_footage(
    sources: Sequence[Path],
    *,
    frames: int,
    memory: float | None = None,
    device: torch.device | None = None,
) -> Footage:
    """Find and decode what there is to train on.

    Args:
        sources: folders (see `folders.find`), archives of such, also in a folder, and manifests
            (`.jsonl`, see `manifests.find`).
        frames: fewest frames that make a clip; 0 takes every picture as a still.
        memory: gigabytes that pictures may take; None: half of what is free. What finds no room
            is decoded when it is drawn.
        device: where they are kept.

    Raises:
        TrainingError: a source is missing or unreadable, or there is nothing in them.
    """
    from iiccli.training.folders import find as found_in
    from iiccli.training.manifests import find as listed_in
    from iiccli.training.unpacking import unpacked

    device = device or torch.device("cpu")
    room = room_on(device) if memory is None else int(memory * GIGABYTE)
    found = Findings()
    for source in unpacked(sources):
        if source.suffix == ".jsonl":
            part = listed_in(source)
        else:
            taken = sum(entry.size for entry in found.entries)
            part = found_in(source, frames=frames, room=room - taken)
        _merge(found, part)
    if not found.index:
        names = ", ".join(map(str, sources))
        raise TrainingError(f"No readable pictures in {names}.", "Give --data another folder.")
    return Footage(Shelf(found.entries, room, device), found.index, tuple(found.skipped))


def _merge(found: Findings, part: Findings) -> None:
    found.index = found.index.merged(part.index, len(found.entries))
    found.entries += part.entries
    found.skipped += part.skipped


def footage_of(
    pictures: Iterable[torch.Tensor], index: Index, device: torch.device | None = None
) -> Footage:
    """Footage out of pictures in memory."""
    return Footage(Shelf.of(pictures, device), index)
