"""Times as people write them, and which frames of a clip to take."""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Sequence
from fractions import Fraction

from iiccli.errors import UsageError
from iiccli.media.source import ClipInfo

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?|[.,]\d+)\s*s?", re.ASCII)
_MAX_RATE = 60


def parse_time(text: str) -> float:
    """Return seconds from "62.5", "62.5s", "1:02.5" or "00:01:02,5".

    Raises:
        UsageError: it is none of these.
    """
    match = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = match.groups() if match else (None, None, None)
    value = float(seconds.replace(",", ".")) if seconds else math.nan
    carried = (minutes and value >= 60) or (hours and int(minutes or 0) >= 60)
    if not match or carried:
        raise UsageError(
            f"{text!r} is not a time.", "Write seconds (62.5) or minutes and seconds (1:02.5)."
        )
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + value


def choose_frames(
    info: ClipInfo,
    count: int,
    *,
    start: float | None = None,
    end: float | None = None,
    every: int | None = None,
) -> list[int]:
    """Return `count` increasing frame numbers out of the part from `start` to `end`.

    The part begins with the frame that is on show at `start` seconds and ends with the one on
    show at `end`; without them it is the whole clip. With `every`, frames `every` apart are
    taken from its beginning on; without, they are spread evenly, its first and its last frame
    included.

    Raises:
        UsageError: times out of order or beyond the clip, too few frames in the part, or
            `count` or `every` less than 1.
    """
    if count < 1:
        raise UsageError(f"{count} frames cannot be taken.", "Give 1 or more.")
    if every is not None and every < 1:
        raise UsageError(f"A step of {every} frames is impossible.", "Give 1 or more.")
    first = 0 if start is None else _frame_at(info, start)
    last = info.frames - 1 if end is None else min(_frame_at(info, end), info.frames - 1)
    if first >= info.frames:
        raise UsageError(
            f"The start, {start:g} s, is beyond the clip's end.",
            f"The clip is {info.seconds:.2f} s long.",
        )
    if start is not None and end is not None and end < start:
        raise UsageError(f"The end, {end:g} s, comes before the start, {start:g} s.")
    there = last - first + 1
    needed = count if every is None else (count - 1) * every + 1
    if there < needed:
        step = "" if every in (None, 1) else f" at every {every}"
        raise UsageError(
            f"{count} frames{step} need {needed} in the chosen part, which has {there}.",
            "Choose a longer part, or a smaller step.",
        )
    if every is not None:
        return [first + index * every for index in range(count)]
    if count == 1:
        return [first]
    # Integer arithmetic rounds halves the same way everywhere.
    return [first + (2 * i * (there - 1) + count - 1) // (2 * (count - 1)) for i in range(count)]


def constant_rate(durations: Sequence[float]) -> tuple[Fraction, list[int]]:
    """Lay frames of uneven `durations` (seconds) on a constant rate of at most 60 per second.

    Returns:
        The rate, and how often each frame is to be repeated (1 or more).
    """
    thousandths = [max(1, round(seconds * 1000)) for seconds in durations]
    rate = min(Fraction(1000, math.gcd(*thousandths)), Fraction(_MAX_RATE))
    edges = [0, *(round(end * rate / 1000) for end in itertools.accumulate(thousandths))]
    repeats: list[int] = []
    laid = 0
    for edge in edges[1:]:
        repeats.append(max(1, edge - laid))
        laid += repeats[-1]
    return rate, repeats


def _frame_at(info: ClipInfo, seconds: float) -> int:
    """Number the frame on show at a time; `info.frames` or more if that is after the last."""
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(f"{seconds:g} s is not a time within a clip.")
    if info.durations is None:
        # The nudge makes 0.7 s at 10 frames a second frame 7, though 0.7 * 10 < 7 in floats.
        return math.floor(seconds * info.fps + 1e-6)
    ends = list(itertools.accumulate(info.durations))
    return bisect.bisect_right(ends, seconds + 1e-6)
