"""Where in a picture a message's parts live: cells, blocks and regions.

A *cell* is the unit of the transform. A *block* of `BLOCK` pixels square is the unit of damage:
it begins with a head that says where its own coefficients are, so that a broken block takes no
other with it. A *region* of at most `REGION` blocks square shares one pool of bits, dealt out to
where they are needed; regions bound memory. A picture's last row and column of blocks take in
what is left over, so that every pixel carries message whatever the picture's size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from iiccli.coding.bits import Ints

BLOCK = 64
REGION = 16


@dataclass(frozen=True)
class Span:
    """A half-open rectangle of rows and columns."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an array of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Block:
    """One block: its pixels in the picture, and its cells counted from its region's first."""

    pixels: Span
    cells: Span


@dataclass(frozen=True)
class Region:
    """One region: its pixels, its cells in the picture's grid, and its blocks in raster order."""

    pixels: Span
    cells: Span
    blocks: tuple[Block, ...]

    def cell_order(self) -> Ints:
        """Raster numbers of the region's cells, block after block."""
        grid = np.arange(self.cells.shape[0] * self.cells.shape[1]).reshape(self.cells.shape)
        return np.concatenate([grid[b.cells.slices].ravel() for b in self.blocks])


def regions(height: int, width: int, cell: int, scale: int = 1) -> Iterator[Region]:
    """Cut a carrier of `height` × `width` pixels into regions, in raster order.

    Where it is `scale` times smaller than its pictures, a region has as many times fewer blocks
    along each axis: what it covers of the pictures is what takes memory.
    """
    most = max(1, REGION // scale)
    rows, columns = _cuts(height), _cuts(width)
    for region_rows in _groups(len(rows), most):
        for region_columns in _groups(len(columns), most):
            chosen_rows = rows[region_rows]
            chosen_columns = columns[region_columns]
            pixels = Span(
                chosen_rows[0][0], chosen_rows[-1][1], chosen_columns[0][0], chosen_columns[-1][1]
            )
            cells = _cells(pixels, cell)
            blocks = []
            for top, bottom in chosen_rows:
                for left, right in chosen_columns:
                    span = Span(top, bottom, left, right)
                    own = _cells(span, cell)
                    blocks.append(
                        Block(
                            span,
                            Span(
                                own.top - cells.top,
                                own.bottom - cells.top,
                                own.left - cells.left,
                                own.right - cells.left,
                            ),
                        )
                    )
            yield Region(pixels, cells, tuple(blocks))


def _cells(pixels: Span, cell: int) -> Span:
    return Span(
        pixels.top // cell, -(-pixels.bottom // cell), pixels.left // cell, -(-pixels.right // cell)
    )


def _cuts(length: int) -> list[tuple[int, int]]:
    """Block borders along one axis; the last block takes what is left over."""
    count = max(1, length // BLOCK)
    return [(i * BLOCK, length if i == count - 1 else (i + 1) * BLOCK) for i in range(count)]


def _groups(count: int, most: int) -> list[slice]:
    """Blocks along one axis into as few regions as possible, evenly."""
    parts = -(-count // most)
    borders = [i * count // parts for i in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(borders)]
