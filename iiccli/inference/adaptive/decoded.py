"""What lies between decoding and enhancing: a band of rows, however tall the picture is."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from iiccli.coding.layout import Span
from iiccli.room import room

Scalar = TypeVar("Scalar", bound=np.generic)


class Rows(Generic[Scalar]):
    """Some rows of a tall array, (..., rows, columns): they are added below and dropped above.

    Args:
        shape: of the whole, (..., rows, columns); memory is taken only for rows that are held.
        dtype: of its values.
    """

    def __init__(self, shape: tuple[int, ...], dtype: type[Scalar]) -> None:
        *self._planes, self._height, self._width = shape
        self.top = 0
        self._held: npt.NDArray[Scalar] = np.empty((*self._planes, 0, self._width), dtype)

    @property
    def bottom(self) -> int:
        """The row after the last that is held."""
        rows: int = self._held.shape[-2]
        return self.top + rows

    def advance(self, top: int, bottom: int) -> None:
        """Hold the rows from `top` to `bottom`, neither less than before; new ones are not set."""
        bottom = min(bottom, self._height)
        held = room((*self._planes, bottom - top, self._width), self._held.dtype.type)
        kept = self._held[..., top - self.top :, :]
        held[..., : kept.shape[-2], :] = kept
        self.top, self._held = top, held

    def part(self, span: Span) -> npt.NDArray[Scalar]:
        """A view of a rectangle that is held, (..., rows, columns)."""
        rows, columns = span.slices
        return self._held[..., rows.start - self.top : rows.stop - self.top, columns]


class Decoded:
    """Decoded planes of all pictures, and side planes for the enhancer, of a band of rows.

    Args:
        channels: of all pictures together.
        side: (pictures, planes) of the side planes, one value for each cell.
        cells: rows and columns of cells in the whole picture.
        cell: side of a cell in pixels.

    Attributes:
        planes: (channels, rows, columns) int16, in parts of the full range.
        side: (pictures, planes, rows, columns) float32, in cells.
    """

    def __init__(
        self, channels: int, side: tuple[int, int], cells: tuple[int, int], cell: int
    ) -> None:
        rows, columns = cells
        self.cell = cell
        self.planes = Rows((channels, rows * cell, columns * cell), np.int16)
        self.side = Rows((*side, rows, columns), np.float32)

    def advance(self, top: int, bottom: int) -> None:
        """Hold the rows of pixels from `top` to `bottom`, and what cells they touch."""
        self.planes.advance(top, bottom)
        self.side.advance(top // self.cell, -(-bottom // self.cell))
