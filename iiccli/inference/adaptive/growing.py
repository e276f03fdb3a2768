"""Coefficients of some blocks, rounded a few ranks at a time: pictures in sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits
from iiccli.coding.coefficients import LARGEST, CoefficientCoder, Known, Quantised
from iiccli.coding.contexts import UNIT
from iiccli.inference.adaptive.quantising import Floats, dequantise


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
        self._parts: list[npt.NDArray[np.int16] | Quantised] = []
        self._bits = np.zeros(coder.grid.cells)
        self._ranks = 0
        self._known: Known | None = None

    def add(self, z: Floats) -> Floats:
        """Round the ranks that come next, (cell², ranks, cells); gives what is decoded of them."""
        ordered = self._coder.ordered(z * np.float32(2 ** (-self._rounding.level / UNIT)))
        negative = ordered < 0
        sizes = np.abs(ordered, out=ordered)
        magnitudes, classes = self._rounded(np.minimum(sizes, np.float32(LARGEST - 1), out=sizes))
        self._bits += self._coder.costs_of(magnitudes, classes)
        self._known = Known.after(self._known, magnitudes)
        np.negative(magnitudes, out=magnitudes, where=negative)
        self._parts.append(_small(magnitudes))
        self._ranks += z.shape[1]
        level = np.array([self._rounding.level])
        values = dequantise(magnitudes, classes, level, self._rounding.centres)
        return self._coder.as_given(values)

    def rates(self) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly."""
        return self._coder.rates(self._bits)

    def write(self) -> list[Bits]:
        """The payloads of all blocks."""
        return self._coder.write_ordered(self._whole(), self._rounding.level)

    def given(self) -> Quantised:
        """All in whole steps, (cell², ranks, cells)."""
        return self._coder.as_given(self._whole())

    def _whole(self) -> Quantised:
        return np.concatenate(self._parts, 1, dtype=np.int32)

    def _rounded(self, sizes: Floats) -> tuple[Quantised, npt.NDArray[np.uint8]]:
        """Magnitudes and classes of the next ranks, in the order of coding."""
        known = self._known
        own = self._coder.following(slice(self._ranks, self._ranks + sizes.shape[1]), known)
        if known is not None:
            sizes = np.concatenate((known.last.astype(np.float32), sizes), 1)
        level, thresholds = self._rounding.level, self._rounding.thresholds
        magnitudes, _ = own.rounded(sizes, level, thresholds, priced=False)
        first = 0 if known is None else 1
        return magnitudes[:, first:], own.classes_of(magnitudes, level)[:, first:]


def _small(values: Quantised) -> npt.NDArray[np.int16] | Quantised:
    """The same in half the memory, where they fit."""
    limits = np.iinfo(np.int16)
    fits = values.min(initial=0) >= limits.min and values.max(initial=0) <= limits.max
    return values.astype(np.int16) if fits else values.copy()
