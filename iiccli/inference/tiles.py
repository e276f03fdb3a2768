"""Cutting a picture into tiles that overlap by as much as a network can see."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT_TILE = 512
"""Side of a tile in pixels, where the user names none."""


@dataclass(frozen=True)
class Tile:
    """One tile: what to compute from, and the part of it that is right.

    Attributes:
        outer: (top, bottom, left, right), what goes into the network.
        inner: the same for what is kept of the result.
    """

    outer: tuple[int, int, int, int]
    inner: tuple[int, int, int, int]

    @property
    def source(self) -> tuple[slice, slice]:
        """Rows and columns of the outer rectangle."""
        return slice(*self.outer[:2]), slice(*self.outer[2:])

    @property
    def target(self) -> tuple[slice, slice]:
        """Rows and columns of the inner rectangle."""
        return slice(*self.inner[:2]), slice(*self.inner[2:])

    @property
    def kept(self) -> tuple[slice, slice]:
        """The inner rectangle's rows and columns, counted inside the outer one."""
        top, left = self.outer[0], self.outer[2]
        return (
            slice(self.inner[0] - top, self.inner[1] - top),
            slice(self.inner[2] - left, self.inner[3] - left),
        )


def tiles(height: int, width: int, size: int, overlap: int, multiple: int) -> Iterator[Tile]:
    """Tiles of about `size` pixels a side, each seeing `overlap` pixels beyond what it keeps.

    With `overlap` not less than the network's reach, tiled and untiled results are the same.
    All borders are multiples of `multiple`, which must divide `height` and `width`.
    """
    overlap = -(-overlap // multiple) * multiple
    for top, bottom in _cuts(height, size, multiple):
        for left, right in _cuts(width, size, multiple):
            yield Tile(
                (
                    max(0, top - overlap),
                    min(height, bottom + overlap),
                    max(0, left - overlap),
                    min(width, right + overlap),
                ),
                (top, bottom, left, right),
            )


def _cuts(length: int, size: int, multiple: int) -> list[tuple[int, int]]:
    """Cut `length` into as few even parts as keep each at most about `size`."""
    units = length // multiple
    parts = max(1, -(-length // max(size, multiple)))
    borders = [i * units // parts * multiple for i in range(parts + 1)]
    return [(a, b) for a, b in itertools.pairwise(borders) if b > a]
