"""Levels of quantisation: as fine as there is room for."""

from __future__ import annotations

import math
from collections.abc import Callable

from iiccli.coding.contexts import UNIT
from iiccli.inference.adaptive.stream import NOTHING

LEVEL_LOW = -12 * UNIT
"""Level 0 of a head: a quantiser's step of 2^-12 of the full range."""

LEVEL_HIGH = LEVEL_LOW + NOTHING - 1

FINEST = -10 * UNIT
"""The finest level that is written: a quarter of a grey level. More would only cost the cover."""

USUAL = -11 * UNIT // 2
"""What is taken for likely where nothing is known: between what stills and clips come to."""

_FURTHEST = 256
"""The second level is no further from the first: that the rate falls as usual is not known yet."""

FALL = 0.0022
"""By how much the logarithm of the rate falls from a level to the next coarser one, usually."""


def search(
    rate: Callable[[int], float],
    room: float,
    guess: int | None,
    close: float,
    fall: float = FALL,
) -> tuple[int | None, float]:
    """Find a level whose rate is within `room`, and hardly less.

    By secants of the rate's logarithm, which is nearly straight, kept in a bracket.

    Args:
        rate: bits at a level; less at a coarser one.
        room: bits that there are.
        guess: where to begin.
        close: a level that uses this share of the room is taken.
        fall: of the logarithm from a level to the next near the guess.

    Returns:
        The level, None where nothing fits; and the fall there.
    """
    if room <= 0:
        return None, fall
    low, high = FINEST - 1, LEVEL_HIGH + 1  # too fine; coarse enough, or nothing
    level = USUAL if guess is None else guess
    usual = fall
    # Aim a little below the room: a level that just does not fit is a waste.
    aim = math.log((1 + close) / 2)
    found: dict[int, float] = {}
    while high - low > 1:
        level = min(max(level, low + 1), high - 1)
        used = found[level] = math.log(max(rate(level), 1.0) / room)
        if used <= 0:
            high = level
            # Of rates near together the next finer one may be known not to fit.
            if used >= math.log(close) or used + _fall(found, usual) > 0:
                break
        else:
            low = level
        if low in found and high in found:
            level = round(_between(found, low, high, aim))
        else:
            # A little further than a secant says, so that the other side is reached.
            steep = fall if len(found) == 1 else 0.9 * _fall(found, usual)
            way = round((used - aim) / steep) or (1 if used > 0 else -1)
            most = _FURTHEST if len(found) == 1 else LEVEL_HIGH - LEVEL_LOW
            level += min(max(way, -most), most)
    return high if high <= LEVEL_HIGH else None, _fall(found, usual)


def _between(found: dict[int, float], low: int, high: int, aim: float) -> float:
    """Where the logarithm is `aim`, between two levels: by the curve through the three nearest.

    Of two that are known it is a line. (Inverse quadratic interpolation: R. P. Brent, Algorithms
    for minimization without derivatives, 1973.)
    """
    near = sorted(found, key=lambda level: abs(found[level] - aim))[:3]
    values = [found[level] for level in near]
    if len(set(values)) == 3 and {low, high} <= set(near):
        total = 0.0
        for level, own in zip(near, values, strict=True):
            others = [value for value in values if value != own]
            weights = [(aim - other) / (own - other) for other in others]
            total += level * math.prod(weights)
        if low < total < high:
            return total
    return low + (high - low) * (found[low] - aim) / max(found[low] - found[high], 1e-9)


def _fall(found: dict[int, float], usual: float) -> float:
    """How steeply the logarithm falls between the two levels that are nearest to the room.

    Where only one is known, as `usual`; rates that hardly differ tell nothing.
    """
    first, *others = sorted(found, key=lambda level: abs(found[level]))
    if not others:
        return usual
    low, high = sorted((first, others[0]))
    return max((found[low] - found[high]) / (high - low), usual / 8)
