"""DIV2K: double views for `dual`, and large pictures for `rescale`."""

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

ZOOMS = (2, 4, 8)

VALIDATION = 50
"""So many of the training set's last ones validate double views."""

LEAST = {8: 144}
"""Of which zoom only wide views with such sides, or larger ones, are used to train and validate.
Those to test are used whatever their size, as in the published protocol."""

_HOME = "DIV2K"
_SOURCE = "https://data.vision.ee.ethz.ch/cvl/DIV2K/"
_PART = {"train": "train", "val": "train", "test": "valid"}
_PICTURES = {"train": 800, "valid": 100}


class Div2kDual(Layout):
    """Wide: the set's bicubic low resolution. Tele: the centre of the high one, as large."""

    alias = "div2k-dual"
    task = "dual"
    source = _SOURCE
    pictures = 2

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        for part in _parts(request):
            yield _high_need(request.root, part)
            for zoom in _zooms(request):
                kind = f"_LR_bicubic_X{zoom}" if zoom < 8 else "_LR_x8"
                what = f"the pictures {zoom} times smaller; DIV2K_{part}{kind}.zip has them"
                yield Need(_low(request.root, part, zoom), what)

    def stems(self, request: Request) -> tuple[str, ...]:
        """See `Layout`."""
        zooms = _zooms(request)
        return tuple(f"{self.alias}-x{zoom}-{split}" for zoom in zooms for split in request.splits)

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        for zoom in _zooms(request):
            views = {part: _views(part, zoom, desk) for part in _parts(request)}
            for split in request.splits:
                chosen = views[_PART[split]]
                if split != "test":
                    chosen = [view for view in chosen if _large_enough(view[0], zoom, desk)]
                    last = max(0, len(chosen) - VALIDATION)
                    chosen = chosen[:last] if split == "train" else chosen[last:]
                items = [_item(*view, zoom, desk) for view in chosen]
                yield self.draft(request, split, items, suffix=f"-x{zoom}")


class Div2kSr(Layout):
    """The pictures at high resolution."""

    alias = "div2k-sr"
    task = "rescale"
    source = _SOURCE
    splits = ("train", "test")

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        for part in _parts(request):
            yield _high_need(request.root, part)

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        for split in request.splits:
            paths = _high_pictures(_PART[split], desk)
            items = [desk.item(path.stem, [Part("picture", path)]) for path in paths]
            yield self.draft(request, split, items)


def _parts(request: Request) -> list[str]:
    """The set's own parts that the splits are taken from."""
    return list(dict.fromkeys(_PART[split] for split in request.splits))


def _high(root: Path, part: str) -> Path:
    return root / _HOME / f"DIV2K_{part}_HR"


def _low(root: Path, part: str, zoom: int) -> Path:
    return root / _HOME / f"DIV2K_{part}_LR_bicubic" / f"X{zoom}"


def _high_need(root: Path, part: str) -> Need:
    return Need(_high(root, part), f"the large pictures; DIV2K_{part}_HR.zip has them")


def _zooms(request: Request) -> tuple[int, ...]:
    """Those asked for; else those of which something is there; else all."""
    if request.zooms:
        return request.zooms
    parts = _parts(request)
    there = (z for z in ZOOMS if any(_low(request.root, part, z).is_dir() for part in parts))
    return tuple(there) or ZOOMS


def _high_pictures(part: str, desk: Desk) -> list[Path]:
    folder = _high(desk.root, part)
    paths = pictures_in(folder)
    desk.expect(len(paths), _PICTURES[part], "pictures", folder)
    desk.scan(paths)
    return paths


def _views(part: str, zoom: int, desk: Desk) -> list[tuple[Path, Path]]:
    """Small and large picture of each name that has both."""
    large = {path.stem: path for path in _high_pictures(part, desk)}
    folder = _low(desk.root, part, zoom)
    small = {path.stem.removesuffix(f"x{zoom}"): path for path in pictures_in(folder)}
    for name in sorted(large.keys() ^ small.keys()):
        there = large.get(name) or small[name]
        lacking = folder if name in large else _high(desk.root, part)
        desk.leave_out(name, f"{there} has no counterpart in {lacking}.")
    names = sorted(large.keys() & small.keys())
    desk.scan([small[name] for name in names])
    return [(small[name], large[name]) for name in names]


def _large_enough(wide: Path, zoom: int, desk: Desk) -> bool:
    size = desk.scanned(wide).size
    return size is None or min(size) >= LEAST.get(zoom, 1)


def _item(wide: Path, large: Path, zoom: int, desk: Desk) -> Item | None:
    size, whole = desk.scanned(wide).size, desk.scanned(large).size
    box = None
    if size is not None and whole is not None:
        if size[0] > whole[0] or size[1] > whole[1]:
            desk.leave_out(large.stem, f"{wide} is larger than {large}.")
            return None
        box = centre(whole, size)
    return desk.item(large.stem, [Part("wide", wide), Part("tele", large, box)], float(zoom))
