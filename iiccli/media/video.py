"""Clips in anything that ffmpeg decodes.

A video is decoded once when it is opened, only for the times of its frames: no container
tells reliably how many frames a decoder will deliver. From these times comes a plan: which
decoded frame is on show at each tick of a constant rate. Reading decodes again and picks by
that plan, so the count is exact by construction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from iiccli.errors import InputError
from iiccli.limits import check_size
from iiccli.media import ffmpeg
from iiccli.media.resize import Pixels, fitted_size
from iiccli.media.source import Clip, ClipInfo

Times = np.ndarray[Any, np.dtype[np.float64]]
Order = np.ndarray[Any, np.dtype[np.intp]]

# ffmpeg "reads" these as video too: ANSI art and anything that ends in .txt.
_NOT_VIDEO = ("tty", "bin", "xbin", "adf", "idf", "image2")
# Lists of other files: what is read has to be in the file that was given.
_LISTS = ("concat", "hls", "dash", "webm_dash_manifest", "imf", "sdp", "rtsp")
_SCRIPTS = (".avs", ".vpy")  # ffmpeg would run them, where it can
_Y4M = re.compile(rb"YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+) I. A(\d+):(\d+)")
_TOO_LARGE = re.compile(r"[Pp]icture size (\d+)x(\d+) (?:exceeds|is invalid)")
_PIXEL_FORMAT = re.compile(r" fmt:(\w+)")
_COLOUR = re.compile(r"color_space:(\w+).*color_trc:([\w-]+)")
_HDR = ("smpte2084", "arib-std-b67")
_MAX_TERMS = 64  # of a select expression; beyond, frames are dropped on this side of the pipe
_FALLBACK_RATE = Fraction(25)
_SHORTEST = 0.001
_MAX_RATE = 1000


@dataclass(frozen=True)
class _Stream:
    """What the first decoded frame tells: size in square pixels, nominal rate, colour matrix."""

    size: tuple[int, int]
    rate: Fraction
    matrix: str
    notes: tuple[str, ...]


class VideoClip(Clip):
    """A clip that ffmpeg decodes; turned upright, with square pixels.

    At a constant rate where its times fit one, else every frame with its own duration.
    """

    def __init__(self, path: Path) -> None:
        stream = _probe(path)
        times, last, complaints = _frame_times(path)
        timing = plan(times, last, stream.rate)
        self._order = timing.order
        notes = list(stream.notes)
        if timing.note:
            notes.append(timing.note)
        if complaints:
            notes.append(f"parts of the video are damaged ({complaints[0]})")
        info = ClipInfo(
            size=stream.size,
            frames=len(self._order),
            fps=timing.fps,
            kind="video",
            durations=timing.durations,
        )
        super().__init__(str(path), info, tuple(notes))
        self._path = path
        self._matrix = stream.matrix

    def _frames(self, wanted: list[int], max_side: int | None) -> Iterator[Pixels]:
        width, height = fitted_size(self.info.size, max_side)
        decoded = [int(self._order[index]) for index in wanted]
        distinct = sorted(set(decoded))
        selection, delivered = _selection(distinct)
        flags = "lanczos+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
        filters = (
            f"select='{selection}',"
            f"scale={width}:{height}:flags={flags}:in_color_matrix={self._matrix},"
            "format=rgb24"
        )
        arguments = ["-v", "error", *ffmpeg.input_options(self._path), "-map", "0:V:0"]
        arguments += ["-vf", filters, "-fps_mode", "passthrough"]
        arguments += ["-frames:v", str(len(delivered)), "-f", "rawvideo", "pipe:1"]
        with ffmpeg.reading(arguments) as (pipe, complaints):
            arriving = iter(delivered)
            current = -1
            frame: Pixels | None = None
            for number in decoded:
                while current != number:
                    data = pipe.read(width * height * 3)
                    if len(data) < width * height * 3:
                        said = ffmpeg.lines_of(complaints)
                        raise InputError(
                            f"{self.source} ends before frame {number}"
                            + (f": {said[-1]}" if said else "."),
                            "Has it changed since it was opened?",
                        )
                    current = next(arriving)
                    frame = np.frombuffer(data, np.uint8).reshape(height, width, 3)
                assert frame is not None
                yield frame.copy()  # a writable array of its own, also where a frame repeats


@dataclass(frozen=True)
class Timing:
    """When which decoded frame is shown.

    Attributes:
        fps: the constant rate, or the average of a variable one.
        order: for each frame of the clip, which decoded frame it is.
        note: for the user; empty where there is nothing to say.
        durations: seconds of each frame where the rate varies, else None.
    """

    fps: Fraction
    order: Order
    note: str = ""
    durations: tuple[float, ...] | None = None


def plan(times: Times, last: float, nominal: Fraction) -> Timing:
    """Lay decoded frames on a constant rate if their times fit one.

    Args:
        times: when each decoded frame appears, in seconds, not decreasing, at least one.
        last: seconds that the last frame is shown, or 0 where unknown.
        nominal: the rate that the stream claims, in frames per second.

    """
    count = len(times)
    everyone = np.arange(count, dtype=np.intp)
    offsets = times - times[0]
    if count == 1:
        return Timing(nominal if nominal <= 240 else _FALLBACK_RATE, np.zeros(1, np.intp))
    ticks = offsets * float(nominal)
    slots = np.rint(ticks).astype(np.intp)
    fits = bool(np.all(np.abs(ticks - slots) < 0.25)) and bool(np.all(np.diff(slots) > 0))
    total = int(slots[-1]) + 1
    if fits and total == count:
        return Timing(nominal, everyone)
    if fits and count >= 0.9 * total:
        # A camera or recorder that dropped some frames: hold the one before in each gap.
        order = np.searchsorted(slots, np.arange(total), side="right") - 1
        filled = f"{total - count} missing frames were filled by the one before"
        return Timing(nominal, order, filled)

    span = float(offsets[-1])
    if span <= 0:
        return Timing(_FALLBACK_RATE, everyone, "the frames carry no times")
    steady = Fraction((count - 1) / span).limit_denominator(1001)
    if 0 < steady <= _MAX_RATE:
        drift = np.abs(offsets * float(steady) - np.arange(count))
        if bool(np.all(drift < 0.5)):
            # Jittery times, as phones write them, around a steady rate.
            return Timing(steady, everyone)
    final = last if last > 0 else span / (count - 1)
    durations = np.maximum(np.append(np.diff(offsets), final), _SHORTEST)
    average = Fraction(count / float(durations.sum())).limit_denominator(1001)
    average = min(max(average, Fraction(1, 1001)), Fraction(_MAX_RATE))
    return Timing(
        average,
        everyone,
        f"a variable frame rate, {float(average):.4g} fps on average: frames keep their times",
        tuple(durations.tolist()),
    )


def _probe(path: Path) -> _Stream:
    """Decode one frame: a YUV4MPEG header tells upright size and rate as exact fractions.

    Raises:
        InputError: ffmpeg finds no video in the file, or cannot decode any of it.
    """
    if path.suffix.lower() in _SCRIPTS:
        raise InputError(f"{path} is a script, which is not run.", "Give a video.")
    arguments = ["-v", "info", *ffmpeg.input_options(path), "-map", "0:V:0", "-vf", "showinfo"]
    arguments += ["-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"]
    _, output, said = ffmpeg.read_all(arguments)
    header = _Y4M.match(output[:200])
    opened = next((line for line in said if line.startswith("Input #0")), "")
    formats = opened.removeprefix("Input #0, ").split(", from")[0].split(",")
    if opened and formats[0] in _LISTS:
        raise InputError(
            f"{path} is no video, but a list of other files, which are not read.", "Give a video."
        )
    if opened and (formats[0] in _NOT_VIDEO or formats[0].endswith("_pipe")):
        raise InputError(
            f"{path} is not a video.", "Give a video, an animation, or a folder of frames."
        )
    if header is None:
        raise _probe_error(path, bool(opened), said)
    width, height, numerator, denominator, across, down = map(int, header.groups())
    notes: list[str] = []
    if across and down and across != down:
        # Enlarge the side that is too short, so that no detail is lost.
        if across > down:
            width = max(1, round(width * across / down))
        else:
            height = max(1, round(height * down / across))
        notes.append(f"pixels of {across}:{down} made square")
    check_size(path, width, height)
    text = "\n".join(said)
    colour = _COLOUR.search(text)
    space, transfer = colour.groups() if colour else ("unknown", "unknown")
    pixel_format = _PIXEL_FORMAT.search(text)
    if pixel_format and re.match(r"(yuva|rgba|argb|abgr|bgra|gbrap|ya\d)", pixel_format[1]):
        notes.append("the video's transparency was left out")
    if transfer in _HDR:
        notes.append("HDR video was read without tone mapping; its colours will look flat")
    # Untagged video is by custom BT.709 when high-definition and BT.601 below.
    matrix = "auto"
    if space == "unknown":
        matrix = "bt709" if max(width, height) >= 1280 or min(width, height) >= 720 else "bt601"
    rate = Fraction(numerator, denominator) if numerator and denominator else _FALLBACK_RATE
    return _Stream((width, height), rate, matrix, tuple(notes))


def _probe_error(path: Path, recognised: bool, said: list[str]) -> InputError:
    """Choose the sentence for a file of which no frame could be decoded."""
    if any("matches no streams" in line for line in said):
        return InputError(f"{path} has no video in it.", "It may hold sound only.")
    for line in said:
        if found := _TOO_LARGE.search(line):
            check_size(path, *map(int, found.groups()))
    if any("moov atom not found" in line for line in said):
        return InputError(f"{path} is incomplete: its index is missing.", "Fetch it anew.")
    if recognised:
        return InputError(f"{path}: none of its frames can be decoded.", "It may be damaged.")
    return InputError(
        f"{path} is neither a video nor a picture that can be read.",
        "Give a video, an animation, or a folder of frames.",
    )


def _frame_times(path: Path) -> tuple[Times, float, list[str]]:
    """Decode the whole stream; return frame times, the last one's length, and complaints.

    Raises:
        InputError: not one frame could be decoded.
    """
    # The loop filter changes pixels, never their number; and a corner of a frame is enough.
    arguments = ["-v", "error", "-noautorotate", "-skip_loop_filter", "all"]
    arguments += [*ffmpeg.input_options(path), "-map", "0:V:0"]
    arguments += ["-vf", r"crop=min(iw\,16):min(ih\,16):0:0", "-fps_mode", "passthrough"]
    arguments += ["-enc_time_base", "demux", "-f", "framecrc", "pipe:1"]
    _, output, said = ffmpeg.read_all(arguments)
    base = Fraction(1)
    stamps: list[int] = []
    length = 0
    for line in output.decode("ascii", "replace").splitlines():
        if line.startswith("#tb 0:"):
            base = Fraction(line.removeprefix("#tb 0:").strip())
        elif not line.startswith("#"):
            fields = line.split(",")
            stamps.append(int(fields[2]))
            length = int(fields[3])
    if not stamps:
        raise InputError(f"{path}: none of its frames can be decoded.", "It may be damaged.")
    times = np.maximum.accumulate(np.array(stamps, np.float64)) * float(base)
    return times, length * float(base), said


def _selection(numbers: list[int]) -> tuple[str, list[int]]:
    """Return a select expression for the decoded frames `numbers`, and what it will deliver."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if len(runs) > _MAX_TERMS:
        runs = [[numbers[0], numbers[-1]]]
    expression = "+".join(f"between(n\\,{first}\\,{last})" for first, last in runs)
    return expression, [n for first, last in runs for n in range(first, last + 1)]
