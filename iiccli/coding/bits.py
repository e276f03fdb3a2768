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


class Packed:
    """Bits to be read from many places at once; past the end they count as 0.

    Args:
        bits: as `put` wrote them.
    """

    WIDEST = 57
    """Bits of a value at most: those of a word that any bit of its first byte may begin."""

    def __init__(self, bits: Bits) -> None:
        packed = np.packbits(bits)
        self._last = len(packed)
        padded = np.concatenate((packed, np.zeros(8, np.uint8))).astype(np.uint64)
        # The eight bytes from each byte on, the first of them in front.
        self._words = np.zeros(self._last + 1, np.uint64)
        for k in range(8):
            self._words |= padded[k : k + self._last + 1] << np.uint64(56 - 8 * k)

    def get(self, positions: Ints, widths: Ints) -> Ints:
        """Read what `put` wrote.

        Args:
            positions: (n,) first bit of each value.
            widths: (n,) at most `WIDEST`; 0 gives 0.
        """
        words = self._words[np.minimum(positions >> 3, self._last)]
        words = words << (positions & 7).astype(np.uint64)
        values = words >> (64 - np.maximum(widths, 1)).astype(np.uint64)
        return np.where(widths > 0, values.astype(np.int64), 0)


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
    gray: Ints = Packed(bits).get(ends - widths, widths)
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
