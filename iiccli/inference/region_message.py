"""One region of the adaptive network's message: vectors and coefficients into samples, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Reader, checksum
from iiccli.coding.coefficients import (
    DEAD_ZONE,
    LARGEST,
    CoefficientCoder,
    Quantised,
    Tables,
    length,
)
from iiccli.coding.contexts import UNIT, make_grid, part_of
from iiccli.coding.layout import Block, Region
from iiccli.coding.runs import Mask, Numbers
from iiccli.coding.vectors import Small, read_vectors, write_vectors
from iiccli.inference.stream import (
    CHECK,
    LEVEL,
    NOTHING,
    OFFSET,
    Stream,
    cell_blocks,
    head,
)

LEVEL_LOW = -12 * UNIT
"""Level 0 of a head: a quantiser's step of 2^-12 of the full range."""

LEVEL_HIGH = LEVEL_LOW + NOTHING - 1

FINEST = -10 * UNIT
"""The finest level that is written: a quarter of a grey level. More would only cost the cover."""

_CLOSE = 0.9985
"""A level that uses so much of the room is taken: another would gain less than 0.03 dB."""

_ROUGH = 0.985
"""The same for the search on a few blocks, whose result is a guess for all."""

_FEW = 10
"""Blocks that stand for all while the level is searched."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RegionContent:
    """What a region's samples say.

    Attributes:
        quantised: (cell², ranks, cells) int32, cells in the region's raster order.
        classes: of each, shaped alike, uint8.
        levels: (cells,) int64, the log2 of the quantiser's step in 1/256.
        vectors: (pictures, 2, rows, columns) int16 quarter pixels, or None.
        damaged: blocks that are not what was written.
    """

    quantised: Quantised
    classes: npt.NDArray[np.uint8]
    levels: Ints
    vectors: Small | None
    damaged: tuple[Block, ...]


def quantise(z: Floats, level: int) -> Quantised:
    """Round coefficients to whole steps of 2^(level / 256), towards zero where in doubt."""
    magnitudes = _rounded(np.abs(z), level)
    np.negative(magnitudes, out=magnitudes, where=z < 0)
    return magnitudes


def _rounded(sizes: Floats, level: int) -> Quantised:
    """Absolute values in whole steps."""
    scaled = _in_steps(sizes, level)
    scaled += np.float32(0.5 - DEAD_ZONE)
    np.minimum(scaled, np.float32(LARGEST), out=scaled)
    rounded: Quantised = scaled.astype(np.int32)  # cuts off, which for these is down
    return rounded


def _in_steps(sizes: Floats, level: int) -> Floats:
    return sizes * np.float32(2 ** (-level / UNIT))


def dequantise(
    quantised: Quantised, classes: npt.NDArray[np.uint8], levels: Ints, centres: Floats
) -> Floats:
    """Undo `quantise`, each magnitude to where values of its class lie on average."""
    magnitudes = np.abs(quantised)
    place = np.minimum(magnitudes, centres.shape[1] - 1)
    place += classes * np.int32(centres.shape[1])
    shifts = centres.copy()
    shifts[:, 0] = 0  # a zero stays one
    values: Floats = shifts.ravel().take(place)
    values += magnitudes
    values *= np.exp2(levels / UNIT).astype(np.float32)
    np.negative(values, out=values, where=quantised < 0)
    return values


class RegionMessage:
    """Writes and reads one region.

    Args:
        tables: of the model.
        region: where, in pixels of the carrier.
        free: (h, w, c) of the region: samples that may carry message.
        moduli: of the c channels.
        motion: vectors in a cell's side, and of how many pictures; (0, 0) for none.
        thresholds: where to round what is written, see `coding.rounding`; None rounds all alike.
    """

    def __init__(
        self,
        tables: Tables,
        region: Region,
        free: Mask,
        moduli: Sequence[int],
        motion: tuple[int, int] = (0, 0),
        thresholds: Floats | None = None,
    ) -> None:
        self.region = region
        self.tables = tables
        self.motion = motion
        self.thresholds = thresholds
        self.stream = Stream(region, free, moduli)
        self.grid = make_grid(cell_blocks(region))
        self.coder = CoefficientCoder(tables, self.grid, len(region.blocks))

    def write(
        self, z: Floats, vectors: Small | None, guess: int | None = None
    ) -> tuple[Numbers, Mask, int | None]:
        """Turn coefficients into the region's message, as finely as they fit.

        Args:
            z: (cell², ranks, cells).
            vectors: (pictures, 2, rows, columns) int16, or None.
            guess: a level near the one that will fit.

        Returns:
            Numbers and which samples carry one, see `Stream.write`; and the level, None where
            nothing fits.
        """
        headed = np.flatnonzero(self.stream.headed)
        sides = [self._side(self.region.blocks[b], vectors) for b in headed]
        level = self._level(z, headed, sum(map(len, sides)), guess)
        ordered = self.coder.ordered(z)
        while level is not None:
            quantised = self._rounded(self.coder, np.abs(ordered), level)
            np.negative(quantised, out=quantised, where=ordered < 0)
            payloads = self.coder.write_ordered(quantised, level)
            own = [np.concatenate((s, payloads[b])) for s, b in zip(sides, headed, strict=True)]
            if sum(map(len, own)) <= self.stream.room:
                ends = np.cumsum([len(p) for p in own])
                heads = [
                    head(int(end) - len(p), level - LEVEL_LOW, p)
                    for end, p in zip(ends, own, strict=True)
                ]
                return (*self.stream.write(heads, own), level)
            level = level + 2 if level + 2 <= LEVEL_HIGH else None
        nothing = np.zeros(0, np.uint8)
        heads = [head(0, NOTHING, nothing) for _ in headed]
        return (*self.stream.write(heads, []), None)

    def read(self, numbers: npt.NDArray[np.integer]) -> RegionContent:
        """Understand a region's numbers, (h, w, c) in 0..q-1, as far as they are whole."""
        blocks = self.region.blocks
        heads, pool = self.stream.read(numbers)
        payloads: list[Bits | None] = [None] * len(blocks)
        levels = np.full(len(blocks), LEVEL_HIGH, np.int64)
        vectors = self._still()
        damaged = []
        for b, bits in zip(np.flatnonzero(self.stream.headed), heads, strict=True):
            fields = Reader(bits)
            check, offset, level = fields.take(CHECK), fields.take(OFFSET), fields.take(LEVEL)
            payload = np.zeros(0, np.uint8)
            if level != NOTHING:
                own, taken = self._read_side(blocks[b], pool[offset:])
                middle = offset + taken
                end = middle + length(pool[middle:])[1]
                payload = pool[offset:end]
            if check != checksum(bits[CHECK:], payload):
                damaged.append(blocks[b])
                continue
            if level == NOTHING or len(payload) < end - offset:
                continue
            if vectors is not None and own is not None:
                vectors[(..., *self._vector_slices(blocks[b]))] = own
            payloads[b], levels[b] = pool[middle:end], level + LEVEL_LOW
        quantised, classes = self.coder.read(payloads, levels)
        return RegionContent(quantised, classes, levels[self.grid.blocks], vectors, tuple(damaged))

    def level(self, z: Floats, vectors: Small | None, guess: int | None = None) -> int | None:
        """The level that `write` would take, or nearly."""
        headed = np.flatnonzero(self.stream.headed)
        side = sum(len(self._side(self.region.blocks[b], vectors)) for b in headed)
        return self._level(z, headed, side, guess)

    def _level(self, z: Floats, headed: Ints, side: int, guess: int | None) -> int | None:
        """The finest level at which all payloads fit beside `side` bits; None if none does."""
        if not len(headed):
            return None
        room = self.stream.room - side
        few = headed[:: max(1, len(headed) // _FEW)]
        if len(few) < len(headed):
            grid, chosen = part_of(self.grid, few)
            coder = CoefficientCoder(self.tables, grid, len(few))
            part = np.abs(coder.ordered(z[..., chosen]))
            area = len(chosen) / max(1, np.isin(self.grid.blocks, headed).sum())

            def roughly(level: int) -> float:
                return float(coder.rate_of(self._rounded(coder, part, level), level).sum())

            guess = _search(roughly, room * area, guess, _ROUGH)

        sizes = np.abs(self.coder.ordered(z))

        def exactly(level: int) -> float:
            rounded = self._rounded(self.coder, sizes, level)
            return float(self.coder.rate_of(rounded, level)[headed].sum())

        return _search(exactly, room, guess, _CLOSE, near=len(few) < len(headed))

    def _rounded(self, coder: CoefficientCoder, sizes: Floats, level: int) -> Quantised:
        """Absolute values in the order of coding as the whole steps that are written."""
        if self.thresholds is None:
            return _rounded(sizes, level)
        scaled = np.minimum(_in_steps(sizes, level), np.float32(LARGEST - 1))
        return coder.rounded(scaled, level, self.thresholds)

    def _side(self, block: Block, vectors: Small | None) -> Bits:
        if vectors is None:
            return np.zeros(0, np.uint8)
        own = vectors[(..., *self._vector_slices(block))]
        return write_vectors(own.reshape(-1, *own.shape[2:]))

    def _read_side(self, block: Block, bits: Bits) -> tuple[Small | None, int]:
        """The block's vectors, and how many bits they take."""
        factor, pictures = self.motion
        if not factor:
            return None, 0
        rows, columns = (s.stop - s.start for s in self._vector_slices(block))
        own, taken = read_vectors(bits, (2 * pictures, rows, columns))
        return own.reshape(pictures, 2, rows, columns), taken

    def _vector_slices(self, block: Block) -> tuple[slice, slice]:
        """The block's motion vectors in the region's grid."""
        factor = self.motion[0]
        rows, columns = block.cells.slices
        return (
            slice(rows.start * factor, rows.stop * factor),
            slice(columns.start * factor, columns.stop * factor),
        )

    def _still(self) -> Small | None:
        factor, pictures = self.motion
        if not factor:
            return None
        rows, columns = self.region.cells.shape
        return np.zeros((pictures, 2, rows * factor, columns * factor), np.int16)


def _search(
    rate: Callable[[int], float],
    room: float,
    guess: int | None,
    close: float,
    near: bool = False,
) -> int | None:
    """A level whose rate is within `room`, and hardly less, by secants kept in a bracket.

    Args:
        rate: bits at a level.
        room: bits that there are.
        guess: where to begin.
        close: a level that uses this share of the room is taken.
        near: whether the guess is a good one.
    """
    low, high = FINEST - 1, LEVEL_HIGH + 1  # too fine; coarse enough, or nothing
    level = -7 * UNIT if guess is None else guess
    rates: dict[int, float] = {}
    step = UNIT // 8 if near else UNIT
    while high - low > 1:
        level = min(max(level, low + 1), high - 1)
        rates[level] = rate(level)
        if rates[level] <= room:
            high = level
            if rates[level] >= close * room:
                break
        else:
            low = level
        if low in rates and high in rates:
            # Aim a little below the room: a level that just does not fit is a waste.
            share = (rates[low] - (1 + close) / 2 * room) / max(rates[low] - rates[high], 1e-9)
            level = low + round(share * (high - low))
        else:
            level = high - step if high in rates else low + step
            step *= 2
    return high if high <= LEVEL_HIGH else None
