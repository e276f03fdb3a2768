"""Coefficients to whole steps of a level, and back."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints
from iiccli.coding.coefficients import DEAD_ZONE, LARGEST, CoefficientCoder, Quantised
from iiccli.coding.contexts import UNIT

Floats: TypeAlias = npt.NDArray[np.float32]


def quantise(z: Floats, level: int) -> Quantised:
    """Round coefficients to whole steps of 2^(level / 256), towards zero where in doubt."""
    magnitudes = _rounded(np.abs(z), level)
    np.negative(magnitudes, out=magnitudes, where=z < 0)
    return magnitudes


def _rounded(sizes: Floats, level: int) -> Quantised:
    """Absolute values in whole steps."""
    scaled = _in_steps(sizes, level)
    scaled += np.float32(0.5 - DEAD_ZONE)
    np.minimum(scaled, np.float32(LARGEST), out=scaled)
    rounded: Quantised = scaled.astype(np.int32)  # cuts off, which for these is down
    return rounded


def _in_steps(sizes: Floats, level: int) -> Floats:
    return sizes * np.float32(2 ** (-level / UNIT))


def dequantise(
    quantised: Quantised, classes: npt.NDArray[np.uint8], levels: Ints, centres: Floats
) -> Floats:
    """Undo `quantise`, each magnitude to where values of its class lie on average."""
    magnitudes = np.abs(quantised)
    place = np.minimum(magnitudes, centres.shape[1] - 1)
    place += classes * np.int32(centres.shape[1])
    shifts = centres.copy()
    shifts[:, 0] = 0  # a zero stays one
    values: Floats = shifts.ravel().take(place)
    values += magnitudes
    values *= np.exp2(levels / UNIT).astype(np.float32)
    np.negative(values, out=values, where=quantised < 0)
    return values


class Trials:
    """Coefficients of some blocks, rounded at one level after the other.

    Args:
        coder: of the blocks.
        ordered: (cell², ranks, cells) in the order of coding; taken over.
        thresholds: where to round, see `coding.rounding`; None rounds all alike.

    Attributes:
        excess: by how much `CoefficientCoder.rate_of` is larger than what rounding by cost says
            on the way; None where it is not known, and `rate` has to ask.
    """

    def __init__(self, coder: CoefficientCoder, ordered: Floats, thresholds: Floats | None) -> None:
        self.excess: float | None = None
        self._coder, self._thresholds = coder, thresholds
        self._negative = ordered < 0
        self._sizes = np.abs(ordered, out=ordered)
        self._last: tuple[int, Quantised] | None = None

    def rate(self, level: int) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take at a level, nearly."""
        magnitudes, rates = self._rounded(level)
        self._last = level, magnitudes
        if rates is None or self.excess is None:
            return self._coder.rate_of(magnitudes, level)
        return rates * self.excess

    def quantised(self, level: int) -> Quantised:
        """The coefficients in whole steps, in the order of coding."""
        last, self._last = self._last, None  # what is given away is signed from now on
        whole = last[1] if last is not None and last[0] == level else self._rounded(level)[0]
        return np.negative(whole, out=whole, where=self._negative)

    def write(self, level: int) -> list[Bits]:
        """The payloads of all blocks at a level."""
        return self._coder.write_ordered(self.quantised(level), level)

    def excess_at(self, level: int) -> float | None:
        """What `excess` is at a level."""
        magnitudes, rates = self._rounded(level)
        if rates is None:
            return None
        return float(self._coder.rate_of(magnitudes, level).sum() / rates.sum())

    def _rounded(self, level: int) -> tuple[Quantised, npt.NDArray[np.float64] | None]:
        if self._thresholds is None:
            return _rounded(self._sizes, level), None
        scaled = np.minimum(_in_steps(self._sizes, level), np.float32(LARGEST - 1))
        return self._coder.rounded(scaled, level, self._thresholds)
