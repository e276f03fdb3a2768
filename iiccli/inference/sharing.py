"""A region's coefficients rounded and written on several threads.

Blocks know nothing of one another. Reading goes step by step through arrays so small that threads
would only wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits
from iiccli.coding.coefficients import CoefficientCoder
from iiccli.inference.quantising import Floats, Trials
from iiccli.inference.threads import shared, workers

_FEWEST = 16
"""Blocks that are worth a thread."""


def trials_of(coder: CoefficientCoder, z: Floats, thresholds: Floats | None) -> SharedTrials:
    """Coefficients of a region, (cell², ranks, cells), for trials at one level after the other."""
    count = max(1, min(workers(), coder.blocks // _FEWEST))
    borders = [i * coder.blocks // count for i in range(count + 1)]

    def begun(span: tuple[int, int]) -> Trials:
        if count == 1:
            return Trials(coder, coder.ordered(z), thresholds)
        own, cells = coder.part(np.arange(*span))
        return Trials(own, own.ordered(z[..., cells]), thresholds)

    return SharedTrials(shared(begun, pairwise(borders)))


class SharedTrials:
    """The trials of all parts of a region."""

    def __init__(self, parts: Sequence[Trials]) -> None:
        self._parts = parts

    def expect(self, excess: float | None) -> None:
        """Take the quick rate for right once it is so many times as large; see `Trials.excess`."""
        for part in self._parts:
            part.excess = excess

    def rate(self, level: int) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take at a level, nearly."""
        return np.concatenate(shared(lambda part: part.rate(level), self._parts))

    def write(self, level: int) -> list[Bits]:
        """The payloads of all blocks at a level."""
        found = shared(lambda part: part.write(level), self._parts)
        return [payload for own in found for payload in own]
