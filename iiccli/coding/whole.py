"""All samples of a carrier as one run of bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints
from iiccli.coding.digits import grouping
from iiccli.coding.runs import Mask, Numbers, Runs


class Whole:
    """Maps between the samples of a carrier and bytes.

    Channels of one modulus are taken together, in the order in which such a modulus first comes;
    their samples in raster order, channels together, so many digits at a time as hold whole bits
    together (`coding.digits`). Bits that make up no whole byte are not used.

    Args:
        free: (h, w, c) samples that may carry message.
        moduli: of the c channels.

    Attributes:
        size: how many bytes there are.
        rows: for each byte, the row of the picture in which it begins, (size,).
    """

    def __init__(self, free: Mask, moduli: Sequence[int]) -> None:
        index = np.arange(free.size).reshape(free.shape)
        runs: list[tuple[Ints, int]] = []
        rows: list[Ints] = []
        for q in dict.fromkeys(moduli):
            channels = [c for c, other in enumerate(moduli) if other == q]
            samples = index[..., channels][free[..., channels]]
            runs.append((samples, q))
            digits, bits = grouping(q)
            groups = samples[: len(samples) // digits * digits : digits]
            rows.append(np.repeat(groups // (free.shape[1] * free.shape[2]), bits))
        self._runs = Runs(free.shape, runs)
        self.size = self._runs.bits // 8
        self.rows: Ints = np.concatenate(rows)[: self.size * 8 : 8]

    def write(self, content: bytes) -> tuple[Numbers, Mask]:
        """Give the digits of `size` bytes.

        Returns:
            (h, w, c) numbers in 0..q-1, and which samples carry one.
        """
        stream = np.zeros(self._runs.bits, np.uint8)
        stream[: self.size * 8] = np.unpackbits(np.frombuffer(content, np.uint8))
        return self._runs.write(stream, np.ones(len(stream), bool))

    def read(self, numbers: npt.NDArray[np.integer]) -> bytes:
        """Undo `write`."""
        return np.packbits(self._runs.read(numbers)[: self.size * 8]).tobytes()
