"""Coefficients of some blocks, rounded a few ranks at a time: pictures in sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits
from iiccli.coding.coefficients import LARGEST, CoefficientCoder, Quantised
from iiccli.coding.contexts import UNIT
from iiccli.inference.quantising import Floats, dequantise


@dataclass(frozen=True)
class Rounding:
    """How coefficients are rounded, and what they are decoded to.

    Attributes:
        level: log2 of the quantiser's step in 1/256.
        thresholds: where to round, see `coding.rounding`.
        centres: see `dequantise`.
    """

    level: int
    thresholds: Floats
    centres: Floats


class Growing:
    """Coefficients that become more, some blocks' own."""

    def __init__(self, coder: CoefficientCoder, rounding: Rounding) -> None:
        self._coder, self._rounding = coder, rounding
        tables = coder.tables
        shape = (tables.cell**2, tables.ranks, coder.grid.cells)
        self._quantised = np.zeros(shape, np.int32)
        self._sizes = np.zeros(shape, np.float32)
        self._bits = np.zeros(coder.grid.cells)
        self._ranks = 0

    def add(self, z: Floats) -> Floats:
        """Round the ranks that come next, (cell², ranks, cells); gives what is decoded of them."""
        ranks = slice(self._ranks, self._ranks + z.shape[1])
        ordered = self._coder.ordered(z * np.float32(2 ** (-self._rounding.level / UNIT)))
        sizes = np.minimum(np.abs(ordered), np.float32(LARGEST - 1))
        magnitudes, classes = self._rounded(sizes)
        self._bits += self._coder.costs_of(magnitudes, classes)
        np.negative(magnitudes, out=magnitudes, where=ordered < 0)
        self._quantised[:, ranks], self._sizes[:, ranks] = magnitudes, sizes
        self._ranks = ranks.stop
        level = np.array([self._rounding.level])
        values = dequantise(magnitudes, classes, level, self._rounding.centres)
        return self._coder.as_given(values)

    def rates(self) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly."""
        return self._coder.rates(self._bits)

    def write(self) -> list[Bits]:
        """The payloads of all blocks."""
        return self._coder.write_ordered(self._quantised, self._rounding.level)

    def given(self) -> tuple[Quantised, Floats]:
        """All in whole steps, and how large they were before that: (cell², ranks, cells) each."""
        return self._coder.as_given(self._quantised), self._coder.as_given(self._sizes)

    def _rounded(self, sizes: Floats) -> tuple[Quantised, npt.NDArray[np.uint8]]:
        """Magnitudes and classes of the next ranks, in the order of coding."""
        known = np.abs(self._quantised[:, : self._ranks])
        own = self._coder.after(known, sizes.shape[1])
        if self._ranks:
            sizes = np.concatenate((known[:, -1:].astype(np.float32), sizes), 1)
        level, thresholds = self._rounding.level, self._rounding.thresholds
        magnitudes, _ = own.rounded(sizes, level, thresholds, priced=False)
        first = min(1, self._ranks)
        return magnitudes[:, first:], own.classes_of(magnitudes, level)[:, first:]
