"""Range asymmetric numeral systems, many streams at once.

Every block of a picture has a stream of its own, of `LANES` interleaved coders that share one run
of 16-bit words (Duda 2013; Giesen 2014, "Interleaved entropy coders"). All blocks and lanes move
together, a *row* at a time, so that numpy does the work. Symbols come in steps (see `contexts`);
a step's symbols of a block are dealt out to its lanes in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints

LANES = 8
PRECISION = 14
"""Frequencies add up to 2^14."""

TOTAL = 1 << PRECISION
_LOW = 1 << 16
_WORD = np.uint64(16)
_MASK = np.uint64(0xFFFF)
_SLOT = np.uint64(TOTAL - 1)
_BUFFER = 2**26
"""Words that are set aside at once, at most."""

Words = npt.NDArray[np.uint16]
States = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Seats:
    """Where the symbols of a step sit: sorted by block, so many of each.

    Attributes:
        rows: how many rows they take.
        place: (symbols,) index of each in an array (rows, blocks, lanes), flattened.
        shape: (rows, blocks, lanes).
    """

    rows: int
    place: Ints
    shape: tuple[int, int, int]


def seats(counts: Ints) -> Seats:
    """Seat a step of which block b has `counts[b]` symbols, block after block."""
    blocks = len(counts)
    rows = int(-(-counts.max(initial=0) // LANES))
    block = np.repeat(np.arange(blocks), counts)
    index = np.arange(len(block)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (index // LANES * blocks + block) * LANES + index % LANES
    return Seats(rows, place, (rows, blocks, LANES))


@dataclass(frozen=True)
class Frequencies:
    """How often each symbol is expected, in each class.

    Attributes:
        counts: (classes, symbols) uint32, at least 1 each, adding up to `TOTAL` in each row.
    """

    counts: npt.NDArray[np.uint32]

    def starts(self) -> npt.NDArray[np.uint32]:
        """Sum of the counts before each symbol, shaped as `counts`."""
        return (np.cumsum(self.counts, 1) - self.counts).astype(np.uint32)

    def symbols(self) -> npt.NDArray[np.uint8]:
        """Which symbol each of the `TOTAL` slots stands for, (classes, TOTAL)."""
        numbers = np.arange(self.counts.shape[1], dtype=np.uint8)
        return np.stack([np.repeat(numbers, row) for row in self.counts])


def encode(
    steps: Sequence[tuple[Seats, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]], blocks: int
) -> tuple[States, list[Words]]:
    """Encode all steps, to be decoded in the same order.

    Args:
        steps: each its seats and, per symbol, frequency and start.
        blocks: how many streams.

    Returns:
        The coders' states (blocks, `LANES`), 32 bits each, and each block's words.
    """
    x = np.full((blocks, LANES), _LOW, np.uint64)
    rows = sum(s.rows for s, _, _ in steps)
    size = rows * LANES  # a row emits at most one word a lane
    buffer = np.zeros((blocks, size), np.uint16) if blocks * size < _BUFFER else None
    chunks: list[list[Words]] = [[] for _ in range(blocks)]
    ends = np.full(blocks, size, np.int64)
    for seat, frequency, start in reversed(steps):
        f = np.zeros(seat.shape, np.uint64)
        c = np.zeros(seat.shape, np.uint64)
        f.reshape(-1)[seat.place] = frequency
        c.reshape(-1)[seat.place] = start
        for row in range(seat.rows - 1, -1, -1):
            own = f[row]
            active = own > 0
            full = active & (x >= own << np.uint64(32 - PRECISION))
            if full.any():
                block, lane = np.nonzero(full)
                words = (x[block, lane] & _MASK).astype(np.uint16)
                if buffer is None:
                    for b in np.unique(block):
                        chunks[b].append(words[block == b])
                else:
                    number = full.sum(1)
                    ends -= number
                    rank = (np.cumsum(full, 1) - 1)[block, lane]
                    buffer[block, ends[block] + rank] = words
                x = np.where(full, x >> _WORD, x)
            own = np.where(active, own, np.uint64(1))
            quotient, rest = np.divmod(x, own)
            x = np.where(active, (quotient << np.uint64(PRECISION)) + rest + c[row], x)
    if buffer is None:
        empty = np.zeros(0, np.uint16)
        return x, [np.concatenate([empty, *reversed(parts)]) for parts in chunks]
    return x, [buffer[b, ends[b] :].copy() for b in range(blocks)]


class Decoder:
    """Takes out what `encode` put in; damaged streams give wrong symbols, nothing worse.

    Args:
        states: (blocks, `LANES`).
        words: of each block.
    """

    def __init__(self, states: States, words: Sequence[Words]) -> None:
        self._x = states.astype(np.uint64).copy()
        lengths = np.array([len(run) for run in words], np.int64)
        self._ends = np.cumsum(lengths)
        self._next = self._ends - lengths
        # One word more, for reading past the end.
        self._words = np.concatenate([*words, np.zeros(1, np.uint16)]).astype(np.uint64)

    def take(
        self,
        seat: Seats,
        classes: Ints,
        frequencies: npt.NDArray[np.uint32],
        starts: npt.NDArray[np.uint32],
        symbols: npt.NDArray[np.uint8],
    ) -> npt.NDArray[np.uint8]:
        """The symbols of a step.

        Args:
            seat: of the step.
            classes: of each symbol.
            frequencies: `Frequencies.counts`.
            starts: `Frequencies.starts`.
            symbols: `Frequencies.symbols`.
        """
        active = np.zeros(seat.shape, bool)
        active.reshape(-1)[seat.place] = True
        number = np.zeros(seat.shape, np.int64)
        number.reshape(-1)[seat.place] = classes
        found = np.zeros(seat.shape, np.uint8)
        x = self._x
        for row in range(seat.rows):
            slot = x & _SLOT
            symbol = symbols[number[row], slot]
            found[row] = symbol
            f = frequencies[number[row], symbol]
            moved = f * (x >> np.uint64(PRECISION)) + slot - starts[number[row], symbol]
            x = np.where(active[row], moved, x)
            empty = x < _LOW
            if empty.any():
                place = self._next[:, None] + np.cumsum(empty, 1) - 1
                place = np.where(place < self._ends[:, None], place, len(self._words) - 1)
                x = np.where(empty, x << _WORD | self._words[place], x)
                self._next += empty.sum(1)
        self._x = x
        return found.reshape(-1)[seat.place]
