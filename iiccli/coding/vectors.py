"""Motion vectors of a block: predicted from their neighbours, the rest in Rice codes.

Each component of each picture is a *group* of whole numbers on a grid. A number is predicted from
those to the left, above and above left (the median edge detector of LOCO-I: Weinberger, Seroussi,
Sapiro 2000); what remains is written as a quotient, in unary, and k plain bits (Rice 1979).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Writer

Small = npt.NDArray[np.int16]

_FIELD = 4
_STILL = 2**_FIELD - 1
"""In place of k: the whole group is 0."""
_LARGEST = 2047


def write_vectors(values: Small) -> Bits:
    """Write groups of numbers in ±2047, (groups, rows, columns)."""
    parts = []
    rests = _zigzag(_residuals(values.astype(np.int64))).reshape(len(values), -1)
    for group, rest in zip(values, rests, strict=True):
        writer = Writer()
        if not group.any():
            writer.add(_STILL, _FIELD)
            parts.append(writer.bits())
            continue
        lengths = [int((rest >> k).sum()) + len(rest) * (k + 1) for k in range(12)]
        k = int(np.argmin(lengths))
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
        window = bits[place : place + count * (2 * _LARGEST + 2)]
        ends = _first_ones(window, count)
        ends = np.concatenate((ends, np.full(count - len(ends), len(window))))
        place += int(ends[-1]) + 1
        quotient = np.diff(ends, prepend=-1) - 1
        plain = bits[place : place + count * k]
        plain = np.concatenate((plain, np.zeros(count * k - len(plain), np.uint8)))
        weights = 1 << np.arange(k - 1, -1, -1, dtype=np.int64)
        low = plain.reshape(count, k).astype(np.int64) @ weights
        rest[:] = (np.clip(quotient, 0, 4 * _LARGEST) << k) + low
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


def _zigzag(values: Ints) -> Ints:
    """Whole numbers as natural ones: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


def _residuals(values: Ints) -> Ints:
    left = np.pad(values, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    above = np.pad(values, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    corner = np.pad(values, ((0, 0), (1, 0), (1, 0)))[:, :-1, :-1]
    left[:, 1:, 0], above[:, 0, 1:] = above[:, 1:, 0], left[:, 0, 1:]
    corner[:, 0], corner[:, :, 0] = left[:, 0], above[:, :, 0]
    return values - _predicted(left, above, corner)


def _predicted(left: Ints, above: Ints, corner: Ints) -> Ints:
    low, high = np.minimum(left, above), np.maximum(left, above)
    guess: Ints = np.clip(left + above - corner, low, high)
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
            own = _predicted(left, above, corner) + rests[:, y, x]
            values[:, y + 1, x + 1] = np.clip(own, -_LARGEST, _LARGEST)
    return values[:, 1:, 1:]
