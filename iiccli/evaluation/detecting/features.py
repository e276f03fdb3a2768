"""Features of noise: how often small differences of neighbouring samples occur together.

A subset of the spatial rich model (Fridrich and Kodovský 2012) with the reach of SPAM (Pevný, Bas
and Fridrich 2010), and the same across the three colours (Goljan, Fridrich and Cogranne 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from iiccli.evaluation.metrics import Pixels

Array = npt.NDArray[np.int16]

REACH = 3
"""Residuals count in -REACH..REACH; what is larger counts as that."""
LEVELS = 2 * REACH + 1
LEAST_SIDE = 8
"""Pixels of a side that features need."""


def features(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Frequencies of triples of residuals.

    Of each kind of residual first those of three neighbours along it, all channels and both
    directions together, then those of the three channels in one place. A triple, its negative and
    its mirror image are one where photographs make no difference between them.

    Args:
        pixels: (H, W, 3) uint8, with sides of `LEAST_SIDE` or more.

    Returns:
        (`COUNT`,); both parts of each kind sum to 1.
    """
    wide = pixels.astype(np.int16)
    turned = np.swapaxes(wide, 0, 1)
    found = []
    for kind in _KINDS:
        along = np.zeros(LEVELS**3, np.int64)
        across = np.zeros(LEVELS**3, np.int64)
        for view in (wide, turned):
            residual = kind(view)
            along += _counted(residual[:, :-2], residual[:, 1:-1], residual[:, 2:])
            across += _counted(*(residual[..., channel] for channel in range(3)))
        found += [_folded(along, _ALONG), _folded(across, _ACROSS)]
    return np.concatenate(found)


def first_order(x: Array) -> Array:
    """Differences of horizontal neighbours: (H, W, C) gives (H, W - 1, C), -REACH..REACH."""
    return _quantised(x[:, 1:] - x[:, :-1], 1)


def second_order(x: Array) -> Array:
    """How far a sample is from the mean of its horizontal neighbours, W - 2 of them."""
    return _quantised(x[:, :-2] - 2 * x[:, 1:-1] + x[:, 2:], 2)


def third_order(x: Array) -> Array:
    """How far a difference is from the mean of those beside it, W - 3 of them."""
    return _quantised(-x[:, :-3] + 3 * x[:, 1:-2] - 3 * x[:, 2:-1] + x[:, 3:], 3)


def square(x: Array) -> Array:
    """How far a sample is from what its eight neighbours predict, (H - 2) × (W - 2) of them."""
    down = x[:-2] - 2 * x[1:-1] + x[2:]
    return _quantised(down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:], 4)


_KINDS: tuple[Callable[[Array], Array], ...] = (first_order, second_order, third_order, square)


def _quantised(residual: Array, step: int) -> Array:
    """Divide, round halves away from zero as both signs have to be alike, and limit."""
    size = (np.abs(residual) * 2 + step) // (2 * step)
    return np.asarray(np.sign(residual) * np.minimum(size, REACH), np.int16)


def _counted(a: Array, b: Array, c: Array) -> npt.NDArray[np.int64]:
    """How often each triple occurs: (LEVELS³,)."""
    index = ((a + REACH) * LEVELS + (b + REACH)) * LEVELS + (c + REACH)
    return np.bincount(index.ravel(), minlength=LEVELS**3)


def _folded(counts: npt.NDArray[np.int64], to: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    return np.asarray(np.bincount(to, weights=counts) / max(counts.sum(), 1), np.float64)


def _alike(mirror: bool) -> npt.NDArray[np.intp]:
    """For each triple, the number of the class that it is in."""

    def members(index: int) -> Iterator[int]:
        a, b, c = index // LEVELS**2, index // LEVELS % LEVELS, index % LEVELS
        top = LEVELS - 1
        for x, y, z in ((a, b, c), (c, b, a)) if mirror else ((a, b, c),):
            yield (x * LEVELS + y) * LEVELS + z
            yield ((top - x) * LEVELS + top - y) * LEVELS + top - z

    first = [min(members(index)) for index in range(LEVELS**3)]
    return np.unique(first, return_inverse=True)[1].astype(np.intp)


_ALONG = _alike(mirror=True)
_ACROSS = _alike(mirror=False)
COUNT = len(_KINDS) * (int(_ALONG.max()) + int(_ACROSS.max()) + 2)
"""How many features there are."""
