"""DAVIS 2017 (semi-supervised, 480p), for `video`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from iiccli.datasets.layouts.base import (
    Desk,
    Draft,
    Layout,
    Need,
    Part,
    Request,
    folders_in,
    pictures_in,
)
from iiccli.datasets.manifest import Item

STEPS = (5, 3, 1)

_HOME = "DAVIS-2017"
_FRAMES = "JPEGImages/480p"
_CLIPS = {"trainval": 90, "test-dev": 30, "test-challenge": 30}
_OF_SPLIT = {
    "train": ("trainval", "test-dev"),
    "val": ("test-dev",),
    "test": ("test-challenge",),
}


class Davis(Layout):
    """Clips; trainval and every second one of test-dev train, the others of test-dev are val."""

    alias = "davis"
    task = "video"
    source = "https://davischallenge.org/davis2017/code.html (Semi-supervised 480p)"
    pictures = 5
    choice = (3, 5, 7, 9, 11, 13, 15)

    def needs(self, request: Request) -> Iterator[Need]:
        """See `Layout`."""
        wanted = {part for split in request.splits for part in _OF_SPLIT[split]}
        for part in (part for part in _CLIPS if part in wanted):
            archive = f"DAVIS-2017-{part}-480p.zip"
            yield Need(
                _folder(request.root, part),
                f"clips; the folder DAVIS of {archive}, renamed to DAVIS-2017-{part}, has them",
            )

    def drafts(self, request: Request, desk: Desk) -> Iterator[Draft]:
        """See `Layout`."""
        for split in request.splits:
            clips = [clip for part in _OF_SPLIT[split] for clip in _clips(part, split, desk)]
            frames = {clip: pictures_in(clip) for clip in clips}
            desk.scan([path for paths in frames.values() for path in paths])
            items = [run for clip in clips for run in _runs(clip.name, frames[clip], desk)]
            yield self.draft(request, split, items, steps=STEPS)


def _folder(root: Path, part: str) -> Path:
    return root / _HOME / f"DAVIS-2017-{part}" / _FRAMES


def _clips(part: str, split: str, desk: Desk) -> list[Path]:
    folder = _folder(desk.root, part)
    clips = folders_in(folder)
    desk.expect(len(clips), _CLIPS[part], "clips", folder)
    if part == "test-dev":
        return clips[0::2] if split == "train" else clips[1::2]
    return clips


def _runs(name: str, paths: Sequence[Path], desk: Desk) -> Iterator[Item]:
    """The clip; or what is between its damaged frames, for no window may lack one."""
    runs: list[list[Path]] = [[]]
    size = next((scan.size for path in paths if not (scan := desk.scanned(path)).problem), None)
    for path in paths:
        scan = desk.scanned(path)
        if not scan.problem and scan.size == size:
            runs[-1].append(path)
            continue
        odd = f"{path} differs in size from the frames before it."
        desk.leave_out(name, scan.problem or odd, what="is split there")
        runs.append([])
    for number, run in enumerate(runs, start=1):
        part = name if len(runs) == 1 else f"{name}.{number}"
        item = desk.item(part, [Part("frame", path) for path in run]) if run else None
        if item is not None:
            yield item
