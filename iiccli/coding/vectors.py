"""Motion vectors of a block: predicted from their neighbours, the rest in Rice codes.

Each component of each picture is a *group* of whole numbers on a grid. A number is predicted from
those to the left, above and above left (the median edge detector of LOCO-I: Weinberger, Seroussi,
Sapiro 2000); what remains is written as a quotient, in unary, and k plain bits (Rice 1979).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Writer

Small = npt.NDArray[np.int16]
Whole = TypeVar("Whole", bound=np.integer)

STILL_BITS = 4
"""A group of zeros takes no more."""

_FIELD = STILL_BITS
_STILL = 2**_FIELD - 1
"""In place of k: the whole group is 0."""
PARAMETERS = range(12)
"""What k may be."""

LARGEST = 2047
"""Numbers are within ± this."""


def write_vectors(values: Small) -> Bits:
    """Write groups of numbers in ±2047, (groups, rows, columns)."""
    parts = []
    rests = zigzag(_residuals(values.astype(np.int64))).reshape(len(values), -1)
    for group, rest in zip(values, rests, strict=True):
        writer = Writer()
        if not group.any():
            writer.add(_STILL, _FIELD)
            parts.append(writer.bits())
            continue
        k = int(rice_of(np.array([(rest >> k).sum() for k in PARAMETERS]), len(rest))[0])
        writer.add(k, _FIELD)
        quotient = rest >> k
        unary = np.zeros(int(quotient.sum()) + len(rest), np.uint8)
        unary[np.cumsum(quotient + 1) - 1] = 1
        plain = rest[:, None] >> np.arange(k - 1, -1, -1, dtype=np.int64) & 1
        parts += [writer.bits(), unary, plain.astype(np.uint8).ravel()]
    return np.concatenate([np.zeros(0, np.uint8), *parts])


def read_vectors(bits: Bits, shape: tuple[int, int, int]) -> tuple[Small, int]:
    """Read what `write_vectors` wrote, at the beginning of `bits`.

    Returns:
        (groups, rows, columns), and how many bits it took. Damaged input gives numbers in range
        all the same.
    """
    groups, rows, columns = shape
    count = rows * columns
    rests = np.zeros((groups, count), np.int64)
    place = 0
    for rest in rests:
        k = _number(bits[place : place + _FIELD])
        place += _FIELD
        if k == _STILL:
            continue
        window = bits[place : place + count * (2 * LARGEST + 2)]
        ends = _first_ones(window, count)
        ends = np.concatenate((ends, np.full(count - len(ends), len(window))))
        place += int(ends[-1]) + 1
        quotient = np.diff(ends, prepend=-1) - 1
        plain = bits[place : place + count * k]
        plain = np.concatenate((plain, np.zeros(count * k - len(plain), np.uint8)))
        weights = 1 << np.arange(k - 1, -1, -1, dtype=np.int64)
        low = plain.reshape(count, k).astype(np.int64) @ weights
        rest[:] = (np.clip(quotient, 0, 4 * LARGEST) << k) + low
        place += count * k
    still = ~rests.any(1)
    signed = np.where(rests & 1, -(rests + 1) // 2, rests // 2).reshape(shape)
    values = _undone(signed)
    values[still] = 0
    return values.astype(np.int16), place


def _first_ones(window: Bits, count: int) -> Ints:
    """Where the first `count` ones are; nearly always they are close to the beginning."""
    size = 8 * count
    while True:
        found: Ints = np.flatnonzero(window[:size])[:count]
        if len(found) == count or size >= len(window):
            return found
        size *= 8


def _number(bits: Bits) -> int:
    return int("".join(map(str, bits.tolist())) or "0", 2)


def rice_of(
    sums: npt.NDArray[Whole], counts: npt.NDArray[Whole] | int
) -> tuple[Ints, npt.NDArray[Whole]]:
    """The k with which numbers take least, and how many bits.

    Args:
        sums: of each k in `PARAMETERS` (the first axis), of all numbers >> k.
        counts: how many numbers there are.
    """
    k = np.array(PARAMETERS).reshape(-1, *[1] * (sums.ndim - 1))
    lengths = sums + counts * (k + 1)
    return lengths.argmin(0), lengths.min(0)


def zigzag(values: npt.NDArray[Whole]) -> npt.NDArray[Whole]:
    """Whole numbers as natural ones: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


def _residuals(values: Ints) -> Ints:
    left = np.pad(values, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    above = np.pad(values, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    corner = np.pad(values, ((0, 0), (1, 0), (1, 0)))[:, :-1, :-1]
    left[:, 1:, 0], above[:, 0, 1:] = above[:, 1:, 0], left[:, 0, 1:]
    corner[:, 0], corner[:, :, 0] = left[:, 0], above[:, :, 0]
    return values - median_edge(left, above, corner)


def median_edge(
    left: npt.NDArray[Whole], above: npt.NDArray[Whole], corner: npt.NDArray[Whole]
) -> npt.NDArray[Whole]:
    """What neighbours say of a number: where there is an edge, the one on this side of it."""
    low, high = np.minimum(left, above), np.maximum(left, above)
    guess: npt.NDArray[Whole] = np.clip(left + above - corner, low, high)
    return guess


def _undone(rests: Ints) -> Ints:
    """Undo `_residuals`, number by number over all groups."""
    groups, rows, columns = rests.shape
    values = np.zeros((groups, rows + 1, columns + 1), np.int64)
    for y in range(rows):
        for x in range(columns):
            left, above, corner = values[:, y + 1, x], values[:, y, x + 1], values[:, y, x]
            if y == 0:
                above = corner = left
            elif x == 0:
                left = corner = above
            own = median_edge(left, above, corner) + rests[:, y, x]
            values[:, y + 1, x + 1] = np.clip(own, -LARGEST, LARGEST)
    return values[:, 1:, 1:]
