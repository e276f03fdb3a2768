"""How large a coefficient is likely to be, told from those that are known before it.

Coefficients are coded in *steps*: layer by layer of spatial frequency (u + v), in a layer rank by
rank, and in a rank the cells of one colour of a chessboard before those of the other. So most of
a coefficient's surroundings are known when its turn comes: lower frequencies of its cell and of
the four cells around, earlier ranks at its own frequency, and, on the second colour, the very
same coefficient of the cells around. A weighted sum of their magnitudes predicts its own; the
sum's *class* says with which table it is coded. All in whole numbers, so that every machine
computes the same. Cells of other blocks are never looked at: a block is decoded by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints

Magnitudes = npt.NDArray[np.int32]

UNIT = 256
"""Steps of the log scale to one factor of two."""

ONE = 1024
"""A weight, or an expected magnitude, of one."""

FEATURES = 8
"""What is summed; see `Surroundings.features`."""

CLASSES = 52
"""Classes of expected magnitude; `class_of` tells which."""

MOST = 8191
"""Magnitudes are cut off here before they are summed, so that sums stay within 32 bits."""

_FIRST, _RATIO = 8.0, 1.3
_LIMITS = np.rint(_FIRST * _RATIO ** np.arange(CLASSES - 1)).astype(np.int32)


_POWERS = np.rint(2.0 ** (np.arange(UNIT) / UNIT) * ONE * 2**14).astype(np.int64)


def class_of(expected: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Class of each expected magnitude (in parts of `ONE`): a quarter octave and a bit each."""
    return _CLASS_OF.take(expected, mode="clip")


_CLASS_OF = np.repeat(
    np.arange(CLASSES, dtype=np.uint8), np.diff(_LIMITS, prepend=0, append=_LIMITS[-1] + 1)
)
"""Classes of all numbers up to the last limit: looking up takes a third of a search's time."""


def class_centre(number: int) -> float:
    """The expected magnitude, in whole steps, in the middle of a class."""
    return float(_FIRST * _RATIO ** (number - 0.5) / ONE)


def exp2(steps: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """`ONE` · 2^(steps / UNIT), rounded down, at most `MOST` · `ONE`, in whole numbers."""
    whole, part = np.divmod(np.clip(steps, -20 * UNIT, 13 * UNIT - 1), UNIT)
    value: Magnitudes = ((_POWERS[part] << (whole + 20)) >> 34).astype(np.int32)
    return value


@dataclass(frozen=True)
class Grid:
    """Where the cells of a region lie.

    Attributes:
        blocks: (cells,) number of each cell's block.
        around: (4, cells) the cells above, below, left and right; `cells` where there is none
            in the same block.
        colours: the cells of either colour of the chessboard.
    """

    blocks: Ints
    around: Ints
    colours: tuple[Ints, Ints]

    @property
    def cells(self) -> int:
        """How many."""
        return len(self.blocks)

    @cached_property
    def order(self) -> Ints:
        """All cells, one colour after the other: in this order a colour is a slice."""
        return np.concatenate(self.colours)

    @cached_property
    def spans(self) -> tuple[slice, slice]:
        """Where the colours lie in `order`."""
        first = len(self.colours[0])
        return slice(0, first), slice(first, self.cells)


def part_of(grid: Grid, blocks: Ints) -> tuple[Grid, Ints]:
    """The grid of some blocks alone, numbered anew; and which cells of `grid` those are."""
    number = np.full(int(grid.blocks.max()) + 1, -1, np.int64)
    number[blocks] = np.arange(len(blocks))
    chosen = np.flatnonzero(number[grid.blocks] >= 0)
    place = np.full(grid.cells + 1, len(chosen), np.int64)
    place[chosen] = np.arange(len(chosen))
    first, second = (place[c[number[grid.blocks[c]] >= 0]] for c in grid.colours)
    owners = number[grid.blocks[chosen]]
    sort = [c[np.argsort(owners[c], kind="stable")] for c in (first, second)]
    return Grid(owners, place[grid.around[:, chosen]], (sort[0], sort[1])), chosen


def make_grid(blocks: npt.NDArray[np.integer]) -> Grid:
    """Make the grid of a region from the number of each cell's block, (rows, columns)."""
    rows, columns = blocks.shape
    cells = rows * columns
    number = np.arange(cells).reshape(rows, columns)
    beside = np.full((4, rows, columns), cells, np.int64)
    beside[0, 1:], beside[1, :-1] = number[:-1], number[1:]
    beside[2, :, 1:], beside[3, :, :-1] = number[:, :-1], number[:, 1:]
    owner = np.append(blocks.ravel(), -1)
    around: Ints = beside.reshape(4, cells)
    around[owner[around] != owner[:-1]] = cells
    colour = np.add.outer(np.arange(rows), np.arange(columns)).ravel() % 2
    order = np.argsort(blocks.ravel(), kind="stable")
    first, second = (order[colour[order] == c] for c in (0, 1))
    return Grid(blocks.ravel().astype(np.int64), around, (first, second))


@dataclass(frozen=True)
class Step:
    """What is coded at once: one rank of one layer in the cells of one colour.

    Attributes:
        layer: u + v.
        rank: among the principal components.
        colour: of the chessboard.
        frequencies: raster numbers u · cell + v of the layer's frequencies.
    """

    layer: int
    rank: int
    colour: int
    frequencies: Ints


def steps(cell: int, ranks: int, layer: int | None = None) -> Iterator[Step]:
    """All steps, or those of one layer, in the order of coding."""
    for number in range(2 * cell - 1) if layer is None else (layer,):
        frequencies = _frequencies(number, cell)
        for rank in range(ranks):
            for colour in (0, 1):
                yield Step(number, rank, colour, frequencies)


@lru_cache(maxsize=8)
def by_layer(cell: int) -> Ints:
    """All frequencies of a cell, (cell²,) raster numbers, in the order of coding."""
    return np.concatenate([step.frequencies for step in steps(cell, 1) if step.colour == 0])


@cache
def layers_of(cell: int) -> tuple[slice, ...]:
    """Where each layer's frequencies lie in the order of coding."""
    counts = [min(number + 1, 2 * cell - 1 - number) for number in range(2 * cell - 1)]
    ends = np.cumsum(counts).tolist()
    return tuple(slice(end - count, end) for end, count in zip(ends, counts, strict=True))


class Surroundings:
    """The magnitudes known so far, and what they tell of the next.

    Three layers are kept: those that matter to the next step.

    Args:
        grid: of the cells.
        cell: side of a cell in pixels.
        base: (cell², ranks) expected magnitudes with nothing known, in parts of `ONE`; or
            (cell², ranks, cells).
        before: (cell², cells) of ranks that are left out, which come before all that are here:
            their magnitudes' sums, frequencies by layer and cells in `grid.order`.
    """

    def __init__(
        self, grid: Grid, cell: int, base: Magnitudes, before: Magnitudes | None = None
    ) -> None:
        self.grid, self.cell, self._before = grid, cell, before
        self._ranks = base.shape[1]
        # Inside, cells are in `grid.order`: what belongs to a colour is a view, not a copy.
        self._base = base[..., grid.order] if base.ndim == 3 else base[..., None]
        place = np.empty(grid.cells + 1, np.int64)
        place[grid.order], place[-1] = np.arange(grid.cells), grid.cells
        self._around = [place[grid.around[:, cells]] for cells in grid.colours]
        self._layers = [self._layer(), self._layer(), self._layer()]
        self._number = 0
        self._begin()

    def put(self, step: Step, magnitudes: npt.NDArray[np.integer]) -> None:
        """Make known the magnitudes of a step, (frequencies, cells of the colour)."""
        layer, rows = self._reach(step.layer), self._rows(step.layer)
        own = layer.own[rows, step.rank]
        np.minimum(magnitudes, MOST, out=own[:, self.grid.spans[step.colour]])
        self._add_around(layer, rows, step.rank, 1 - step.colour)
        if step.colour == 1 and step.rank > 0:
            layer.before[rows] += layer.own[rows, step.rank - 1]

    def features(self, step: Step) -> list[Magnitudes]:
        """What the next step's magnitudes may depend on.

        Returns:
            `FEATURES` arrays (frequencies, cells of the colour), the last in parts of `ONE`,
            the others in whole magnitudes.
        """
        layer, rows = self._reach(step.layer), self._rows(step.layer)
        r, cells = step.rank, self.grid.spans[step.colour]
        lower, further = self._layers[1], self._layers[2]
        up, twice = _moved(rows, 1), _moved(rows, 2)
        previous = r - 1 if r else self._ranks
        base = self._base[step.frequencies, r]
        own = layer.own[rows, previous, cells]
        return [
            lower.own[up, r, cells] + lower.own[rows, r, cells],
            further.own[up, r, cells] + further.own[twice, r, cells] + further.own[rows, r, cells],
            lower.near[up, r, cells] + lower.near[rows, r, cells],
            own,
            layer.before[rows, cells],
            layer.near[rows, previous, cells],
            layer.near[rows, r, cells],
            np.broadcast_to(base if base.shape[1] == 1 else base[:, cells], own.shape),
        ]

    def expected(self, step: Step, weights: Magnitudes) -> Magnitudes:
        """Expected magnitudes of the next step in parts of `ONE`.

        Args:
            step: which.
            weights: (layers, ranks, 2, FEATURES) in parts of `ONE`.

        Returns:
            (frequencies, cells of the colour).
        """
        own = weights[step.layer, step.rank, step.colour]
        features = self.features(step)
        base = features[-1].astype(np.int64) * int(own[-1]) // ONE
        total: Magnitudes = base.astype(np.int32)
        product = np.empty_like(total)
        for feature, weight in zip(features[:-1], own[:-1].tolist(), strict=True):
            if weight:
                np.multiply(feature, np.int32(weight), out=product)
                total += product
        return total

    def put_layer(self, number: int, magnitudes: npt.NDArray[np.integer]) -> None:
        """Tell what a layer holds, perhaps anew, before the next one is asked for."""
        layer, rows = self._reach(number), self._rows(number)
        np.minimum(magnitudes, MOST, out=layer.own[rows, : self._ranks, : self.grid.cells])
        for colour in (0, 1):
            self._add_around(layer, rows, slice(self._ranks), colour)

    def expected_layer(
        self,
        number: int,
        magnitudes: npt.NDArray[np.integer],
        weights: Magnitudes,
        first: int = 0,
    ) -> Magnitudes:
        """Put a whole layer, and tell what was expected of it: as `expected` step by step.

        Who writes knows all magnitudes beforehand, and works on a layer at once.

        Args:
            number: of the layer, those before it being known.
            magnitudes: (frequencies, ranks, cells), the cells in `grid.order`.
            weights: as for `expected`.
            first: of no rank before this is it told; those are 0.

        Returns:
            Shaped as the magnitudes.
        """
        self.put_layer(number, magnitudes)
        layer, rows, ranks = self._reach(number), self._rows(number), self._ranks
        total: Magnitudes = np.empty(magnitudes.shape, np.int32)
        total[:, :first] = 0
        for rank in range(1, first):
            layer.before[rows] += layer.own[rows, rank - 1]
        # As many ranks at a time as stay in the processor's cache.
        stride = max(1, _AT_ONCE // max(1, total[:, 0].size))
        for start in range(first, ranks, stride):
            chosen = slice(start, min(ranks, start + stride))
            for colour in (0, 1):
                cells = self.grid.spans[colour]
                self._expect(number, chosen, colour, weights, total[:, chosen, cells])
            for rank in range(*chosen.indices(ranks)):
                if rank > 0:
                    layer.before[rows] += layer.own[rows, rank - 1]
        return total

    def _expect(
        self, number: int, ranks: slice, colour: int, weights: Magnitudes, total: Magnitudes
    ) -> None:
        """What is expected of some ranks of a layer, (frequencies, ranks, cells), into `total`."""
        layer, lower, further = self._layers
        rows, cells = self._rows(number), self.grid.spans[colour]
        up, twice = _moved(rows, 1), _moved(rows, 2)
        own = weights[number, ranks, colour].astype(np.int32)[:, :, None]
        base = self._base[_frequencies(number, self.cell), ranks]
        base = base if base.shape[-1] == 1 else base[..., cells]
        total[:] = base.astype(np.int64) * own[:, -1].astype(np.int64) // ONE
        part = np.empty(total.shape, np.int32)

        def add(feature: int, *summands: Magnitudes) -> None:
            if own[:, feature].any():
                _sum(summands, part)
                np.multiply(part, own[:, feature], out=part)
                np.add(total, part, out=total)

        add(0, lower.own[up, ranks, cells], lower.own[rows, ranks, cells])
        add(1, *(further.own[at, ranks, cells] for at in (up, twice, rows)))
        add(2, lower.near[up, ranks, cells], lower.near[rows, ranks, cells])
        # Of the first rank the one before is -1, the last: it is kept empty.
        before = np.arange(ranks.start, ranks.stop) - 1
        add(3, layer.own[rows, before, cells])
        add(4, self._sums_before(layer, rows, ranks, cells))
        add(5, layer.near[rows, before, cells])
        if colour == 1:  # the first colour comes before all that is around it
            add(6, layer.near[rows, ranks, cells])

    def _sums_before(self, layer: _Layer, rows: slice, ranks: slice, cells: slice) -> Magnitudes:
        """Of each of some ranks, what all those before the previous one add up to."""
        count = ranks.stop - ranks.start
        shape = (rows.stop - rows.start, count, cells.stop - cells.start)
        sums: Magnitudes = np.empty(shape, np.int32)
        sums[:, 0] = layer.before[rows, cells]
        for i in range(1, count):
            rank = ranks.start + i
            np.copyto(sums[:, i], sums[:, i - 1])
            if rank > 1:
                sums[:, i] += layer.own[rows, rank - 2, cells]
        return sums

    def _add_around(self, layer: _Layer, rows: slice, ranks: int | slice, colour: int) -> None:
        """Add up what is around the cells of a colour, which all is of the other."""
        own = layer.own[rows, ranks]
        near = layer.near[rows, ranks][..., self.grid.spans[colour]]
        above, below, left, right = self._around[colour]
        np.add(own.take(above, axis=-1), own.take(below, axis=-1), out=near)
        near += own.take(left, axis=-1)
        near += own.take(right, axis=-1)

    def _reach(self, number: int) -> _Layer:
        """A layer, which may be the one after the last."""
        if number != self._number:
            self._layers = [self._layer(), *self._layers[:2]]
            self._number = number
            self._begin()
        return self._layers[0]

    def _begin(self) -> None:
        """What comes before a layer's first rank."""
        if self._before is not None:
            own = self._layers[0].before[self._rows(self._number), : self.grid.cells]
            own[:] = self._before[layers_of(self.cell)[self._number]]

    def _layer(self) -> _Layer:
        # Two rows more in front, one rank more and one cell more: zeros for what is not there.
        shape = (self.cell + 2, self._ranks + 1, self.grid.cells + 1)
        arrays = np.zeros((2, *shape), np.int32)
        return _Layer(arrays[0], arrays[1], np.zeros(shape[::2], np.int32))

    def _rows(self, number: int) -> slice:
        """Where a layer's frequencies u · cell + v lie: at u + 2."""
        return slice(max(0, number - self.cell + 1) + 2, min(number, self.cell - 1) + 3)


_AT_ONCE = 2**15
"""Numbers that are worked on together: what belongs to them stays in the processor's cache."""


@dataclass(frozen=True)
class _Layer:
    """What is known of a layer.

    Attributes:
        own: (cell + 2, ranks + 1, cells + 1) magnitudes.
        near: shaped alike, the sums over the cells around.
        before: (cell + 2, cells + 1) sums over all ranks before the previous one.
    """

    own: Magnitudes
    near: Magnitudes
    before: Magnitudes


@lru_cache(maxsize=128)
def _frequencies(number: int, cell: int) -> Ints:
    """Raster numbers of a layer's frequencies."""
    u = np.arange(max(0, number - cell + 1), min(number, cell - 1) + 1)
    return u * cell + number - u


def _moved(rows: slice, by: int) -> slice:
    return slice(rows.start - by, rows.stop - by)


def _sum(summands: tuple[Magnitudes, ...], total: Magnitudes) -> None:
    if len(summands) == 1:
        np.copyto(total, summands[0])
        return
    np.add(summands[0], summands[1], out=total)
    for summand in summands[2:]:
        np.add(total, summand, out=total)
