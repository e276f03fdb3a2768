"""Flickr1024, stereo pairs for `mono`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iiccli.datasets.layouts.base import Desk, Draft, Layout, Need, Part, Request, pictures_in
from iiccli.datasets.manifest import Item

_HOME = "flicker1024"  # as the published tree spells it
_FOLDERS = {
    "train": ("Train_1", "Train_2", "Train_3", "Train_4"),
    "val": ("Validation",),
    "test": ("Test",),
}
_PAIRS = {"train": 800, "val": 112, "test": 112}
_LEFT, _RIGHT = "_L", "_R"


class Flickr1024(Layout):
    """Left and right views, `NAME_L` and `NAME_R`."""

    alias = "flickr1024"
    task = "mono"
    source = "https://yingqianwang.github.io/Flickr1024/"
    pictures = 2

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        for split in request.splits:
            for name in _FOLDERS[split]:
                yield Need(request.root / _HOME / name, f"stereo pairs; the set's folder {name}")

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        for split in request.splits:
            folders = [desk.root / _HOME / name for name in _FOLDERS[split]]
            pairs = [pair for folder in folders for pair in _pairs(folder, desk)]
            desk.expect(len(pairs), _PAIRS[split], f"pairs for {split}", desk.root / _HOME)
            desk.scan([path for pair in pairs for path in pair])
            yield self.draft(request, split, [_item(*pair, desk) for pair in pairs])


def _pairs(folder: Path, desk: Desk) -> list[tuple[Path, Path]]:
    """Both views of each name that has both."""
    views: dict[str, dict[str, Path]] = {}
    for path in pictures_in(folder):
        name, side = path.stem[:-2], path.stem[-2:].upper()
        if name and side in (_LEFT, _RIGHT):
            views.setdefault(name, {})[side] = path
        else:
            desk.leave_out(path.stem, f"{path} does not say with _L or _R which view it is.")
    pairs = []
    for name, sides in views.items():
        if len(sides) == 2:
            pairs.append((sides[_LEFT], sides[_RIGHT]))
        else:
            desk.leave_out(name, f"{next(iter(sides.values()))} has no other view.")
    return pairs


def _item(left: Path, right: Path, desk: Desk) -> Item | None:
    name = f"{left.parent.name}-{left.stem[:-2]}"
    item = desk.item(name, [Part("left", left), Part("right", right)])
    if item is not None and desk.scanned(left).size != desk.scanned(right).size:
        desk.leave_out(name, f"{left} and {right.name} differ in size.")
        return None
    return item
