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
    # States are kept as float64, which is exact for 32 bits: numpy divides whole numbers one by
    # one, but floats several at once.
    x = np.full((blocks, LANES), float(_LOW))
    words: list[Words] = []
    owners: list[npt.NDArray[np.uint16]] = []
    for seat, frequency, start in reversed(steps):
        x, before, emits = _encode_step(x, seat, frequency, start)
        mine = emits.transpose(1, 0, 2)
        words.append(before.transpose(1, 0, 2)[mine].astype(np.uint16))
        owners.append(np.repeat(np.arange(blocks, dtype=np.uint16), mine.sum((1, 2))))
    owner = np.concatenate([np.zeros(0, np.uint16), *reversed(owners)])
    run = np.concatenate([np.zeros(0, np.uint16), *reversed(words)])
    run = run[np.argsort(owner, kind="stable")]
    ends = np.cumsum(np.bincount(owner, minlength=blocks))
    return x.astype(np.uint64), np.split(run, ends[:-1])


def _encode_step(
    x: npt.NDArray[np.float64],
    seat: Seats,
    frequency: npt.NDArray[np.uint32],
    start: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """The states after a step; in each of its rows, the states before, and which emit a word."""
    # An empty seat is a symbol that is certain: it leaves a state as it is.
    f = np.full(seat.shape, float(TOTAL))
    c = np.zeros(seat.shape)
    f.reshape(-1)[seat.place] = frequency
    c.reshape(-1)[seat.place] = start
    limits = f * 2.0 ** (32 - PRECISION)
    shares = 1 / f
    np.subtract(TOTAL, f, out=f)
    before = np.empty(seat.shape, np.uint32)
    emits = np.empty(seat.shape, bool)
    x, y = x.copy(), np.empty_like(x)
    for row in range(seat.rows - 1, -1, -1):
        before[row] = x
        np.greater_equal(x, limits[row], out=emits[row])
        np.multiply(x, 2.0**-16, out=y)
        np.floor(y, out=y)
        np.copyto(x, y, where=emits[row])
        # The quotient, rounded down: half a unit more keeps it off the whole numbers, by more
        # than what the product is wrong.
        np.add(x, 0.5, out=y)
        y *= shares[row]
        np.floor(y, out=y)
        y *= f[row]
        x += y
        x += c[row]
    return x, before, emits


_RANKS = np.array(
    [[(mask >> (7 - j)).bit_count() - 1 for j in range(LANES)] for mask in range(256)]
)
"""Of each set of lanes, as a byte: which of them in turn a lane is, from 0; -1 before the first."""

_NUMBERS = _RANKS[:, -1] + 1
"""How many lanes are in each set."""


class Decoder:
    """Takes out what `encode` put in; damaged streams give wrong symbols, nothing worse.

    Args:
        states: (blocks, `LANES`).
        words: of each block.
    """

    def __init__(self, states: States, words: Sequence[Words]) -> None:
        self._x = states.astype(np.int64)
        lengths = np.array([len(run) + 1 for run in words], np.int64)
        # Behind each block's words a zero, which is what is read from there on.
        self._ends = (np.cumsum(lengths) - 1)[:, None]
        self._next = self._ends - lengths[:, None] + 1
        zero = np.zeros(1, np.uint16)
        self._words = np.concatenate([part for run in words for part in (run, zero)])
        self._words = self._words.astype(np.int64)

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
        # An empty seat is a symbol that is certain: it leaves a state as it is. It has a class of
        # its own, the last.
        count = frequencies.shape[1]
        f_of, start_of = (
            np.append(table.ravel().astype(np.int64), np.full(count, empty))
            for table, empty in ((frequencies, TOTAL), (starts, 0))
        )
        number = np.full(seat.shape, len(frequencies), np.int64)
        number.reshape(-1)[seat.place] = classes
        slots = np.minimum(number, len(frequencies) - 1) * TOTAL
        number *= count
        flat = symbols.reshape(-1)
        found = np.empty(seat.shape, np.uint8)
        x = self._x
        slot, place, f = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        low = np.empty(x.shape, bool)
        for row in range(seat.rows):
            np.bitwise_and(x, TOTAL - 1, out=slot)
            np.add(slots[row], slot, out=place)
            flat.take(place, out=found[row], mode="clip")
            np.add(number[row], found[row], out=place)
            f_of.take(place, out=f, mode="clip")
            x >>= PRECISION
            x *= f
            x += slot
            start_of.take(place, out=f, mode="clip")
            x -= f
            np.less(x, _LOW, out=low)
            self._refill(x, low)
        return found.reshape(-1)[seat.place]

    def _refill(self, x: Ints, low: npt.NDArray[np.bool_]) -> None:
        """Append the next word of its block to each state that is low, in the order of lanes."""
        which = np.packbits(low, axis=1)[:, 0]
        place = _RANKS.take(which, axis=0)
        place += self._next
        np.minimum(place, self._ends, out=place)
        more = self._words.take(place, mode="clip")
        more |= x << 16
        np.copyto(x, more, where=low)
        self._next += _NUMBERS.take(which)[:, None]
