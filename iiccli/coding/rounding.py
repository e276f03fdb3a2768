"""Where to round coefficients: by what they cost, not only by how far off they are.

A larger magnitude takes more bits, the more so where the surroundings are small. It is worth them
where distortion + price · bits is less. (T. Berger: Optimum quantizers and permutation codes,
1972; rate-distortion optimised quantisation in H.264 and later.) Only who writes needs to know.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from iiccli.coding.coefficients import SHIFTS, SYMBOLS, Tables

Floats: TypeAlias = npt.NDArray[np.float32]

PRICE = 0.1
"""Of a bit, in squared steps. Fine steps have an error of 1/12, of which one bit more leaves a
quarter: a slope of ln(4) / 12 = 0.116. Of 0.09, 0.1, 0.12 and 0.16, 0.1 restores best."""

_MAGNITUDES = 40
"""What is larger is rounded as this: it costs hardly more than its neighbour."""


def thresholds(tables: Tables, centres: Floats) -> Floats:
    """How far above a magnitude a value is worth the next one.

    Args:
        tables: of the model.
        centres: (classes, n), how far values of a class lie from their magnitude on average.

    Returns:
        (classes, magnitudes), in steps; the last column is for all magnitudes from there on.
    """
    magnitudes = np.arange(_MAGNITUDES + 1)
    symbols = np.minimum(magnitudes >> SHIFTS[:, None], SYMBOLS - 1)
    bits = np.take_along_axis(tables.costs, symbols, axis=1)
    shifts = centres.astype(np.float64)
    shifts[:, 0] = 0  # a zero stays one
    values = magnitudes + shifts[:, np.minimum(magnitudes, centres.shape[1] - 1)]
    # (x - lower)² + price · bits = (x - upper)² + price · more bits, solved for x.
    lower, upper = values[:, :-1], values[:, 1:]
    border = (lower + upper) / 2 + PRICE * np.diff(bits, axis=1) / (2 * (upper - lower))
    return np.clip(border - magnitudes[:-1], 0.4, 1.0).astype(np.float32)
