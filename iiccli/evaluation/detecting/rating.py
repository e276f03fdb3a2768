"""How well scores tell carriers from covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

FALSE_ALARMS = 0.05
"""Share of covers that may be taken for carriers where `Rating.missed` is read."""


@dataclass(frozen=True)
class Rating:
    """What a detector achieves; a higher score means "carrier".

    Attributes:
        accuracy: share of right answers at a threshold that was set beforehand, covers and carriers
            weighing the same; 0.5 is guessing.
        auc: chance that a carrier scores higher than a cover, ties counting half; 0.5 is guessing.
        equal_error: error where as many covers are accused as carriers pass, or nearly; 0.5 is
            guessing.
        missed: share of carriers that pass where at most `FALSE_ALARMS` of the covers are accused.
    """

    accuracy: float
    auc: float
    equal_error: float
    missed: float


def rate(covers: Scores, carriers: Scores, threshold: float) -> Rating:
    """Rate a detector by its scores of pictures that it has not seen.

    Args:
        covers: (N,), N > 0.
        carriers: (M,), M > 0.
        threshold: what scores higher is called a carrier.
    """
    alarms, misses = _errors(covers, carriers)
    nearest = int(np.argmin(np.abs(alarms - misses)))
    return Rating(
        accuracy=_accuracy(covers, carriers, threshold),
        auc=float((carriers[:, None] > covers).mean() + (carriers[:, None] == covers).mean() / 2.0),
        equal_error=float(alarms[nearest] + misses[nearest]) / 2,
        missed=float(misses[alarms <= FALSE_ALARMS].min()),
    )


def best_threshold(covers: Scores, carriers: Scores) -> float:
    """The threshold that is right most often; of several the one in the middle."""
    values = np.unique(np.concatenate((covers, carriers)))
    if len(values) == 1:
        return float(values[0])
    between = (values[1:] + values[:-1]) / 2
    right = np.array([_accuracy(covers, carriers, float(each)) for each in between])
    best = np.flatnonzero(right == right.max())
    return float(between[best[len(best) // 2]])


def _accuracy(covers: Scores, carriers: Scores, threshold: float) -> float:
    return float((covers <= threshold).mean() + (carriers > threshold).mean()) / 2


def _errors(covers: Scores, carriers: Scores) -> tuple[Scores, Scores]:
    """Shares of covers accused and of carriers that pass, at every threshold that differs."""
    thresholds = np.unique(np.concatenate(([-np.inf], covers, carriers)))[:, None]
    return (covers > thresholds).mean(axis=1), (carriers <= thresholds).mean(axis=1)
