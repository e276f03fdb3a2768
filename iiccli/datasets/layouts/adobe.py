"""Adobe Deep Image Matting, for `layers`: foregrounds over backgrounds of COCO and VOC.

The archives are unpacked where they lie, as far as it is needed. Composites are not written: all
of them would take hundreds of gigabytes. The manifest names what they are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from iiccli.datasets.layouts.adobe_sources import (
    ALPHA,
    FOREGROUND,
    TEST,
    TRAINING,
    Half,
    Sources,
    needs,
)
from iiccli.datasets.layouts.base import Desk, Draft, Layout, Need, Part, Request
from iiccli.datasets.manifest import Item

VALIDATION = 10
"""So many of the training foregrounds, the last ones, validate."""

_HOME = "Adobe-Matting"
_HALF = {"train": TRAINING, "val": TRAINING, "test": TEST}


class Adobe(Layout):
    """Composite, background and foreground; each foreground is over several backgrounds."""

    alias = "adobe"
    task = "layers"
    source = "https://github.com/foamliu/Deep-Image-Matting-PyTorch (its section on data)"
    pictures = 3

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        return needs(request.root / _HOME, _halves(request))

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        home = desk.root / _HOME
        halves = {half: Sources(home, half, desk.progress) for half in _halves(request)}
        for half, sources in halves.items():
            desk.expect(len(sources.foregrounds), half.whole, "foregrounds", sources.folder)
        for split in request.splits:
            sources = halves[_HALF[split]]
            numbers = _numbers(split, len(sources.foregrounds))
            sources.unpack(numbers)
            yield self.draft(request, split, list(_items(sources, numbers, desk)))


def _halves(request: Request) -> list[Half]:
    return list(dict.fromkeys(_HALF[split] for split in request.splits))


def _numbers(split: str, foregrounds: int) -> range:
    """The foregrounds of a split."""
    last = max(0, foregrounds - VALIDATION)
    return {"train": range(last), "val": range(last, foregrounds)}.get(split, range(foregrounds))


def _items(sources: Sources, numbers: Sequence[int], desk: Desk) -> Iterator[Item | None]:
    """All composites of some foregrounds; None for those that cannot be made."""
    layers = {number: _cut_out(sources, number) for number in numbers}
    desk.scan([part.path for pair in layers.values() for part in pair])
    desk.scan([path for number in numbers for path in sources.backgrounds(number)])
    for number in numbers:
        name = f"{number:03d}-{Path(sources.foregrounds[number]).stem}"
        foreground, alpha = layers[number]
        if desk.item(name, layers[number]) is None:
            continue
        if desk.scanned(foreground.path).size != desk.scanned(alpha.path).size:
            desk.leave_out(name, f"{foreground.path} and {alpha.path} differ in size.")
            continue
        for place, path in enumerate(sources.backgrounds(number)):
            background = Part("background", path)
            yield desk.item(f"{name}-{place:02d}", (foreground, alpha, background))


def _cut_out(sources: Sources, number: int) -> tuple[Part, Part]:
    return (
        Part("foreground", sources.layer(FOREGROUND, number)),
        Part("alpha", sources.layer(ALPHA, number)),
    )
