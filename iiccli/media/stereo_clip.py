"""Stereo clips: one that shows both views in every frame, or two that run together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iiccli.errors import InputError, UsageError
from iiccli.media.clip import open_clip
from iiccli.media.fitting import Rule
from iiccli.media.resize import Pixels
from iiccli.media.source import Clip, ClipInfo
from iiccli.media.stereo import LAYOUTS, guess_layout, split

_LOOKED_AT = 5
"""Frames by which the layout is told."""


class StereoClip:
    """Frames of two views.

    Attributes:
        info: of the clip, or of the left one.
        notes: what was changed or lost while reading, one phrase each.
    """

    def __init__(
        self, clips: Sequence[Clip], layout: str, swap: bool, notes: tuple[str, ...]
    ) -> None:
        self.clips = tuple(clips)
        self.layout = layout
        self.swap = swap
        self.notes = notes

    @property
    def info(self) -> ClipInfo:
        """Of the clip, or of the left one."""
        return self.clips[0].info

    def read(self, indices: Sequence[int]) -> Iterator[tuple[Pixels, Pixels]]:
        """Yield the left and the right view, (H, W, 3) uint8 each, at increasing `indices`.

        Raises:
            InputError: the source changed or cannot be decoded.
        """
        for views in self._pairs(indices):
            yield (views[1], views[0]) if self.swap else views

    def _pairs(self, indices: Sequence[int]) -> Iterator[tuple[Pixels, Pixels]]:
        if len(self.clips) == 2:
            yield from zip(*(clip.read(indices) for clip in self.clips), strict=True)
            return
        for frame in self.clips[0].read(indices):
            yield split(frame, self.layout, self.clips[0].source)[:2]


def open_stereo_clip(
    sources: Sequence[str],
    layout: str = "auto",
    *,
    swap: bool = False,
    rule: Rule | None = None,
) -> StereoClip:
    """Open one clip of both views, or two clips.

    Args:
        sources: one or two of what `open_clip` opens; of two the left view comes first.
        layout: of one clip: `sbs`, `sbs-cross`, `over-under` or `auto`.
        swap: exchange the views.
        rule: see `open_clip`; of two clips each keeps its own size.

    Raises:
        UsageError: the layout cannot be told, or is none of a clip.
        InputError: a clip cannot be read, or two differ in length or rate.
    """
    clips = [open_clip(source, rule) for source in sources]
    notes = tuple(dict.fromkeys(note for clip in clips for note in clip.notes))
    if len(clips) == 2:
        _check_together(*clips)
        return StereoClip(clips, "", swap, notes)
    if layout not in LAYOUTS or layout == "mpo":
        raise UsageError(
            f"A clip has no layout {layout!r}.", "Choose sbs, sbs-cross, over-under or auto."
        )
    clip = clips[0]
    if layout == "auto":
        layout = _layout(clip)
        notes = (*notes, f"taken as {layout}, the left view first")
    frame = next(clip.read([0]))
    remark = split(frame, layout, clip.source)[2]
    return StereoClip(clips, layout, swap, (*notes, remark) if remark else notes)


def _check_together(left: Clip, right: Clip) -> None:
    one, other = left.info, right.info
    if one.frames != other.frames:
        raise InputError(
            f"{left.source} has {one.frames} frames, {right.source} has {other.frames}.",
            "Two views of one clip have equally many; cut them to the same length first.",
        )
    if one.fps != other.fps:
        raise InputError(
            f"{left.source} runs at {float(one.fps):g} frames per second, {right.source} at "
            f"{float(other.fps):g}.",
            "Two views of one clip run at one rate.",
        )


def _layout(clip: Clip) -> str:
    """What most of some frames look like; a dark or plain one tells nothing."""
    count = min(_LOOKED_AT, clip.info.frames)
    indices = sorted({i * (clip.info.frames - 1) // max(1, count - 1) for i in range(count)})
    found = [layout for frame in clip.read(indices) if (layout := guess_layout(frame))]
    best = max(set(found), key=found.count) if found else None
    if best is None or 2 * found.count(best) <= len(found):
        raise UsageError(
            f"It is not plain how {clip.source} holds two views, or whether.",
            "Name it with --layout: sbs, sbs-cross or over-under.",
        )
    return best
