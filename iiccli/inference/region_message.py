"""One region of the adaptive network's message: vectors and coefficients into samples, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Reader, checksum
from iiccli.coding.coefficients import (
    CoefficientCoder,
    Quantised,
    Tables,
    length,
)
from iiccli.coding.contexts import make_grid
from iiccli.coding.layout import Block, Region
from iiccli.coding.runs import Mask, Numbers
from iiccli.coding.vectors import Small, read_vectors, write_vectors
from iiccli.inference.levels import FALL, LEVEL_HIGH, LEVEL_LOW, search
from iiccli.inference.quantising import Floats, Trials
from iiccli.inference.sharing import SharedTrials, trials_of
from iiccli.inference.stream import (
    CHECK,
    LEVEL,
    NOTHING,
    OFFSET,
    Stream,
    cell_blocks,
    head,
)

_CLOSE = 0.9985
"""A level that uses so much of the room is taken: another would gain less than 0.03 dB."""

_ROUGH = 0.985
"""The same for the search on a few blocks, whose result is a guess for all."""

_FEW = 10
"""Blocks that stand for all while the level is searched."""


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
        trials = trials_of(self.coder, z, self.thresholds)
        level = self._level(z, trials, headed, sum(map(len, sides)), guess)
        while level is not None:
            payloads = trials.write(level)
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
        trials = trials_of(self.coder, z, self.thresholds)
        return self._level(z, trials, headed, side, guess)

    def _level(
        self, z: Floats, whole: SharedTrials, headed: Ints, side: int, guess: int | None
    ) -> int | None:
        """The finest level at which all payloads fit beside `side` bits; None if none does."""
        if not len(headed):
            return None
        room = self.stream.room - side
        step = max(1, len(headed) // _FEW)
        few = headed[step // 2 :: step]
        fall = FALL
        if len(few) < len(headed):
            coder, chosen = self.coder.part(few)
            part = Trials(coder, coder.ordered(z[..., chosen]), self.thresholds)
            area = len(chosen) / max(1, np.isin(self.grid.blocks, headed).sum())
            guess, fall = search(lambda n: part.rate(n).sum(), room * area, guess, _ROUGH)
            if guess is not None:
                whole.expect(part.excess_at(guess))
        return search(lambda n: whole.rate(n)[headed].sum(), room, guess, _CLOSE, fall)[0]

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
