"""Classical statistics of the lowest bit, which need no training.

Both were made against programs that *replace* lowest bits. What moves samples up as well as down,
as iic does, they are known to see poorly; they are here because everybody tries them first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iiccli.evaluation.metrics import Pixels

_LEAST = 5.0
"""A pair of values that fewer samples are expected in says nothing."""


def chi_square(pixels: Pixels) -> float:
    """Chi-square on pairs of values (Westfeld and Pfitzmann 1999), per degree of freedom.

    Replacing lowest bits makes the values 2k and 2k + 1 equally frequent.

    Args:
        pixels: (H, W, C) uint8.

    Returns:
        About 1 where each two values are equally frequent, as after replacing all lowest bits;
        larger where they are not, as in most photographs. 1 where there is nothing to tell.
    """
    statistic, freedom = 0.0, 0
    for channel in np.moveaxis(pixels, -1, 0):
        pairs = np.bincount(channel.ravel(), minlength=256).reshape(128, 2)
        expected = pairs.sum(axis=1) / 2
        told = expected >= _LEAST
        even = pairs[told, 0] - expected[told]
        statistic += float((2 * even**2 / expected[told]).sum())
        freedom += int(told.sum())
    return statistic / freedom if freedom else 1.0


def sample_pairs(pixels: Pixels) -> float:
    """Sample pair analysis (Dumitrescu, Wu and Wang 2003) over all neighbours.

    Args:
        pixels: (H, W, C) uint8.

    Returns:
        Estimated bits per sample that replaced lowest bits: about 0 in photographs, 1 where all
        are replaced; the estimate errs by some hundredths, to both sides. 0 where there is nothing
        to tell.
    """
    wide = pixels.astype(np.int16)
    sides = [(wide[:, :-1], wide[:, 1:]), (wide[:-1], wide[1:])]
    outward = inward = same = total = 0
    for first, second in sides:
        odd = (second & 1).astype(bool)
        below, above = first < second, first > second
        outward += int(((~odd & below) | (odd & above)).sum())
        inward += int(((~odd & above) | (odd & below)).sum())
        same += int((first >> 1 == second >> 1).sum())
        total += first.size
    if not same:
        return 0.0
    roots: npt.NDArray[np.complex128] = np.roots(
        [2 * same, 2 * (2 * outward - total), inward - outward]
    ).astype(np.complex128)
    return 2 * float(roots.real.min())
