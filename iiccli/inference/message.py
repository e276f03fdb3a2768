"""Coefficients as whole numbers mod q, and back: one region of a picture at a time.

Each block's head (check sum, offset, water level) stands at the block's own first samples. What
is behind the heads is the region's pool of bits; a block's side information and coefficients
stand in the pool at the offset that its head names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.bits import Bits, Ints, Packed, Reader, Writer, checksum, from_symbols, put
from iiccli.coding.bits import to_symbols as bits_to_symbols
from iiccli.coding.layout import Block, Region
from iiccli.coding.side import Small, read_group, write_group
from iiccli.networks.transform import Coefficients, TransformConfig, TransformNet
from iiccli.networks.transform.allocation import WATER_MAX, WATER_MIN
from iiccli.networks.transform.config import GAIN_MAX, GAIN_MIN

_CHECK, _OFFSET, _WATER = 16, 25, 11
HEAD_BITS = _CHECK + _OFFSET + _WATER

_VECTOR_BITS, _VECTOR_LOW = 12, -2048
_GAIN_BITS = (GAIN_MAX - GAIN_MIN).bit_length()
_EMPTY = WATER_MAX
"""Water level of a block that carries nothing."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Message:
    """What a region's samples say.

    Attributes:
        z: (cells, coefficients) float32, cells in the region's raster order.
        gains: (cells, groups) int16.
        waters: (cells,) int32.
        vectors: (pictures - 1, 2, rows, columns) int16, or None.
        damaged: blocks whose head or side information is not what was written.
    """

    z: Tensor
    gains: Tensor
    waters: Tensor
    vectors: Tensor | None
    damaged: tuple[Block, ...]


class RegionCoder:
    """Writes and reads the message of one region.

    Args:
        net: its tables say how many bits each coefficient gets.
        region: where.
        free: (H, W, C) of the region: samples that may carry message.
        moduli: of the C colours; powers of two.
    """

    def __init__(
        self, net: TransformNet, region: Region, free: Mask, moduli: Sequence[int]
    ) -> None:
        self.net = net
        self.config: TransformConfig = net.config
        self.region = region
        self.shape = free.shape
        widths = np.array([int(math.log2(q)) for q in moduli], np.int64)
        index = np.arange(free.size).reshape(free.shape)
        self._samples: list[Ints] = []
        for block in region.blocks:
            rows, columns = _relative(block, region)
            self._samples.append(index[rows, columns][free[rows, columns]])
        self._all = np.concatenate(self._samples)
        self._widths = widths[self._all % free.shape[2]]
        ends = np.cumsum(self._widths)
        last = np.cumsum([len(s) for s in self._samples])
        block_ends = np.where(last > 0, ends[np.maximum(last, 1) - 1], 0) if len(ends) else last * 0
        self._block_ends: Ints = block_ends.astype(np.int64)
        self._block_starts: Ints = np.concatenate(([0], self._block_ends[:-1]))
        room = self._block_ends - self._block_starts
        self._headed: list[bool] = (room > HEAD_BITS).tolist()
        """Which blocks have room for a head; the others' cells carry nothing."""
        self.usable = any(self._headed)
        """Whether the region is large enough to carry anything."""
        pool = np.ones(int(self._block_ends[-1]), bool)
        for start, headed in zip(self._block_starts, self._headed, strict=True):
            if headed:
                pool[start : start + HEAD_BITS] = False
        self._pool = np.flatnonzero(pool) if self.usable else np.zeros(0, np.int64)
        self._order = region.cell_order()
        self._sizes = [b.cells.shape[0] * b.cells.shape[1] for b in region.blocks]
        """Cells in each block."""
        self._carrying = np.repeat(np.array(self._headed), self._sizes)
        """Which cells, in `_order`, carry something."""
        self._tables: dict[int, Tensor] = {}

    def write(self, coefficients: Coefficients) -> tuple[npt.NDArray[np.int16], Mask]:
        """Turn coefficients into the region's message.

        Returns:
            (H, W, C) numbers in 0..q-1, and which samples carry one; the others are free to
            keep the cover's own value.
        """
        numbers = np.zeros(self.shape, np.int16)
        used = np.zeros(self.shape, bool)
        if not self.usable:
            return numbers, used
        sides = [
            self._side(block, coefficients) if headed else np.zeros(0, np.uint8)
            for block, headed in zip(self.region.blocks, self._headed, strict=True)
        ]
        capacity = len(self._pool) - sum(map(len, sides))
        if capacity < 0:
            stream, filled = self._empty()
        else:
            stream, filled = self._fill(coefficients, sides, capacity)
        symbols = bits_to_symbols(stream, self._widths)
        ends = np.cumsum(self._widths)
        carries = np.concatenate(([0], np.cumsum(filled)))
        carries = carries[ends] > carries[ends - self._widths]
        numbers.reshape(-1)[self._all] = symbols
        used.reshape(-1)[self._all] = carries
        return numbers, used

    def read(self, numbers: npt.NDArray[np.integer]) -> Message:
        """Understand a region's numbers, (H, W, C) in 0..q-1, as far as they are whole."""
        region, config = self.region, self.config
        cells = len(self._order)
        gains = np.full((cells, config.groups), GAIN_MIN, np.int16)
        waters = np.full(cells, _EMPTY, np.int32)
        starts = np.zeros(cells, np.int64)
        motion = self._no_motion()
        damaged: list[Block] = []
        if self.usable:
            stream = from_symbols(numbers.reshape(-1)[self._all].astype(np.int64), self._widths)
            pool = stream[self._pool]
            first = 0
            starts_heads = zip(region.blocks, self._block_starts, self._headed, strict=True)
            for block, start, headed in starts_heads:
                rows, columns = block.cells.shape
                own = self._order[first : first + rows * columns]
                first += rows * columns
                if not headed:
                    continue
                head = Reader(stream[start : start + HEAD_BITS])
                check, offset = head.take(_CHECK), head.take(_OFFSET)
                water = head.take(_WATER) + WATER_MIN
                rest = stream[start + _CHECK : start + HEAD_BITS]
                if water == _EMPTY:
                    if check != checksum(rest):
                        damaged.append(block)
                    continue
                reader = Reader(pool, offset)
                vectors, own_gains = self._read_side(block, reader)
                if check != checksum(rest, pool[offset : reader.position]):
                    damaged.append(block)
                    continue
                if motion is not None and vectors is not None:
                    motion[(..., *self._vector_slices(block))] = vectors
                gains[own] = own_gains
                waters[own] = water
                bits = self._cell_bits(own_gains, water)
                ends = np.cumsum(bits)
                starts[own] = reader.position + ends - bits
        z = self._coefficients(
            pool if self.usable else np.zeros(0, np.uint8), gains, waters, starts
        )
        return Message(
            z,
            torch.from_numpy(gains),
            torch.from_numpy(waters),
            None if motion is None else torch.from_numpy(motion),
            tuple(damaged),
        )

    def _fill(
        self, coefficients: Coefficients, sides: list[Bits], capacity: int
    ) -> tuple[Bits, Bits]:
        """The region's bits, and which of them were written."""
        waters = self._waters(coefficients, capacity)
        levels = np.zeros(len(self._order), np.int32)
        levels[self._order] = np.repeat(waters, self._sizes)
        index, bits = self.net.quantise(
            coefficients.z, coefficients.gains, torch.from_numpy(levels)[:, None]
        )
        widths = bits.numpy().astype(np.int64)[self._order]
        widths[~self._carrying] = 0
        values = index.numpy().astype(np.int64)[self._order]
        cell_bits = widths.sum(1)
        pool = np.zeros(len(self._pool), np.uint8)
        written = np.zeros(len(self._pool), np.uint8)
        cell_starts = np.zeros(len(cell_bits), np.int64)
        heads, position, first = [], 0, 0
        for side, size, water in zip(sides, self._sizes, waters.tolist(), strict=True):
            end = position + len(side)
            pool[position:end] = side
            heads.append(_head(position, water, side))
            own = cell_bits[first : first + size]
            cell_starts[first : first + size] = end + np.cumsum(own) - own
            first += size
            position = end + int(own.sum())
        written[:position] = 1
        chosen = widths > 0
        begins = (cell_starts[:, None] + np.cumsum(widths, 1) - widths)[chosen]
        put(pool, begins, values[chosen], widths[chosen])
        return self._assemble(heads, pool, written)

    def _waters(self, coefficients: Coefficients, capacity: int) -> Ints:
        """Water level of each block: the lowest that fits, and one less as far as bits are left."""
        gains = coefficients.gains[torch.from_numpy(self._order)]
        water = self.net.allocation.water(gains[torch.from_numpy(self._carrying)], capacity)
        waters = np.full(len(self._sizes), water, np.int64)
        if water == WATER_MIN:
            return waters
        ends = np.cumsum(self._sizes) - 1
        totals = []
        for level in (water, water - 1):
            bits = self._cell_bits(gains.numpy(), level) * self._carrying
            totals.append(np.cumsum(bits)[ends])
        lower = totals[1] + (totals[0][-1] - totals[0]) <= capacity
        waters[: np.count_nonzero(np.cumprod(lower))] -= 1
        return waters

    def _empty(self) -> tuple[Bits, Bits]:
        """Bits of a region whose side information alone is more than it can carry."""
        nothing = np.zeros(0, np.uint8)
        pool = np.zeros(len(self._pool), np.uint8)
        heads = [_head(0, _EMPTY, nothing) for _ in self.region.blocks]
        return self._assemble(heads, pool, np.zeros_like(pool))

    def _assemble(self, heads: list[Bits], pool: Bits, written: Bits) -> tuple[Bits, Bits]:
        stream = np.zeros(int(self._block_ends[-1]), np.uint8)
        filled = np.zeros(len(stream), np.uint8)
        stream[self._pool] = pool
        filled[self._pool] = written
        for start, head, headed in zip(self._block_starts, heads, self._headed, strict=True):
            if headed:
                stream[start : start + HEAD_BITS] = head
                filled[start : start + HEAD_BITS] = 1
        return stream, filled

    def _cell_bits(self, gains: Small, water: int) -> Ints:
        """Bits of each cell; a region is coded at two levels at most, so the tables are kept."""
        if water not in self._tables:
            if len(self._tables) > 4:  # only damage asks for more
                self._tables.clear()
            self._tables[water] = self.net.allocation.bits_per_gain(water)
        bits = self.net.allocation.cell_bits(torch.from_numpy(gains), self._tables[water])
        return bits.numpy().astype(np.int64)

    def _coefficients(
        self, pool: Bits, gains: Small, waters: npt.NDArray[np.int32], starts: Ints
    ) -> Tensor:
        """Read all coefficients of the region, (cells, coefficients) float32."""
        gain = torch.from_numpy(gains)
        steps = self.net.allocation.steps(gain) - torch.from_numpy(waters)[:, None]
        bits = self.net.allocation.bits(steps, 0)
        bits[torch.from_numpy(waters) == _EMPTY] = 0
        widths = bits.numpy()
        chosen = widths > 0
        begins = (starts[:, None] + np.cumsum(widths, 1) - widths)[chosen]
        index = np.zeros(widths.shape, np.int16)
        index[chosen] = Packed(pool).get(begins, widths[chosen])
        return self.net.dequantise(torch.from_numpy(index), bits, gain)

    def _side(self, block: Block, coefficients: Coefficients) -> Bits:
        writer = Writer()
        if coefficients.vectors is not None:
            own = coefficients.vectors.numpy()[(..., *self._vector_slices(block))]
            for group in own.reshape(-1, *own.shape[2:]):
                write_group(writer, group, _VECTOR_LOW, _VECTOR_BITS)
        rows, columns = self.region.cells.shape
        gains = coefficients.gains.numpy().reshape(rows, columns, -1)[block.cells.slices]
        for group in np.moveaxis(gains, -1, 0):
            write_group(writer, group, GAIN_MIN, _GAIN_BITS)
        return writer.bits()

    def _read_side(self, block: Block, reader: Reader) -> tuple[Small | None, Small]:
        vectors = None
        config = self.config
        if config.motion:
            rows, columns = (s.stop - s.start for s in self._vector_slices(block))
            count = 2 * (config.pictures - 1)
            groups = [
                read_group(reader, (rows, columns), _VECTOR_LOW, _VECTOR_BITS) for _ in range(count)
            ]
            vectors = np.stack(groups).reshape(config.pictures - 1, 2, rows, columns)
        cells = block.cells.shape
        gains = [read_group(reader, cells, GAIN_MIN, _GAIN_BITS) for _ in range(config.groups)]
        return vectors, np.stack(gains, axis=-1).reshape(-1, config.groups)

    def _vector_slices(self, block: Block) -> tuple[slice, slice]:
        """The block's motion vectors in the region's grid."""
        factor = self.config.cell // self.config.motion
        rows, columns = block.cells.slices
        return (
            slice(rows.start * factor, rows.stop * factor),
            slice(columns.start * factor, columns.stop * factor),
        )

    def _no_motion(self) -> Small | None:
        if not self.config.motion:
            return None
        factor = self.config.cell // self.config.motion
        rows, columns = self.region.cells.shape
        return np.zeros((self.config.pictures - 1, 2, rows * factor, columns * factor), np.int16)


def _head(offset: int, water: int, side: Bits) -> Bits:
    writer = Writer()
    writer.add(offset, _OFFSET)
    writer.add(water - WATER_MIN, _WATER)
    rest = writer.bits()
    check = Writer()
    check.add(checksum(rest, side), _CHECK)
    return np.concatenate((check.bits(), rest))


def _relative(block: Block, region: Region) -> tuple[slice, slice]:
    top, left = region.pixels.top, region.pixels.left
    pixels = block.pixels
    return (
        slice(pixels.top - top, pixels.bottom - top),
        slice(pixels.left - left, pixels.right - left),
    )
