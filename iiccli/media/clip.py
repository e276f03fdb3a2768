"""Clips: opening one of any kind, choosing frames, writing one.

The kinds live in `video`, `animation` and `frames`; this is the door to all of them.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from iiccli.atomic import atomic_folder, atomic_path, check_target
from iiccli.errors import InputError, UsageError
from iiccli.media.animation import AnimationClip, is_animation
from iiccli.media.animation_writing import ANIMATION_SUFFIXES, write_animation
from iiccli.media.fitting import Rule
from iiccli.media.frames import (
    STILL_SUFFIXES,
    FramesClip,
    frames_by_pattern,
    frames_in_folder,
    write_frames,
)
from iiccli.media.image import check_pixels
from iiccli.media.opening import DECODE_ERRORS, check_is_file, quiet
from iiccli.media.resize import Pixels
from iiccli.media.source import Clip, ClipInfo
from iiccli.media.timing import choose_frames, constant_rate, parse_time
from iiccli.media.video import VideoClip
from iiccli.media.video_writing import VIDEO_SUFFIXES, write_video

__all__ = [
    "ANIMATION_SUFFIXES",
    "CLIP_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Clip",
    "ClipInfo",
    "check_clip_target",
    "choose_frames",
    "is_clip_source",
    "is_clip_target",
    "open_clip",
    "parse_time",
    "write_clip",
]

CLIP_SUFFIXES = (*VIDEO_SUFFIXES, *ANIMATION_SUFFIXES)
"""The suffixes that `write_clip` knows; a target without a suffix is a folder of frames."""

_MAX_FPS = 1000
_WILDCARDS = "*?["
# Pillow recognises these, but only ffmpeg plays them.
_VIDEO_TO_PILLOW = ("MPEG", "FLI")


def open_clip(source: str | Path, rule: Rule | None = None) -> Clip:
    """Open a video, an animated picture, a folder of frames or a glob pattern of frames.

    A video is decoded once here, so that `info.frames` is exact.

    Args:
        source: one of these.
        rule: how still pictures of another size than the first one's are fitted to that; None
            refuses them.

    Raises:
        InputError: nothing is there, it is a single picture, it holds no video, none of it
            can be decoded, or its frames differ in size.
    """
    path = Path(source)
    name = str(source)
    if not _exists(path) and any(letter in name for letter in _WILDCARDS):
        return FramesClip(name, frames_by_pattern(name), rule)
    if path.is_dir():
        return FramesClip(name, frames_in_folder(path), rule)
    check_is_file(path)
    animated = _is_animation(path)
    if animated:
        return AnimationClip(path)
    if animated is False:
        raise InputError(
            f"{path} is a single picture, not a clip.",
            "Give a video, an animation, a folder of frames, or a pattern like 'shots/*.png'.",
        )
    return VideoClip(path)


def is_clip_source(source: str | Path) -> bool:
    """Tell cheaply whether `source` is meant as a clip rather than as one picture.

    A folder, a pattern, an animation, and any file that Pillow does not know are, unless it is
    called like a picture; a file that is missing is if its suffix is a clip's.
    """
    path = Path(source)
    if not _exists(path):
        name = str(source)
        return path.suffix.lower() in VIDEO_SUFFIXES or any(c in name for c in _WILDCARDS)
    if path.is_dir():
        return True
    animated = _is_animation(path)
    return path.suffix.lower() not in STILL_SUFFIXES if animated is None else animated


def is_clip_target(path: Path | str) -> bool:
    """Tell whether `write_clip` would write this target as a video, animation or folder."""
    return _is_folder_target(path) or Path(path).suffix.lower() in CLIP_SUFFIXES


def check_clip_target(target: Path | str, *, force: bool = False) -> None:
    """Refuse an impossible target before any work is done.

    Raises:
        UsageError: the suffix names no clip format.
        OutputExistsError: the target exists and `force` is false.
        OutputError: its folder cannot be written.
    """
    if not is_clip_target(target):
        raise UsageError(
            f"{Path(target).name} does not say which clip format to write.",
            f"Possible are {', '.join(CLIP_SUFFIXES)}, or a folder (no suffix).",
        )
    check_target(Path(target), force=force)


def write_clip(
    target: Path | str,
    frames: Iterable[Pixels],
    fps: Fraction,
    *,
    durations: Sequence[float] | None = None,
    force: bool = False,
) -> None:
    """Write a clip, whole or not at all, as the target's suffix says; frames are streamed.

    .mp4 .m4v .mov .mkv are H.264 and .webm is VP9, nearly lossless; .webp and .apng are
    lossless animations; .gif has 256 colours a frame; no suffix, or a slash at the end, is a
    folder of 0001.png, 0002.png, ... .

    Args:
        target: where to write. A `Path` drops a slash at the end; give a `str` to keep it.
        frames: (H, W, 3) uint8 RGB, all of one size, at least one.
        fps: frames per second; written exactly where the format can.
        durations: seconds for each frame, instead of `fps`. In a video, frames are repeated
            at a constant rate of at most 60 to keep this timing. A folder keeps no timing.
        force: replace what is there.

    Raises:
        UsageError: unknown suffix, no frames, frames that differ in size or are not RGB,
            a rate that is not within 0..1000, or durations that do not fit the frames.
        OutputExistsError: the target exists and `force` is false.
        OutputError: the system or ffmpeg refuses.
    """
    path = Path(target)
    check_clip_target(target, force=force)
    if not 0 < fps <= _MAX_FPS:
        raise UsageError(f"{float(fps):g} frames per second are impossible.", "Give 1 to 1000.")
    if durations is not None and not (durations and min(durations) > 0):
        raise UsageError("Every frame needs a duration above 0 seconds.")
    checked = _checked(frames, None if durations is None else len(durations))
    if _is_folder_target(target):
        with atomic_folder(path, force=force) as folder:
            write_frames(folder, checked)
        return
    with atomic_path(path, force=force) as temporary:
        if path.suffix.lower() in VIDEO_SUFFIXES:
            if durations is not None:
                fps, repeats = constant_rate(durations)
                checked = _repeated(checked, repeats)
            write_video(temporary, checked, fps, path)
            return
        write_animation(temporary, _timed(checked, 1 / fps, durations or ()))


def _is_folder_target(target: Path | str) -> bool:
    slashes = ("/",) if os.altsep is None else (os.sep, os.altsep)
    path = Path(target)
    return str(target).endswith(slashes) or not path.suffix or path.is_dir()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_animation(path: Path) -> bool | None:
    """Tell an animation from a still picture by its header; None if Pillow knows it as neither."""
    try:
        with quiet(), Image.open(path) as image:
            if image.format in _VIDEO_TO_PILLOW:
                return None
            return is_animation(image)
    except UnidentifiedImageError:
        return None
    except (*DECODE_ERRORS, Image.DecompressionBombError):
        return False


def _checked(frames: Iterable[Pixels], expected: int | None) -> Iterator[Pixels]:
    """Pass frames on; refuse an empty clip, a frame of another size, or a wrong number."""
    size: tuple[int, ...] | None = None
    number = 0
    for number, frame in enumerate(frames, start=1):
        check_pixels(frame)
        if size is not None and frame.shape != size:
            raise UsageError(
                f"Frame {number} is {frame.shape[1]}×{frame.shape[0]}, the ones before are "
                f"{size[1]}×{size[0]}.",
                "All frames of a clip must have one size.",
            )
        size = frame.shape
        yield frame
    if number == 0:
        raise UsageError("A clip needs at least one frame.")
    if expected is not None and number != expected:
        raise UsageError(f"There are {number} frames, but {expected} durations.")


def _timed(
    frames: Iterator[Pixels], usual: Fraction, durations: Sequence[float]
) -> Iterator[tuple[Pixels, Fraction]]:
    # Not `zip`: it would drop a frame too many before `_checked` could complain.
    exact = (Fraction(seconds).limit_denominator(120_000) for seconds in durations)
    for frame in frames:
        yield frame, next(exact, usual)


def _repeated(frames: Iterator[Pixels], repeats: Sequence[int]) -> Iterator[Pixels]:
    times = iter(repeats)
    for frame in frames:
        yield from itertools.repeat(frame, next(times, 1))
