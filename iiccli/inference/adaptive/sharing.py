"""A region's coefficients rounded and written on several threads.

Blocks know nothing of one another. Reading goes step by step through arrays so small that threads
would only wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints
from iiccli.coding.coefficients import CoefficientCoder, Quantised
from iiccli.inference.adaptive.growing import Growing, Rounding
from iiccli.inference.adaptive.quantising import Floats, Trials
from iiccli.inference.threads import shared, workers

_FEWEST = 16
"""Blocks that are worth a thread."""


def trials_of(coder: CoefficientCoder, z: Floats, thresholds: Floats | None) -> SharedTrials:
    """Coefficients of a region, (cell², ranks, cells), for trials at one level after the other."""

    def begun(part: tuple[CoefficientCoder, Ints | slice]) -> Trials:
        own, cells = part
        return Trials(own, own.ordered(z[..., cells]), thresholds)

    return SharedTrials(shared(begun, _parts(coder)))


class InTurn:
    """Coefficients of a region, some ranks after the other, rounded by what they cost."""

    def __init__(self, coder: CoefficientCoder, rounding: Rounding) -> None:
        self.level = rounding.level
        self._parts = [(cells, Growing(own, rounding)) for own, cells in _parts(coder)]

    def add(self, z: Floats) -> Floats:
        """Round the ranks that come next, (cell², ranks, cells); gives what is decoded of them."""
        values = np.empty_like(z)

        def added(part: tuple[Ints | slice, Growing]) -> None:
            cells, own = part
            values[..., cells] = own.add(z[..., cells])

        shared(added, self._parts)
        return values

    def rates(self) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly."""
        return np.concatenate([own.rates() for _, own in self._parts])

    def write(self) -> list[Bits]:
        """The payloads of all blocks."""
        found = shared(lambda part: part[1].write(), self._parts)
        return [payload for own in found for payload in own]

    def quantised(self) -> Quantised:
        """In whole steps, (cell², ranks, cells)."""
        parts = [own.given() for _, own in self._parts]
        count = sum(part.shape[-1] for part in parts)
        whole: Quantised = np.empty((*parts[0].shape[:2], count), np.int32)
        for (cells, _), part in zip(self._parts, parts, strict=True):
            whole[..., cells] = part
        return whole


def _parts(coder: CoefficientCoder) -> list[tuple[CoefficientCoder, Ints | slice]]:
    """A coder for each thread, and which cells are its own."""
    count = max(1, min(workers(), coder.blocks // _FEWEST))
    if count == 1:
        return [(coder, slice(None))]
    borders = [i * coder.blocks // count for i in range(count + 1)]
    return [coder.part(np.arange(*span)) for span in pairwise(borders)]


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
