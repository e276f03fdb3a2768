"""PASCAL VOC 2012 (training/validation data), photographs for `gray`."""

from __future__ import annotations

from collections.abc import Iterator

from iiccli.datasets.layouts.base import Desk, Draft, Layout, Need, Part, Request, pictures_in

SIDE = 144
"""Smaller pictures are not used."""

TRAIN = 13_758
"""So many train, by name; the others test."""

_FOLDER = "VOCdevkit/VOC2012/JPEGImages"
_PICTURES = 17_125


class Voc2012(Layout):
    """Single photographs."""

    alias = "voc2012"
    task = "gray"
    source = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/index.html"
    splits = ("train", "test")

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        archive = "VOCtrainval_11-May-2012.tar"
        yield Need(request.root / _FOLDER, f"photographs; {archive}, unpacked, has them")

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        folder = desk.root / _FOLDER
        paths = pictures_in(folder)
        desk.expect(len(paths), _PICTURES, "pictures", folder)
        desk.scan(paths)
        # One that cannot be read at all counts as large enough, as all but a few are.
        large = [p for p in paths if min(desk.scanned(p).size or (SIDE, SIDE)) >= SIDE]
        for split in request.splits:
            chosen = large[:TRAIN] if split == "train" else large[TRAIN:]
            items = [desk.item(path.stem, [Part("picture", path)]) for path in chosen]
            yield self.draft(request, split, items)
