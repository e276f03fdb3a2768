"""Writing video through the bundled ffmpeg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from iiccli.errors import OutputError
from iiccli.media import ffmpeg
from iiccli.media.resize import Pixels

_H264 = ("-c:v", "libx264", "-crf", "12", "-preset", "medium")
_VP9 = ("-c:v", "libvpx-vp9", "-crf", "12", "-b:v", "0", "-row-mt", "1", "-cpu-used", "4")
_FASTSTART = ("-movflags", "+faststart")
_ENCODERS: dict[str, tuple[str, ...]] = {
    ".mp4": (*_H264, *_FASTSTART),
    ".m4v": (*_H264, *_FASTSTART),
    ".mov": (*_H264, *_FASTSTART),
    ".mkv": _H264,
    ".webm": _VP9,
}
VIDEO_SUFFIXES = tuple(_ENCODERS)
"""The suffixes that `write_video` knows."""


def write_video(file: Path, frames: Iterator[Pixels], fps: Fraction, target: Path) -> None:
    """Encode (H, W, 3) uint8 RGB `frames`, all of one size, at a constant rate.

    Even sizes become yuv420p, which every player shows; H.264 of an odd size becomes yuv444p,
    as yuv420p would cut a row or column. Colours are BT.709, and say so.

    Args:
        file: where ffmpeg writes; its suffix chooses format and encoder.
        frames: at least one frame.
        fps: frames per second, written exactly.
        target: the name for messages.

    Raises:
        OutputError: ffmpeg fails, or the frames are too small for the format.
    """
    first = next(frames)
    height, width = first.shape[:2]
    suffix = file.suffix.lower()
    if suffix == ".webm" and min(width, height) < 2:
        raise OutputError(
            f"{target}: WebM cannot hold frames of {width}×{height} pixels.", "Write .mp4."
        )
    halves = suffix == ".webm" or (width % 2 == 0 and height % 2 == 0)
    arguments = ["-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24"]
    arguments += ["-video_size", f"{width}x{height}"]
    arguments += ["-framerate", f"{fps.numerator}/{fps.denominator}", "-i", "pipe:0"]
    flags = "lanczos+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    pixel_format = "yuv420p" if halves else "yuv444p"
    arguments += ["-vf", f"scale=flags={flags}:out_color_matrix=bt709:out_range=tv"]
    arguments += ["-pix_fmt", pixel_format, "-colorspace", "bt709", "-color_range", "tv"]
    arguments += ["-color_primaries", "bt709", "-color_trc", "bt709"]
    arguments += [*_ENCODERS[suffix], "-fps_mode", "passthrough", f"file:{file}"]
    ffmpeg.feed(arguments, _bytes_of(first, frames), target)


def _bytes_of(first: Pixels, rest: Iterable[Pixels]) -> Iterator[memoryview]:
    yield np.ascontiguousarray(first).data.cast("B")
    for frame in rest:
        yield np.ascontiguousarray(frame).data.cast("B")
