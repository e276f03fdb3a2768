"""A region's samples as runs of bits: a head for each block, and a pool that all blocks share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Writer, checksum
from iiccli.coding.digits import capacity
from iiccli.coding.layout import Block, Region, Span
from iiccli.coding.runs import Mask, Numbers, Runs

CHECK, OFFSET, LEVEL = 16, 26, 12
HEAD_BITS = CHECK + OFFSET + LEVEL

NOTHING = 2**LEVEL - 1
"""Level of a block that carries nothing."""


def head(offset: int, level: int, payload: Bits) -> Bits:
    """A block's head: check sum over all else, where its payload begins in the pool, its level."""
    writer = Writer()
    writer.add(offset, OFFSET)
    writer.add(level, LEVEL)
    rest = writer.bits()
    check = Writer()
    check.add(checksum(rest, payload), CHECK)
    return np.concatenate((check.bits(), rest))


class Stream:
    """Maps between the samples of a region and its heads and pool.

    Each block's samples are taken channel by channel, in raster order; so many at a time as hold
    whole bits together (`coding.digits`). The first `HEAD_BITS` bits of a block are its head, the
    others join the pool. A block without room for a head carries nothing.

    Args:
        region: where.
        free: (h, w, c) of the region: samples that may carry message.
        moduli: of the c channels.
    """

    def __init__(self, region: Region, free: Mask, moduli: Sequence[int]) -> None:
        index = np.arange(free.size).reshape(free.shape)
        runs: list[tuple[Ints, int]] = []
        # Samples of one channel of one block, and their modulus.
        starts, ends, place = [], [], 0
        for block in region.blocks:
            rows, columns = within(block.pixels, region.pixels)
            starts.append(place)
            for channel, q in enumerate(moduli):
                chosen = free[rows, columns, channel]
                samples = index[rows, columns, channel][chosen]
                runs.append((samples, q))
                place += capacity(len(samples), q)
            ends.append(place)
        self._starts = np.array(starts, np.int64)
        self.headed: Mask = np.greater(np.array(ends) - self._starts, HEAD_BITS)
        """Which blocks carry something."""
        pool = np.ones(place, bool)
        for start in self._starts[self.headed].tolist():
            pool[start : start + HEAD_BITS] = False
        carrying = np.repeat(self.headed, np.array(ends) - self._starts)
        self._pool = np.flatnonzero(pool & carrying)
        self._runs = Runs(free.shape, runs)

    @property
    def room(self) -> int:
        """Bits of the pool."""
        return len(self._pool)

    def write(self, heads: Sequence[Bits], payloads: Sequence[Bits]) -> tuple[Numbers, Mask]:
        """Fill the samples.

        Args:
            heads: of the blocks that carry something.
            payloads: what the pool begins with; together at most `room`.

        Returns:
            (h, w, c) numbers in 0..q-1, and which samples carry one; the others are free to keep
            the cover's own value.
        """
        stream = np.zeros(self._runs.bits, np.uint8)
        filled = np.zeros(self._runs.bits, bool)
        content = np.concatenate([np.zeros(0, np.uint8), *payloads])
        own = self._pool[: len(content)]
        stream[own], filled[own] = content, True
        for start, bits in zip(self._starts[self.headed].tolist(), heads, strict=True):
            stream[start : start + HEAD_BITS] = bits
            filled[start : start + HEAD_BITS] = True
        return self._runs.write(stream, filled)

    def read(self, numbers: npt.NDArray[np.integer]) -> tuple[list[Bits], Bits]:
        """Undo `write`: heads of the blocks that carry something, and the whole pool."""
        stream = self._runs.read(numbers)
        heads = [stream[s : s + HEAD_BITS] for s in self._starts[self.headed].tolist()]
        return heads, stream[self._pool]


def within(inner: Span, outer: Span) -> tuple[slice, slice]:
    """Rows and columns of one rectangle counted from another's corner."""
    return (
        slice(inner.top - outer.top, inner.bottom - outer.top),
        slice(inner.left - outer.left, inner.right - outer.left),
    )


def cell_blocks(region: Region) -> npt.NDArray[np.int64]:
    """Number of each cell's block, (rows, columns) of the region's cells."""
    numbers = np.zeros(region.cells.shape, np.int64)
    for number, block in enumerate(region.blocks):
        numbers[block.cells.slices] = number
    return numbers


__all__ = ["Block", "Stream", "cell_blocks", "head", "within"]
