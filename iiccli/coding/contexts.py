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
from functools import cached_property

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

_LARGEST = 8191
"""Magnitudes are cut off here before they are summed, so that sums stay within 32 bits."""

_FIRST, _RATIO = 8.0, 1.3
_LIMITS = np.rint(_FIRST * _RATIO ** np.arange(CLASSES - 1)).astype(np.int32)


_POWERS = np.rint(2.0 ** (np.arange(UNIT) / UNIT) * ONE * 2**14).astype(np.int64)


def class_of(expected: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Class of each expected magnitude (in parts of `ONE`): a quarter octave and a bit each."""
    number = _QUICK[np.minimum(expected, len(_QUICK) - 1)]
    large = expected >= len(_QUICK)
    if large.any():
        number[large] = np.searchsorted(_LIMITS, expected[large], side="right")
    return number


_QUICK = np.searchsorted(_LIMITS, np.arange(2**16), side="right")
"""Classes of all but the largest, looked up: three times as fast."""


def class_centre(number: int) -> float:
    """The expected magnitude, in whole steps, in the middle of a class."""
    return float(_FIRST * _RATIO ** (number - 0.5) / ONE)


def exp2(steps: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """`ONE` · 2^(steps / UNIT), rounded down, at most `_LARGEST` · `ONE`, in whole numbers."""
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


def steps(cell: int, ranks: int) -> Iterator[Step]:
    """All steps, in the order of coding."""
    u, v = np.divmod(np.arange(cell * cell), cell)
    for layer in range(2 * cell - 1):
        frequencies = np.flatnonzero(u + v == layer)
        for rank in range(ranks):
            for colour in (0, 1):
                yield Step(layer, rank, colour, frequencies)


class Surroundings:
    """The magnitudes known so far, and what they tell of the next.

    Args:
        grid: of the cells.
        cell: side of a cell in pixels.
        base: (cell², ranks) expected magnitudes with nothing known, in parts of `ONE`; or
            (cell², ranks, cells).
    """

    def __init__(self, grid: Grid, cell: int, base: Magnitudes) -> None:
        self.grid, self.cell = grid, cell
        ranks = base.shape[1]
        # Inside, cells are in `grid.order`: what belongs to a colour is a view, not a copy.
        self._base = base[..., grid.order] if base.ndim == 3 else base[..., None]
        place = np.empty(grid.cells + 1, np.int64)
        place[grid.order], place[-1] = np.arange(grid.cells), grid.cells
        self._around = [place[grid.around[:, cells]] for cells in grid.colours]
        # One frequency more, one rank more and one cell more: zeros for what is not there.
        shape = (cell * cell + 1, ranks + 1, grid.cells + 1)
        self._own: Magnitudes = np.zeros(shape, np.int32)
        self._near: Magnitudes = np.zeros(shape, np.int32)
        self._before: Magnitudes = np.zeros((cell * cell + 1, grid.cells + 1), np.int32)
        u, v = np.divmod(np.arange(cell * cell), cell)
        none = cell * cell

        def shifted(du: int, dv: int) -> Ints:
            inside = (u >= du) & (v >= dv)
            return np.where(inside, (u - du) * cell + v - dv, none)

        self._below = tuple(shifted(*s) for s in ((1, 0), (0, 1)))
        self._further = tuple(shifted(*s) for s in ((1, 1), (2, 0), (0, 2)))

    def put(self, step: Step, magnitudes: npt.NDArray[np.integer]) -> None:
        """Make known the magnitudes of a step, (frequencies, cells of the colour)."""
        f, r = step.frequencies, step.rank
        own = np.minimum(magnitudes, _LARGEST)
        self._own[f, r, self.grid.spans[step.colour]] = own
        # All neighbours of a cell are of the other colour.
        other = 1 - step.colour
        above, below, left, right = (self._own[f, r][:, side] for side in self._around[other])
        self._near[f, r, self.grid.spans[other]] = above + below + left + right
        if step.colour == 1 and r > 0:
            self._before[f] += self._own[f, r - 1]

    def features(self, step: Step) -> list[Magnitudes]:
        """What the next step's magnitudes may depend on.

        Returns:
            `FEATURES` arrays (frequencies, cells of the colour), the last in parts of `ONE`,
            the others in whole magnitudes.
        """
        cells = self.grid.spans[step.colour]
        f, r = step.frequencies, step.rank
        previous = r - 1 if r else self._own.shape[1] - 1
        own, near = self._own, self._near
        lower = [own[b[f], r, cells] for b in self._below]
        further = [own[b[f], r, cells] for b in self._further]
        beside = [near[b[f], r, cells] for b in self._below]
        base = self._base[f, r]
        return [
            lower[0] + lower[1],
            further[0] + further[1] + further[2],
            beside[0] + beside[1],
            own[f, previous, cells],
            self._before[f, cells],
            near[f, previous, cells],
            near[f, r, cells],
            np.broadcast_to(base if base.shape[1] == 1 else base[:, cells], lower[0].shape),
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
        for feature, weight in zip(features[:-1], own[:-1].tolist(), strict=True):
            if weight:
                total += feature * np.int32(weight)
        return total
