"""Classical statistics of the lowest bit, which need no training.

All were made against programs that *replace* lowest bits. What moves samples up as well as down,
as iic does, they are known to see poorly; they are here because everybody tries them first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iiccli.evaluation.metrics import Pixels

_LEAST = 5.0
"""A pair of values that fewer samples are expected in says nothing."""
_GROUP = 4
"""Neighbours that RS analysis looks at together; it changes the two in the middle."""


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


def regular_singular(pixels: Pixels) -> float:
    """RS analysis (Fridrich, Goljan and Du 2001) over groups of four in rows and in columns.

    A group is regular if flipping the lowest bits of its middle makes it rougher, singular if
    smoother. In photographs it matters little whether 2k and 2k + 1 or 2k - 1 and 2k change
    places; replacing lowest bits makes it matter.

    Args:
        pixels: (H, W, C) uint8.

    Returns:
        Estimated bits per sample that replaced lowest bits, as `sample_pairs` does. 0 where
        there is nothing to tell.
    """
    plain, plain_shifted = _excess(pixels)
    flipped, flipped_shifted = _excess(pixels ^ np.uint8(1))
    # Both lines through the differences, as they are and with all lowest bits flipped, meet the
    # parabolas of the others where nothing was replaced.
    square = 2 * (flipped + plain)
    linear = plain_shifted - flipped_shifted - flipped - 3 * plain
    roots = np.roots([square, linear, plain - plain_shifted])
    if not len(roots):
        return 0.0
    nearest = complex(roots[np.argmin(np.abs(roots))])
    return min(1.0, (nearest / (nearest - 0.5)).real) if nearest != 0.5 else 1.0


def _excess(pixels: Pixels) -> tuple[int, int]:
    """Regular groups less singular ones: where 2k and 2k + 1 swap, and where 2k - 1 and 2k do."""
    found = [0, 0]
    for lines in (pixels, pixels.swapaxes(0, 1)):
        whole = lines.shape[1] // _GROUP * _GROUP
        groups = lines[:, :whole].astype(np.int16)
        groups = groups.reshape(lines.shape[0], -1, _GROUP, lines.shape[2])
        before = _roughness(groups)
        for i, shift in enumerate((0, 1)):
            changed = groups.copy()
            changed[:, :, 1:-1] = ((groups[:, :, 1:-1] + shift) ^ 1) - shift
            found[i] += int(np.sign(_roughness(changed) - before).sum())
    return found[0], found[1]


def _roughness(groups: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Sum of the differences between neighbours in each group, (rows, groups, C)."""
    roughness: npt.NDArray[np.int64] = np.abs(np.diff(groups, axis=2)).sum(axis=2)
    return roughness
