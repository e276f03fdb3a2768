"""Flicker 2W, photographs for `hide`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iiccli.datasets.layouts.base import (
    Desk,
    Draft,
    Layout,
    Need,
    Part,
    Request,
    centre,
    pictures_in,
)
from iiccli.datasets.manifest import Item

SIDE = 576
"""Smaller pictures are not used; to validate and to test, the centre of this size is."""

_FOLDER = "flicker/flicker_2W_images"  # as the published tree spells it
_PICTURES = 20_745
_TRAIN, _VAL = 0.7, 0.1


class Flickr(Layout):
    """Groups of pictures in the order of their names: the first is the cover."""

    alias = "flickr"
    task = "hide"
    source = "https://github.com/liujiaheng/CompressionData"
    pictures = 2
    choice = tuple(range(2, 10))

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        yield Need(request.root / _FOLDER, "photographs; the set, unpacked")

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        folder = desk.root / _FOLDER
        paths = pictures_in(folder)
        desk.expect(len(paths), _PICTURES, "pictures", folder)
        desk.scan(paths)
        # A damaged file keeps its place, as far as its size is known: all other groups stay.
        large = [p for p in paths if min(desk.scanned(p).size or (0, 0)) >= SIDE]
        for path in paths:
            scan = desk.scanned(path)
            if scan.size is None:
                why = f"{scan.problem} Groups after it may not be the published ones."
                desk.leave_out(path.name, why)
        count = request.pictures
        groups = [large[i : i + count] for i in range(0, len(large) - count + 1, count)]
        train, val = round(len(groups) * _TRAIN), round(len(groups) * _VAL)
        start = {"train": 0, "val": train, "test": train + val}
        end = {"train": train, "val": train + val, "test": len(groups)}
        for split in request.splits:
            numbers = range(start[split], end[split])
            items = [_item(number, groups[number], split, desk) for number in numbers]
            yield self.draft(request, split, items)


def _item(number: int, paths: list[Path], split: str, desk: Desk) -> Item | None:
    parts: list[Part] = []
    for path in paths:
        size = desk.scanned(path).size
        box = None if split == "train" or size is None else centre(size, (SIDE, SIDE))
        parts.append(Part("secret" if parts else "cover", path, box))
    return desk.item(f"{number:05d}-{paths[0].stem}", parts)
