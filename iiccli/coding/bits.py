"""Whole numbers of few bits into an array of bits and back, vectorised."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
"""One bit an element, 0 or 1."""

Ints = npt.NDArray[np.int64]


def put(bits: Bits, positions: Ints, values: Ints, widths: Ints) -> None:
    """Write each value, most significant bit first, at its position.

    Args:
        bits: written in place.
        positions: (n,) first bit of each value.
        values: (n,) in 0 .. 2^width - 1.
        widths: (n,) 0 writes nothing.
    """
    for j in range(int(widths.max(initial=0))):
        chosen = widths > j
        shift = widths[chosen] - 1 - j
        bits[positions[chosen] + j] = (values[chosen] >> shift) & 1


def get(bits: Bits, positions: Ints, widths: Ints) -> Ints:
    """Read what `put` wrote; bits past the end count as 0."""
    values = np.zeros(len(positions), np.int64)
    last = len(bits) - 1
    for j in range(int(widths.max(initial=0))):
        chosen = np.flatnonzero(widths > j)
        place = positions[chosen] + j
        bit = np.where(place <= last, bits[np.minimum(place, last)], 0)
        values[chosen] = 2 * values[chosen] + bit
    return values


class Writer:
    """Collects fields for a short run of bits."""

    def __init__(self) -> None:
        self._values: list[int] = []
        self._widths: list[int] = []

    def add(self, value: int, width: int) -> None:
        """Append one field."""
        self._values.append(value)
        self._widths.append(width)

    def extend(self, values: Ints, width: int) -> None:
        """Append fields of equal width."""
        self._values.extend(values.tolist())
        self._widths.extend([width] * len(values))

    def bits(self) -> Bits:
        """All fields, one after the other."""
        widths = np.array(self._widths, np.int64)
        ends = np.cumsum(widths)
        result = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
        put(result, ends - widths, np.array(self._values, np.int64), widths)
        return result


class Reader:
    """Takes fields from a run of bits; past the end everything is 0."""

    def __init__(self, bits: Bits, position: int = 0) -> None:
        self._bits = bits
        self.position = position

    def take(self, width: int) -> int:
        """The next field."""
        return int(self.take_many(1, width)[0])

    def take_many(self, count: int, width: int) -> Ints:
        """The next `count` fields of equal width, (count,)."""
        run = self._bits[self.position : self.position + count * width]
        self.position += count * width
        if len(run) < count * width:
            run = np.concatenate((run, np.zeros(count * width - len(run), np.uint8)))
        weights = 1 << np.arange(width - 1, -1, -1, dtype=np.int64)
        return run.reshape(count, width).astype(np.int64) @ weights


def checksum(*runs: Bits) -> int:
    """Sixteen bits of CRC-32 over runs of bits."""
    value = 0
    for run in runs:
        value = zlib.crc32(np.packbits(run).tobytes(), value)
    return value & 0xFFFF


def to_symbols(bits: Bits, widths: Ints) -> Ints:
    """Cut a run of bits into whole numbers of the given widths, in Gray code.

    Neighbouring numbers, also the last and the first, differ in one bit: a sample that is off by
    one costs one bit.
    """
    ends = np.cumsum(widths)
    gray = get(bits, ends - widths, widths)
    number = gray.copy()
    shift = 1
    while shift < 8:
        number ^= number >> shift
        shift *= 2
    return number


def from_symbols(numbers: Ints, widths: Ints) -> Bits:
    """Undo `to_symbols`."""
    ends = np.cumsum(widths)
    bits = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    put(bits, ends - widths, numbers ^ (numbers >> 1), widths)
    return bits
