"""An ensemble of Fisher's linear discriminants (Kodovský, Fridrich and Holub 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEARNERS = 64
SUBSPACE = 300
"""Features that each discriminant sees, at most."""
FEATURES_OF_ONE = 4
"""It sees so many for each picture in training, at most: more only fit its noise."""
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""What is added to the spread within a class, in parts of its mean; the best is taken."""


@dataclass(frozen=True)
class Ensemble:
    """A trained ensemble.

    Attributes:
        weights: (D,), of the features as they are.
        offset: what is taken off, so that 0 lies between the classes.
        covers: (N,) scores of the training covers, each by those discriminants only that were
            trained without it and its carrier.
        carriers: (N,) likewise.
    """

    weights: Array
    offset: float
    covers: Array
    carriers: Array

    def scores(self, found: Array) -> Array:
        """Score features (N, D): (N,), higher for carriers."""
        return found @ self.weights - self.offset


def train(covers: Array, carriers: Array, seed: int = 0) -> Ensemble:
    """Train on covers and their carriers.

    Each discriminant is trained on random features of random pictures, drawn with repetition; a
    cover and its carrier go together. The ridge is the one that separates best what was not drawn.

    Args:
        covers: (N, D) features, N >= 2.
        carriers: (N, D), of the same pictures in the same order.
        seed: of what is drawn.
    """
    both = np.concatenate((covers, carriers))
    middle, spread = both.mean(axis=0), both.std(axis=0)
    usable = spread > 1e-12
    scale = np.where(usable, 1 / np.where(usable, spread, 1), 0)
    x, y = (covers - middle) * scale, (carriers - middle) * scale
    best = max(
        (_trained(x, y, ridge, np.random.default_rng(seed)) for ridge in RIDGES), key=_separation
    )
    weights = best.weights * scale
    return Ensemble(weights, best.offset + float(middle @ weights), best.covers, best.carriers)


def _trained(x: Array, y: Array, ridge: float, draw: np.random.Generator) -> Ensemble:
    count, width = x.shape
    few = min(SUBSPACE, width, FEATURES_OF_ONE * count)
    weights, offset = np.zeros(width), 0.0
    sums, times = np.zeros((2, count)), np.zeros(count)
    for _ in range(LEARNERS):
        columns = draw.choice(width, few, replace=False)
        rows = draw.integers(count, size=count)
        w, b = _discriminant(x[np.ix_(rows, columns)], y[np.ix_(rows, columns)], ridge)
        weights[columns] += w / LEARNERS
        offset += b / LEARNERS
        out = np.setdiff1d(np.arange(count), rows)
        sums[0, out] += x[np.ix_(out, columns)] @ w - b
        sums[1, out] += y[np.ix_(out, columns)] @ w - b
        times[out] += 1
    seen = times > 0
    return Ensemble(weights, offset, *(sums[:, seen] / times[seen]))


def _discriminant(x: Array, y: Array, ridge: float) -> tuple[Array, float]:
    """Fisher's direction, one apart for the two means, and the place half way."""
    low, high = x.mean(axis=0), y.mean(axis=0)
    within = ((x - low).T @ (x - low) + (y - high).T @ (y - high)) / len(x)
    width = len(within)
    within[np.diag_indices(width)] += ridge * max(float(np.trace(within)) / width, 1e-9)
    w = np.linalg.solve(within, high - low)
    apart = float(w @ (high - low))
    w = w / apart if apart > 0 else w
    return w, float(w @ (low + high)) / 2


def _separation(found: Ensemble) -> float:
    """How far the classes are apart, in their spreads, where it was not trained; signed."""
    if not len(found.covers):
        return 0.0
    apart = float(found.carriers.mean() - found.covers.mean())
    return apart / float(np.sqrt(found.carriers.var() + found.covers.var()) + 1e-12)
