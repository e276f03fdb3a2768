"""What vectors cost where they stand, for whoever may still choose them.

A vector's bits depend on three neighbours, and it changes what three others cost. So of each 2 × 2
vectors one may be chosen at a time, all over a field at once: `lattices`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints
from iiccli.coding.vectors import PARAMETERS, STILL_BITS, median_edge, rice_of, zigzag

Vectors = npt.NDArray[np.int32]
"""(..., 2, rows, columns)."""

Scalar = TypeVar("Scalar", bound=np.generic)

Lattice = tuple[int, int]
"""The first row and column of every second one."""


def lattices() -> Iterator[Lattice]:
    """Four that make up the whole."""
    for row in (0, 1):
        for column in (0, 1):
            yield row, column


class VectorPrices:
    """Prices of a field whose blocks are written each by itself; see `write_vectors`.

    Args:
        rows: at which blocks begin, the first being 0.
        columns: likewise.
        shape: (rows, columns) of the field.
    """

    def __init__(self, rows: Ints, columns: Ints, shape: tuple[int, int]) -> None:
        self._top = np.isin(np.arange(shape[0] + 1), rows)[:, None]
        self._left = np.isin(np.arange(shape[1] + 1), columns)
        self._rows, self._columns = rows, columns
        self._lengths = np.diff(rows, append=shape[0]), np.diff(columns, append=shape[1])

    def sums(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Of each block, what values (..., rows, columns) add up to in it."""
        down = np.add.reduceat(values, self._rows, -2)
        added: npt.NDArray[Scalar] = np.add.reduceat(down, self._columns, -1)
        return added

    def over(self, blocks: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Undo `sums` in shape: each block's value at all of its places."""
        return blocks.repeat(self._lengths[0], -2).repeat(self._lengths[1], -1)

    def rice(self, vectors: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
        """The parameter that each component of each block is written with, and what it takes.

        Returns:
            (2, rows, columns), at every place; and bits of each block.
        """
        whole: Vectors = vectors.astype(np.int32)
        rests = zigzag(whole - self.guesses(whole))
        counts = self.sums(np.ones(vectors.shape[1:], np.int64))
        chosen, bits = rice_of(np.stack([self.sums(rests >> k) for k in PARAMETERS]), counts)
        still = self.sums(np.abs(whole)) == 0
        bits = STILL_BITS + np.where(still, 0, bits)
        return self.over(np.where(still, 0, chosen)), bits.sum(0)

    def around(
        self, vectors: Vectors, candidates: Vectors, lattice: Lattice, rice: Ints
    ) -> npt.NDArray[np.int32]:
        """Bits that depend on the vectors of a lattice.

        Args:
            vectors: (2, rows, columns) that stand all around.
            candidates: (K, 2, ...) for the lattice's places.
            lattice: see there.
            rice: see `rice`.

        Returns:
            (K, ...).
        """
        height, width = vectors.shape[1:]
        # One more all around; what is beyond the end takes no bits.
        known = np.pad(vectors, ((0, 0), (1, 1), (1, 1)))
        rice = np.pad(rice, ((0, 0), (0, 1), (0, 1)))
        inside = np.pad(np.ones((height, width), np.int32), ((0, 1), (0, 1)))
        ys, xs = np.arange(lattice[0], height, 2), np.arange(lattice[1], width, 2)
        total = np.zeros((len(candidates), len(ys), len(xs)), np.int32)
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            rows, columns = ys + down, xs + right

            def seen(up: int, left: int) -> Vectors:
                """What stands at that distance from the place whose bits are counted."""
                if (up, left) == (down, right):  # noqa: B023
                    return candidates
                return known[:, (rows + 1 - up)[:, None], columns + 1 - left]  # noqa: B023

            around = seen(0, 1), seen(1, 0), seen(1, 1)
            guess = _guess(*around, self._top[rows], self._left[columns])
            place = rows[:, None], columns
            k = rice[:, *place]
            total += ((zigzag(seen(0, 0) - guess) >> k) + (k + 1)).sum(-3) * inside[place]
        return total

    def guesses(self, vectors: Vectors) -> Vectors:
        """What each vector is predicted as from its neighbours."""
        around = np.pad(vectors, ((0, 0), (1, 0), (1, 0)))
        left, above, corner = around[:, 1:, :-1], around[:, :-1, 1:], around[:, :-1, :-1]
        return _guess(left, above, corner, self._top[:-1], self._left[:-1])


def _guess(
    left: Vectors,
    above: Vectors,
    corner: Vectors,
    first_row: npt.NDArray[np.bool_],
    first_column: npt.NDArray[np.bool_],
) -> Vectors:
    """As `write_vectors` predicts in its blocks, whose first row and column know less."""
    edge = np.where(first_column, np.where(first_row, 0, above), left)
    return np.where(first_row | first_column, edge, median_edge(left, above, corner))
