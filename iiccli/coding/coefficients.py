"""Quantised coefficients into a payload for each block, and back.

A coefficient's magnitude m is cut in two: m >> k, a symbol of which the class of its surroundings
says how likely it is, and the k lower bits, which are written as they are, as is the sign (but
for a zero of a class with k = 0). k grows with the class, so that the symbol stays small. Symbols
go through `rans`, the rest is a plain run of bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Packed, put
from iiccli.coding.contexts import (
    CLASSES,
    ONE,
    UNIT,
    Grid,
    Magnitudes,
    Step,
    Surroundings,
    class_centre,
    class_of,
    exp2,
    steps,
)
from iiccli.coding.rans import (
    LANES,
    TOTAL,
    Decoder,
    Frequencies,
    Seats,
    States,
    Words,
    encode,
    seats,
)

SYMBOLS = 64
"""Symbols 0..62 are themselves; the last says that 16 plain bits follow."""

LARGEST = (SYMBOLS - 1) + 0xFFFF
"""The largest magnitude that every class can write."""

_ESCAPE_BITS = 16
_WORDS_BITS, _RAW_BITS = 20, 24
HEAD_BITS = _WORDS_BITS + _RAW_BITS
"""What stands before a payload: how many words, how many plain bits."""

OVERHEAD = HEAD_BITS + 32 * LANES
"""Bits of a payload that holds nothing but zeros that cost nothing."""

Quantised = npt.NDArray[np.int32]
"""(cell², ranks, cells)."""


def shift_of(number: int) -> int:
    """Plain bits of a class: the symbol's expected value stays between 4 and 8."""
    k = 0
    while class_centre(number) / 2**k >= 8:
        k += 1
    return k


SHIFTS = np.array([shift_of(c) for c in range(CLASSES)], np.int64)


@dataclass(frozen=True)
class Tables:
    """What is known of coefficients beforehand.

    Attributes:
        cell: side of a cell in pixels.
        scales: (cell², ranks) int32, log magnitude in `contexts.UNIT`s.
        weights: (layers, ranks, 2, features) int32; see `Surroundings.expected`.
        frequencies: of the symbols in each class.

    Raises:
        ValueError: nothing can be coded with these.
    """

    cell: int
    scales: Magnitudes
    weights: Magnitudes
    frequencies: Frequencies

    def __post_init__(self) -> None:
        """Refuse what would fail, or overflow, in the middle of a picture."""
        counts = self.frequencies.counts.astype(np.int64)
        if (counts < 1).any() or (counts.sum(1) != TOTAL).any():
            raise ValueError(f"the frequencies of a class do not add up to {TOTAL}")
        if (self.weights < 0).any() or (self.weights > 4 * ONE).any():
            raise ValueError("weights are in 0..4")
        if (np.abs(self.scales.astype(np.int64)) > 64 * UNIT).any():
            raise ValueError("scales are within 2^±64")

    @property
    def ranks(self) -> int:
        """Principal components at each frequency."""
        return int(self.scales.shape[1])

    @cached_property
    def starts(self) -> npt.NDArray[np.uint32]:
        """Of each symbol in each class."""
        return self.frequencies.starts()

    @cached_property
    def symbols(self) -> npt.NDArray[np.uint8]:
        """Of each slot in each class."""
        return self.frequencies.symbols()

    @cached_property
    def costs(self) -> npt.NDArray[np.float32]:
        """Bits of each symbol in each class, with the plain bits that belong to it."""
        bits = -np.log2(self.frequencies.counts / TOTAL) + SHIFTS[:, None]
        bits += _signed(SHIFTS[:, None], np.arange(SYMBOLS))
        bits[:, -1] += _ESCAPE_BITS
        return bits.astype(np.float32)


class CoefficientCoder:
    """Codes the coefficients of one region.

    Args:
        tables: of the model.
        grid: of the region's cells.
        blocks: how many blocks the region has.
    """

    def __init__(self, tables: Tables, grid: Grid, blocks: int) -> None:
        self.tables, self.grid, self.blocks = tables, grid, blocks
        self._owners = [grid.blocks[c] for c in grid.colours]
        self._counts = [np.bincount(o, minlength=blocks) for o in self._owners]
        self._seats: dict[tuple[int, int], Seats] = {}

    def walk(self, level: int, magnitudes: Callable[[Step, Ints], npt.NDArray[np.integer]]) -> None:
        """Go through all steps.

        Args:
            level: the quantiser's step in `UNIT`s of the log scale.
            magnitudes: called with each step and the classes of its coefficients,
                (frequencies, cells of the colour); gives the magnitudes.
        """
        tables = self.tables
        around = Surroundings(self.grid, tables.cell, exp2(tables.scales - level))
        for step in steps(tables.cell, tables.ranks):
            classes = class_of(around.expected(step, tables.weights))
            around.put(step, magnitudes(step, classes))

    def rate(self, quantised: Quantised, level: int) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly: (blocks,)."""
        magnitudes = np.abs(quantised[..., self.grid.order])
        cells = np.zeros(self.grid.cells)
        costs = self.tables.costs

        def own(step: Step, classes: Ints) -> npt.NDArray[np.integer]:
            m = _of(magnitudes, step, self.grid)
            symbol = np.minimum(m >> SHIFTS[classes], SYMBOLS - 1)
            cells[self.grid.spans[step.colour]] += costs[classes, symbol].sum(0)
            return m

        self.walk(level, own)
        total: npt.NDArray[np.float64] = np.bincount(
            self.grid.blocks[self.grid.order], weights=cells, minlength=self.blocks
        ).astype(np.float64)
        # A lane's state holds 8 bits of content on average; two fewer are counted, so that what
        # is said to fit mostly does.
        return total + OVERHEAD - 6 * LANES

    def classes(self, quantised: Quantised, level: int) -> npt.NDArray[np.uint8]:
        """The class of each coefficient, shaped as they are."""
        magnitudes = np.abs(quantised[..., self.grid.order])
        ordered = np.zeros(quantised.shape, np.uint8)

        def own(step: Step, classes: Ints) -> npt.NDArray[np.integer]:
            ordered[step.frequencies, step.rank, self.grid.spans[step.colour]] = classes
            return _of(magnitudes, step, self.grid)

        self.walk(level, own)
        found = np.empty_like(ordered)
        found[..., self.grid.order] = ordered
        return found

    def write(self, quantised: Quantised, level: int) -> list[Bits]:
        """Payloads of all blocks; magnitudes are at most `LARGEST`."""
        entries: list[tuple[Seats, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]] = []
        values: list[Ints] = []
        widths: list[Ints] = []
        owners: list[Ints] = []
        tables = self.tables
        ordered = quantised[..., self.grid.order]

        def own(step: Step, classes: Ints) -> npt.NDArray[np.integer]:
            q = _of(ordered, step, self.grid)
            m = np.abs(q)
            # Cells first: so a block's symbols are one run.
            number, flat, signs = classes.T.ravel(), m.T.ravel(), (q < 0).T.ravel()
            shift = SHIFTS[number]
            high = flat >> shift
            symbol = np.minimum(high, SYMBOLS - 1)
            entries.append(
                (
                    self._seat(step),
                    tables.frequencies.counts[number, symbol],
                    tables.starts[number, symbol],
                )
            )
            plain = _plain_widths(shift, symbol)
            chosen = np.flatnonzero(plain)
            low = flat[chosen] & ((1 << shift[chosen]) - 1)
            escaped = symbol[chosen] == SYMBOLS - 1
            rest = np.where(escaped, high[chosen] - (SYMBOLS - 1), 0)
            low = np.where(escaped, low << _ESCAPE_BITS | rest, low)
            signed = _signed(shift[chosen], symbol[chosen])
            low = np.where(signed, low << 1 | signs[chosen], low)
            values.append(low)
            widths.append(plain[chosen])
            owners.append(self._symbol_owners(step)[chosen])
            return m

        self.walk(level, own)
        states, words = encode(entries, self.blocks)
        owner, width = np.concatenate(owners), np.concatenate(widths)
        order = np.argsort(owner, kind="stable")
        width = width[order]
        raw_lengths = np.bincount(owner, weights=np.concatenate(widths), minlength=self.blocks)
        ends = np.cumsum(width)
        raw = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
        put(raw, ends - width, np.concatenate(values)[order], width)
        borders = np.concatenate(([0], np.cumsum(raw_lengths))).astype(np.int64)
        return [
            _payload(states[b], words[b], raw[borders[b] : borders[b + 1]])
            for b in range(self.blocks)
        ]

    def read(
        self, payloads: Sequence[Bits | None], level: Ints
    ) -> tuple[Quantised, npt.NDArray[np.uint8]]:
        """Undo `write`.

        Args:
            payloads: of each block; None where it is lost: its coefficients are then 0. What
                is cut off counts as 0 bits.
            level: (blocks,) the level that each was written at.

        Returns:
            The coefficients, and their classes, both (cell², ranks, cells).
        """
        tables, grid = self.tables, self.grid
        parts = [_parts(p) for p in payloads]
        decoder = Decoder(np.stack([p[0] for p in parts]), [p[1] for p in parts])
        runs = [p[2] for p in parts]
        raw = Packed(np.concatenate(runs))
        lengths = np.array([len(run) for run in runs], np.int64)
        pointers = np.cumsum(lengths) - lengths
        whole = np.array([p is not None for p in payloads])
        shape = (tables.cell**2, tables.ranks, grid.cells)
        quantised: Quantised = np.zeros(shape, np.int32)
        found = np.zeros(shape, np.uint8)
        base = exp2(tables.scales[..., None] - level.astype(np.int32)[grid.blocks])
        around = Surroundings(grid, tables.cell, base)
        for step in steps(tables.cell, tables.ranks):
            classes = class_of(around.expected(step, tables.weights))
            number = classes.T.ravel()
            symbol = decoder.take(
                self._seat(step),
                number,
                tables.frequencies.counts,
                tables.starts,
                tables.symbols,
            ).astype(np.int64)
            owner = self._symbol_owners(step)
            symbol[~whole[owner]] = 0
            shift = SHIFTS[number]
            width = _plain_widths(shift, symbol)
            width[~whole[owner]] = 0
            high, low = symbol, np.zeros_like(symbol)
            negative = np.zeros(len(symbol), bool)
            chosen = np.flatnonzero(width > 0)
            if len(chosen):
                w = width[chosen]
                before = np.cumsum(w) - w
                totals = np.bincount(owner[chosen], weights=w, minlength=self.blocks)
                totals = totals.astype(np.int64)
                first = (np.cumsum(totals) - totals)[owner[chosen]]
                value = raw.get(pointers[owner[chosen]] + before - first, w)
                pointers += totals
                signed = _signed(shift[chosen], symbol[chosen])
                negative[chosen] = signed & (value & 1 == 1)
                value = np.where(signed, value >> 1, value)
                escaped = symbol[chosen] == SYMBOLS - 1
                high[chosen] += np.where(escaped, value & 0xFFFF, 0)
                low[chosen] = np.where(escaped, value >> _ESCAPE_BITS, value)
            m = (high << shift) + low
            signs = np.where(negative, -m, m).reshape(classes.T.shape).T
            place = (step.frequencies, step.rank, grid.spans[step.colour])
            quantised[place] = signs
            found[place] = classes
            around.put(step, np.abs(signs))
        back = np.empty(grid.cells, np.int64)
        back[grid.order] = np.arange(grid.cells)
        return quantised[..., back], found[..., back]

    def _seat(self, step: Step) -> Seats:
        key = (step.colour, len(step.frequencies))
        if key not in self._seats:
            self._seats[key] = seats(self._counts[step.colour] * len(step.frequencies))
        return self._seats[key]

    def _symbol_owners(self, step: Step) -> Ints:
        return np.repeat(self._owners[step.colour], len(step.frequencies))


def _of(values: Quantised, step: Step, grid: Grid) -> Quantised:
    """What a step codes of values whose cells are in `grid.order`."""
    chosen: Quantised = values[step.frequencies, step.rank, grid.spans[step.colour]]
    return chosen


def _signed(shift: Ints, symbol: Ints) -> npt.NDArray[np.bool_]:
    """Whether a sign is written: not where the magnitude is 0 for sure."""
    return (symbol > 0) | (shift > 0)


def _plain_widths(shift: Ints, symbol: Ints) -> Ints:
    width: Ints = shift + _signed(shift, symbol) + _ESCAPE_BITS * (symbol == SYMBOLS - 1)
    return width


def _payload(states: States, words: Words, raw: Bits) -> Bits:
    head = np.array([len(words) << _RAW_BITS | len(raw)], np.int64)
    numbers = np.concatenate((states.astype(">u4").view(np.uint8), words.astype(">u2").view("u1")))
    shifts = np.arange(HEAD_BITS - 1, -1, -1, dtype=np.int64)
    return np.concatenate(((head >> shifts & 1).astype(np.uint8), np.unpackbits(numbers), raw))


def _parts(payload: Bits | None) -> tuple[States, Words, Bits]:
    if payload is None:
        return np.zeros(LANES, np.uint64), np.zeros(0, np.uint16), np.zeros(0, np.uint8)
    middle = HEAD_BITS + 32 * LANES
    if len(payload) < middle:
        payload = np.concatenate((payload, np.zeros(middle - len(payload), np.uint8)))
    words = min(length(payload)[0], (len(payload) - middle) // 16)
    end = middle + 16 * words
    states = np.packbits(payload[HEAD_BITS:middle]).view(">u4").astype(np.uint64)
    return states, np.packbits(payload[middle:end]).view(">u2").astype(np.uint16), payload[end:]


def length(payload: Bits) -> tuple[int, int]:
    """Words, and bits in all, of the payload that begins here, as its head says."""
    head = payload[:HEAD_BITS]
    if len(head) < HEAD_BITS:
        return 0, HEAD_BITS + 32 * LANES
    value = int(head.astype(np.int64) @ (1 << np.arange(HEAD_BITS - 1, -1, -1, dtype=np.int64)))
    words, raw = value >> _RAW_BITS, value & (1 << _RAW_BITS) - 1
    return words, HEAD_BITS + 32 * LANES + 16 * words + raw


__all__ = [
    "LARGEST",
    "OVERHEAD",
    "SHIFTS",
    "SYMBOLS",
    "UNIT",
    "CoefficientCoder",
    "Quantised",
    "Tables",
    "length",
]
