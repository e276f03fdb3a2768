"""Quantised coefficients into a payload for each block, and back.

A coefficient's magnitude m is cut in two: m >> k, a symbol of which the class of its surroundings
says how likely it is, and the k lower bits, which are written as they are, as is the sign (but
for a zero of a class with k = 0). k grows with the class, so that the symbol stays small. Symbols
go through `rans`, the rest is a plain run of bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints, Packed, put
from iiccli.coding.contexts import (
    CLASSES,
    MOST,
    ONE,
    UNIT,
    Grid,
    Magnitudes,
    Step,
    Surroundings,
    by_layer,
    class_centre,
    class_of,
    exp2,
    layers_of,
    part_of,
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

DEAD_ZONE = 0.12
"""So much of a step a value has to go further before it counts as the next larger magnitude, where
its cost is not known (yet)."""

_ESCAPE_BITS = 16
_WORDS_BITS, _RAW_BITS = 20, 24
HEAD_BITS = _WORDS_BITS + _RAW_BITS
"""What stands before a payload: how many words, how many plain bits."""

OVERHEAD = HEAD_BITS + 32 * LANES
"""Bits of a payload that holds nothing but zeros that cost nothing."""

Scalar = TypeVar("Scalar", bound=np.generic)

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

    def part(self, ranks: slice) -> Tables:
        """The tables of some ranks alone."""
        scales, weights = self.scales[:, ranks], self.weights[:, ranks]
        return Tables(self.cell, scales, weights, self.frequencies)

    @cached_property
    def starts(self) -> npt.NDArray[np.uint32]:
        """Of each symbol in each class."""
        return self.frequencies.starts()

    @cached_property
    def symbols(self) -> npt.NDArray[np.uint8]:
        """Of each slot in each class."""
        return self.frequencies.symbols()

    @cached_property
    def places(self) -> npt.NDArray[np.uint32]:
        """Frequency and start of each symbol in each class, (classes · symbols, 2)."""
        return np.stack((self.frequencies.counts.ravel(), self.starts.ravel()), 1)

    @cached_property
    def costs(self) -> npt.NDArray[np.float32]:
        """Bits of each symbol in each class, with the plain bits that belong to it."""
        bits = -np.log2(self.frequencies.counts / TOTAL) + SHIFTS[:, None]
        bits += _signed(SHIFTS[:, None], np.arange(SYMBOLS))
        bits[:, -1] += _ESCAPE_BITS
        return bits.astype(np.float32)


@dataclass(frozen=True)
class Known:
    """What the ranks coded so far tell of those that follow, in the order of coding.

    Attributes:
        last: (cell², 1, cells) magnitudes of the last of them.
        before: (cell², cells) sums over all before that; see `Surroundings`.
    """

    last: Quantised
    before: Magnitudes

    @classmethod
    def after(cls, known: Known | None, magnitudes: Quantised) -> Known:
        """As `known`, once magnitudes (cell², ranks, cells) of further ranks are coded."""
        before: Magnitudes = np.minimum(magnitudes[:, :-1], MOST).sum(1, dtype=np.int32)
        if known is not None:
            before += known.before
            before += np.minimum(known.last[:, 0], MOST)
        return cls(magnitudes[:, -1:].copy(), before)


class CoefficientCoder:
    """Codes the coefficients of one region.

    Args:
        tables: of the model.
        grid: of the region's cells.
        blocks: how many blocks the region has.
        before: see `Surroundings`.
    """

    def __init__(
        self, tables: Tables, grid: Grid, blocks: int, before: Quantised | None = None
    ) -> None:
        self.tables, self.grid, self.blocks = tables, grid, blocks
        self._before = before
        self._first = 0  # rank that is coded; one before that is only there to be seen
        self._owners = [grid.blocks[c] for c in grid.colours]
        self._counts = [np.bincount(o, minlength=blocks) for o in self._owners]
        self._seats: dict[tuple[int, int], Seats] = {}

    def part(self, blocks: Ints) -> tuple[CoefficientCoder, Ints]:
        """A coder of some blocks alone, and which of the region's cells are theirs."""
        grid, cells = part_of(self.grid, blocks)
        return CoefficientCoder(self.tables, grid, len(blocks)), cells

    def following(self, ranks: slice, known: Known | None) -> CoefficientCoder:
        """A coder of some ranks alone.

        Args:
            ranks: which.
            known: of all that come before these, if there are any. The last of them has to be the
                first of what the coder is given; it is none of what is coded.
        """
        if known is None:
            return CoefficientCoder(self.tables.part(ranks), self.grid, self.blocks)
        tables = self.tables.part(slice(ranks.start - 1, ranks.stop))
        coder = CoefficientCoder(tables, self.grid, self.blocks, known.before)
        coder._first = 1
        return coder

    def ordered(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Values (cell², ranks, cells) as they are coded: frequencies by layer, cells by colour.

        What is written again and again, at other levels, is put in order once.
        """
        return values[by_layer(self.tables.cell)].take(self.grid.order, axis=-1)

    def rate(self, quantised: Quantised, level: int) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly: (blocks,)."""
        return self.rate_of(self.ordered(np.abs(quantised)), level)

    def rate_of(self, magnitudes: npt.NDArray[np.integer], level: int) -> npt.NDArray[np.float64]:
        """As `rate`, of magnitudes in the order of coding."""
        cells = np.zeros(self.grid.cells)
        for own, classes in self._layers(magnitudes, level):
            cells += self.costs_of(own, classes)
        return self.rates(cells)

    def costs_of(
        self, magnitudes: npt.NDArray[np.integer], classes: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.float32]:
        """Bits of magnitudes (frequencies, ranks, cells) in each cell."""
        bits = self.tables.costs.ravel().take(_places(magnitudes, classes))
        cost: npt.NDArray[np.float32] = bits.sum((0, 1))
        return cost

    def rates(self, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Bits of each block's payload, given those of each cell in the order of coding."""
        total: npt.NDArray[np.float64] = np.bincount(
            self.grid.blocks[self.grid.order], weights=cells, minlength=self.blocks
        ).astype(np.float64)
        # A lane's state holds 8 bits of content on average; two fewer are counted, so that what
        # is said to fit mostly does.
        return total + OVERHEAD - 6 * LANES

    def classes(self, quantised: Quantised, level: int) -> npt.NDArray[np.uint8]:
        """The class of each coefficient, shaped as they are."""
        return self.as_given(self.classes_of(self.ordered(np.abs(quantised)), level))

    def classes_of(self, magnitudes: npt.NDArray[np.integer], level: int) -> npt.NDArray[np.uint8]:
        """As `classes`, of magnitudes in the order of coding, and in that order."""
        return np.concatenate([classes for _, classes in self._layers(magnitudes, level)])

    def rounded(
        self,
        sizes: npt.NDArray[np.float32],
        level: int,
        thresholds: npt.NDArray[np.float32],
        *,
        priced: bool = True,
    ) -> tuple[Quantised, npt.NDArray[np.float64]]:
        """Round to whole numbers that are worth their bits.

        Args:
            sizes: (cell², ranks, cells) absolute values in steps, in the order of coding, at
                most `LARGEST`.
            level: that they are written at.
            thresholds: see `rounding.thresholds`.
            priced: whether the second result is wanted.

        Returns:
            The magnitudes; and about what each block's payload will take: within 0.2 % of what
            `rate_of` says, in one pass instead of two.
        """
        tables, most = self.tables, thresholds.shape[1] - 1
        around = self._around(level)
        result: Quantised = np.empty(sizes.shape, np.int32)
        cells = np.zeros(self.grid.cells)
        for number, place in enumerate(layers_of(tables.cell)):
            own, below = result[place], sizes[place].astype(np.int32)
            above = sizes[place] - below.astype(np.float32)
            np.add(below, above > 0.5 + DEAD_ZONE, out=own)
            # Classes are those of the layer as it would be then: near enough to choose by.
            classes = class_of(around.expected_layer(number, own, tables.weights, self._first))
            chosen = np.minimum(below, most)
            chosen += classes * np.int32(most + 1)
            np.add(below, above > thresholds.ravel().take(chosen), out=own)
            if priced:
                cells += self.costs_of(own, classes)
            around.put_layer(number, own)
        return result, self.rates(cells)

    def write(self, quantised: Quantised, level: int) -> list[Bits]:
        """Payloads of all blocks; magnitudes are at most `LARGEST`."""
        return self.write_ordered(self.ordered(quantised), level)

    def write_ordered(self, quantised: Quantised, level: int) -> list[Bits]:
        """As `write`, of coefficients in the order of coding."""
        entries: list[tuple[Seats, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]] = []
        plain: list[_Plain] = []
        place = 0
        for number, (own, classes) in enumerate(self._layers(np.abs(quantised), level)):
            count = len(own)
            # Ranks, colours, cells, frequencies: the order of steps, a block's symbols in one run.
            flat, cls = (np.ascontiguousarray(a.transpose(1, 2, 0)).ravel() for a in (own, classes))
            negative = (quantised[place : place + count] < 0).transpose(1, 2, 0).ravel()
            place += count
            symbols = _places(flat, cls)
            pairs = self.tables.places.take(symbols, axis=0)
            entries += self._entries(number, pairs)
            plain.append(self._plain(flat, cls, symbols & (SYMBOLS - 1), negative, count))
        states, words = encode(entries, self.blocks)
        raw, borders = self._raw(plain)
        return [
            _payload(states[b], words[b], raw[borders[b] : borders[b + 1]])
            for b in range(self.blocks)
        ]

    def _layers(
        self, magnitudes: npt.NDArray[np.integer], level: int
    ) -> Iterator[tuple[npt.NDArray[np.integer], npt.NDArray[np.uint8]]]:
        """Magnitudes in the order of coding and their classes, layer by layer."""
        around = self._around(level)
        for number, place in enumerate(layers_of(self.tables.cell)):
            own = magnitudes[place]
            expected = around.expected_layer(number, own, self.tables.weights, self._first)
            yield own, class_of(expected)

    def _around(self, level: int) -> Surroundings:
        tables = self.tables
        return Surroundings(self.grid, tables.cell, exp2(tables.scales - level), self._before)

    def _entries(
        self, number: int, pairs: npt.NDArray[np.uint32]
    ) -> Iterator[tuple[Seats, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]]:
        """What `encode` takes of a layer's steps; pairs are frequency and start."""
        place = 0
        for step in steps(self.tables.cell, self.tables.ranks, number):
            own = pairs[place : place + len(step.frequencies) * len(self._owners[step.colour])]
            place += len(own)
            yield self._seat(step), own[:, 0], own[:, 1]

    def _plain(
        self,
        magnitudes: npt.NDArray[np.integer],
        classes: npt.NDArray[np.uint8],
        symbols: Ints,
        negative: npt.NDArray[np.bool_],
        count: int,
    ) -> _Plain:
        """What of a layer is written as it is."""
        widths = _WIDTHS.take(classes * np.int64(SYMBOLS) + symbols)
        chosen = np.flatnonzero(widths)
        symbol, shift = symbols[chosen], SHIFTS[classes[chosen]]
        m = magnitudes[chosen].astype(np.int64)
        low = m & ((1 << shift) - 1)
        escaped = np.flatnonzero(symbol == SYMBOLS - 1)
        rest = (m[escaped] >> shift[escaped]) - (SYMBOLS - 1)
        low[escaped] = low[escaped] << _ESCAPE_BITS | rest
        low = np.where(_signed(shift, symbol), low << 1 | negative[chosen], low)
        owners = np.repeat(self.grid.blocks[self.grid.order].astype(np.uint16), count)
        owner = np.tile(owners, self.tables.ranks)[chosen]
        return _Plain(low, widths[chosen], owner)

    def _raw(self, plain: Sequence[_Plain]) -> tuple[Bits, Ints]:
        """All plain bits, block after block, and where each block's begin."""
        owner = np.concatenate([p.owners for p in plain])
        order = np.argsort(owner, kind="stable")
        width = np.concatenate([p.widths for p in plain])[order].astype(np.int64)
        ends = np.cumsum(width)
        raw = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
        put(raw, ends - width, np.concatenate([p.values for p in plain])[order], width)
        lengths = np.bincount(owner[order], weights=width, minlength=self.blocks)
        return raw, np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)

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
        around = Surroundings(grid, tables.cell, self._base(level[whole], level))
        for step in steps(tables.cell, tables.ranks):
            classes = class_of(around.expected(step, tables.weights))
            number = classes.T.ravel().astype(np.int64)
            symbol = decoder.take(
                self._seat(step),
                number,
                tables.frequencies.counts,
                tables.starts,
                tables.symbols,
            )
            owner = self._symbol_owners(step)
            number *= SYMBOLS
            number += symbol
            width = _WIDTHS.take(number)
            if not whole.all():
                width[~whole[owner]] = 0
            # Where nothing plain is read, the magnitude is 0.
            chosen = np.flatnonzero(width)
            signed = np.zeros(len(symbol), np.int32)
            if len(chosen):
                own = owner[chosen]
                w = width[chosen].astype(np.int64)
                before = np.cumsum(w) - w
                totals = np.bincount(own, weights=w, minlength=self.blocks).astype(np.int64)
                first = pointers - np.cumsum(totals) + totals
                value = raw.get(first[own] + before, w)
                pointers += totals
                signed[chosen] = _signed_magnitudes(number[chosen], value)
            values = signed.reshape(classes.T.shape).T
            place = layers_of(tables.cell)[step.layer], step.rank, grid.spans[step.colour]
            quantised[place] = values
            found[place] = classes
            around.put(step, np.abs(values))
        return self.as_given(quantised), self.as_given(found)

    def _base(self, levels: Ints, level: Ints) -> Magnitudes:
        """What `Surroundings` begins with: of all cells alike, if their blocks' levels are."""
        scales = self.tables.scales
        if len(levels) and (levels == levels[0]).all():
            return exp2(scales - np.int32(levels[0]))
        return exp2(scales[..., None] - level.astype(np.int32)[self.grid.blocks])

    def as_given(self, ordered: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Undo `ordered`."""
        cells = np.empty(self.grid.cells, np.int64)
        cells[self.grid.order] = np.arange(self.grid.cells)
        frequencies = np.empty(self.tables.cell**2, np.int64)
        frequencies[by_layer(self.tables.cell)] = np.arange(len(frequencies))
        return ordered[frequencies].take(cells, axis=-1)

    def _seat(self, step: Step) -> Seats:
        key = (step.colour, len(step.frequencies))
        if key not in self._seats:
            self._seats[key] = seats(self._counts[step.colour] * len(step.frequencies))
        return self._seats[key]

    def _symbol_owners(self, step: Step) -> Ints:
        return np.repeat(self._owners[step.colour], len(step.frequencies))


@dataclass(frozen=True)
class _Plain:
    """Plain bits: values, how many bits each takes, and the block that it belongs to."""

    values: Ints
    widths: npt.NDArray[np.uint8]
    owners: npt.NDArray[np.uint16]


def _places(magnitudes: npt.NDArray[np.integer], classes: npt.NDArray[np.uint8]) -> Ints:
    """Class · `SYMBOLS` + symbol of each magnitude."""
    symbols = np.minimum(magnitudes >> _SHIFTS_OF.take(classes), SYMBOLS - 1)
    place: Ints = symbols.astype(np.int64)
    place += classes * np.int64(SYMBOLS)
    return place


def _signed(shift: Ints, symbol: Ints) -> npt.NDArray[np.bool_]:
    """Whether a sign is written: not where the magnitude is 0 for sure."""
    return (symbol > 0) | (shift > 0)


def _signed_magnitudes(place: Ints, value: Ints) -> Ints:
    """Coefficients from class · `SYMBOLS` + symbol and from the plain bits, a sign being last."""
    symbol, shift = place & (SYMBOLS - 1), SHIFTS[place // SYMBOLS]
    low = value >> 1  # a place with plain bits has a sign among them
    escaped = np.flatnonzero(symbol == SYMBOLS - 1)
    high = symbol.copy()
    high[escaped] += low[escaped] & 0xFFFF
    low[escaped] >>= _ESCAPE_BITS
    m: Ints = (high << shift) + low
    np.negative(m, out=m, where=(value & 1).astype(bool))
    return m


_SHIFTS_OF = SHIFTS.astype(np.int32)
_WIDTHS = (
    SHIFTS[:, None]
    + _signed(SHIFTS[:, None], np.arange(SYMBOLS))
    + _ESCAPE_BITS * (np.arange(SYMBOLS) == SYMBOLS - 1)
)
_WIDTHS = _WIDTHS.astype(np.uint8).ravel()
"""Plain bits of each symbol in each class."""


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
    "DEAD_ZONE",
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
