"""Samples of a carrier, run after run, as one stream of bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Bits, Ints
from iiccli.coding.digits import capacity, from_digits, grouping, to_digits

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int16]


class Runs:
    """Maps between samples and bits; so many digits at a time as hold whole bits together.

    Args:
        shape: (h, w, c) of the carrier.
        runs: flat indices of samples, and the modulus of all of them.

    Attributes:
        shape: as above.
        bits: how many there are.
    """

    def __init__(self, shape: tuple[int, ...], runs: Sequence[tuple[Ints, int]]) -> None:
        self.shape = shape
        self._runs = runs
        self.bits = sum(capacity(len(samples), q) for samples, q in runs)

    def write(self, stream: Bits, filled: Mask) -> tuple[Numbers, Mask]:
        """Give the digits of a stream.

        Args:
            stream: (bits,)
            filled: (bits,) which of them mean something.

        Returns:
            (h, w, c) numbers in 0..q-1, and which samples carry one; the others are free to keep
            the cover's own value.
        """
        numbers = np.zeros(self.shape, np.int16)
        used = np.zeros(self.shape, bool)
        place = 0
        for samples, q in self._runs:
            end = place + capacity(len(samples), q)
            numbers.reshape(-1)[samples] = to_digits(stream[place:end], len(samples), q)
            digits, bits_each = grouping(q)
            carries: Mask = np.any(filled[place:end].reshape(-1, bits_each), axis=1)
            used.reshape(-1)[samples[: len(carries) * digits]] = np.repeat(carries, digits)
            place = end
        return numbers, used

    def read(self, numbers: npt.NDArray[np.integer]) -> Bits:
        """The stream of a carrier's numbers (h, w, c); undoes `write`."""
        flat = numbers.reshape(-1)
        runs = [from_digits(flat[samples].astype(np.int64), q) for samples, q in self._runs]
        return np.concatenate([np.zeros(0, np.uint8), *runs])
