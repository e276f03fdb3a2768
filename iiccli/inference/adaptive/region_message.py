"""One region of the adaptive network's message: vectors and coefficients into samples, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from iiccli.inference.adaptive.levels import FALL, LEVEL_HIGH, LEVEL_LOW, search
from iiccli.inference.adaptive.quantising import Floats, Trials
from iiccli.inference.adaptive.sequence import Coded, Modes
from iiccli.inference.adaptive.sharing import SharedTrials, trials_of
from iiccli.inference.adaptive.stream import (
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

_NEAR = 0.993
"""The same for pictures in sequence, where a trial takes long: 0.05 dB on average."""

_STEEP = 0.0026
"""How the logarithm of their rate falls from a level to the next."""

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
        vectors: (fields, 2, rows, columns) int16 quarter pixels, or None.
        damaged: blocks that are not what was written.
        modes: (pictures, cells) in the order of their sequence, 0 in damaged blocks; or None.
    """

    quantised: Quantised
    classes: npt.NDArray[np.uint8]
    levels: Ints
    vectors: Small | None
    damaged: tuple[Block, ...]
    modes: Modes | None = None


class RegionMessage:
    """Writes and reads one region.

    Args:
        tables: of the model.
        region: where, in pixels of the carrier.
        free: (h, w, c) of the region: samples that may carry message.
        moduli: of the c channels.
        motion: vectors in a cell's side, and how many fields of them; (0, 0) for none.
        modes: how many there are, and of how many pictures they are named; (0, 0) for none.
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
        modes: tuple[int, int] = (0, 0),
    ) -> None:
        self.region = region
        self.tables = tables
        self.motion = motion
        self.modes = modes
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
            vectors: (fields, 2, rows, columns) int16, or None.
            guess: a level near the one that will fit.

        Returns:
            Numbers and which samples carry one, see `Stream.write`; and the level, None where
            nothing fits.
        """
        headed = np.flatnonzero(self.stream.headed)
        sides = [self._side(self.region.blocks[b], vectors, None) for b in headed]
        trials = trials_of(self.coder, z, self.thresholds)
        level = self._level(z, trials, headed, sum(map(len, sides)), guess)
        return self._written(level, headed, lambda level: (sides, trials.write(level)))

    def write_sequence(
        self, code: Callable[[int], Coded], vectors: Small | None, guess: int
    ) -> tuple[Numbers, Mask, int | None]:
        """As `write`, of pictures that are coded anew at every level."""
        headed = np.flatnonzero(self.stream.headed)
        coded = self.sequence(code, vectors, guess)

        def payloads(level: int) -> tuple[list[Bits], list[Bits]]:
            own = coded if coded is not None and level == coded.level else code(level)
            sides = [self._side(self.region.blocks[b], vectors, own.modes) for b in headed]
            return sides, own.write()

        return self._written(None if coded is None else coded.level, headed, payloads)

    def sequence(
        self, code: Callable[[int], Coded], vectors: Small | None, guess: int
    ) -> Coded | None:
        """Pictures at the finest level, or nearly, that `write_sequence` has room for."""
        headed = np.flatnonzero(self.stream.headed)
        if not len(headed):
            return None
        cells = int(np.isin(self.grid.blocks, headed).sum())
        side = len(self._shifts) * self.modes[1] * cells
        side += sum(len(self._side(self.region.blocks[b], vectors, None)) for b in headed)
        room = self.stream.room - side
        found: dict[int, Coded] = {}

        def rate(level: int) -> float:
            coded = code(level)
            used = float(coded.rates[headed].sum())
            if used <= room and level < min(found, default=level + 1):
                found.clear()  # the finest that fits is what the search comes to
                found[level] = coded
            return used

        level, _ = search(rate, room, guess, _NEAR, _STEEP)
        return None if level is None else found[level]

    def _written(
        self,
        level: int | None,
        headed: Ints,
        parts: Callable[[int], tuple[Sequence[Bits], Sequence[Bits]]],
    ) -> tuple[Numbers, Mask, int | None]:
        """Write what `parts` gives at a level, or at the next that fits.

        Args:
            level: None where nothing fits.
            headed: numbers of the blocks that carry something.
            parts: their side information, and the payloads of all blocks.
        """
        while level is not None:
            sides, payloads = parts(level)
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
        modes = np.zeros((self.modes[1], self.grid.cells), np.uint8) if self.modes[0] else None
        damaged = []
        for b, bits in zip(np.flatnonzero(self.stream.headed), heads, strict=True):
            fields = Reader(bits)
            check, offset, level = fields.take(CHECK), fields.take(OFFSET), fields.take(LEVEL)
            payload = np.zeros(0, np.uint8)
            if level != NOTHING:
                own, taken = self._read_side(blocks[b], pool[offset:])
                named, more = self._read_modes(blocks[b], pool[offset + taken :])
                middle = offset + taken + more
                end = middle + length(pool[middle:])[1]
                payload = pool[offset:end]
            if check != checksum(bits[CHECK:], payload):
                damaged.append(blocks[b])
                continue
            if level == NOTHING or len(payload) < end - offset:
                continue
            if vectors is not None and own is not None:
                vectors[(..., *self._vector_slices(blocks[b]))] = own
            if modes is not None:
                modes[:, self._raster(blocks[b])] = named
            payloads[b], levels[b] = pool[middle:end], level + LEVEL_LOW
        quantised, classes = self.coder.read(payloads, levels)
        return RegionContent(
            quantised, classes, levels[self.grid.blocks], vectors, tuple(damaged), modes
        )

    def level(self, z: Floats, vectors: Small | None, guess: int | None = None) -> int | None:
        """The level that `write` would take, or nearly."""
        headed = np.flatnonzero(self.stream.headed)
        side = sum(len(self._side(self.region.blocks[b], vectors, None)) for b in headed)
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

    def _side(self, block: Block, vectors: Small | None, modes: Modes | None) -> Bits:
        parts = [np.zeros(0, np.uint8)]
        if vectors is not None:
            own = vectors[(..., *self._vector_slices(block))]
            parts.append(write_vectors(own.reshape(-1, *own.shape[2:])))
        if modes is not None:
            named = modes[:, self._raster(block), None] >> self._shifts & 1
            parts.append(named.ravel().astype(np.uint8))
        return np.concatenate(parts)

    @property
    def _shifts(self) -> npt.NDArray[np.uint8]:
        """Of the bits of a mode, the highest first."""
        return np.arange(max(0, self.modes[0] - 1).bit_length(), dtype=np.uint8)[::-1]

    def _raster(self, block: Block) -> Ints:
        """Numbers of a block's cells in its region."""
        rows, columns = block.cells.slices
        width = self.region.cells.shape[1]
        first = np.arange(rows.start, rows.stop, dtype=np.int64) * width
        return (first[:, None] + np.arange(columns.start, columns.stop)).ravel()

    def _read_modes(self, block: Block, bits: Bits) -> tuple[Modes, int]:
        """The modes of a block's cells, and how many bits they take."""
        count, pictures = self.modes
        cells = block.cells.shape[0] * block.cells.shape[1]
        taken = len(self._shifts) * pictures * cells
        own = np.zeros(taken, np.uint8)
        own[: len(bits[:taken])] = bits[:taken]
        planes = own.reshape(pictures, cells, len(self._shifts)) << self._shifts
        # Nothing wrote a number that is not one; whoever made this up gets the last.
        return np.minimum(planes.sum(-1, dtype=np.uint8), max(0, count - 1)), taken

    def _read_side(self, block: Block, bits: Bits) -> tuple[Small | None, int]:
        """The block's vectors, and how many bits they take."""
        factor, fields = self.motion
        if not factor:
            return None, 0
        rows, columns = (s.stop - s.start for s in self._vector_slices(block))
        own, taken = read_vectors(bits, (2 * fields, rows, columns))
        return own.reshape(fields, 2, rows, columns), taken

    def _vector_slices(self, block: Block) -> tuple[slice, slice]:
        """The block's motion vectors in the region's grid."""
        factor = self.motion[0]
        rows, columns = block.cells.slices
        return (
            slice(rows.start * factor, rows.stop * factor),
            slice(columns.start * factor, columns.stop * factor),
        )

    def _still(self) -> Small | None:
        factor, fields = self.motion
        if not factor:
            return None
        rows, columns = self.region.cells.shape
        return np.zeros((fields, 2, rows * factor, columns * factor), np.int16)
