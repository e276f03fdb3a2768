"""The figures of runs as curves, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from iiccli.training.watching.log import NAME, Line, read_log, scalars

Values = npt.NDArray[np.float64]

_FIRST = ("loss", "cover_psnr", "restored_psnr", "psnr", "gain")
_LAST = ("rate", "pictures_per_second", "skipped")

_SMOOTH_FROM = 60
"""Curves of so many points are smoothed, too."""

_SMOOTHING = 10
"""The mean is over one in so many of the points, the nearest counting most."""


@dataclass(frozen=True)
class Curve:
    """A figure over steps.

    Attributes:
        steps: (N,), never falling.
        values: (N,); NaN where there is none.
    """

    steps: Values
    values: Values

    @property
    def points(self) -> int:
        """How many values there are."""
        return int(np.isfinite(self.values).sum())

    def smoothed(self) -> Curve | None:
        """A running mean over a curve that has enough points for one, else None."""
        there = np.isfinite(self.values)
        steps, values = self.steps[there], self.values[there]
        if len(values) < _SMOOTH_FROM:
            return None
        window = np.bartlett((len(values) // _SMOOTHING | 1) + 2)
        # At both ends the mean is over what there is.
        number = np.convolve(np.ones_like(values), window, "same")
        return Curve(steps, np.convolve(values, window, "same") / number)


@dataclass
class Run:
    """What a run has logged.

    Attributes:
        name: its folder's name.
        minutes: of training used, over steps.
        training: figures by name, means between lines of the log.
        validation: likewise, of the validations.
    """

    name: str
    minutes: Curve
    training: dict[str, Curve] = field(default_factory=dict)
    validation: dict[str, Curve] = field(default_factory=dict)


def read_run(folder: Path) -> Run | None:
    """Read the log in a run's folder; None if nothing is logged yet.

    Raises:
        TrainingError: there is no log, or it cannot be read.
    """
    lines = read_log(folder / NAME)
    if not lines:
        return None
    minutes = [(line["step"], _number(line.get("minutes"))) for line in lines]
    return Run(
        folder.resolve().name,
        _curve(minutes),
        _curves([line for line in lines if "validation" not in line], "train/"),
        _curves([line for line in lines if "validation" in line], "validation/"),
    )


def panels(runs: Sequence[Run]) -> list[str]:
    """The names of all figures that are worth a panel: the best known ones first."""
    parts = [part for run in runs for part in (run.training, run.validation)]
    curves = [item for part in parts for item in part.items()]
    names = {name for name, curve in curves if name != "skipped" or (curve.values > 0).any()}
    names.discard("minutes")
    others = sorted(names.difference(_FIRST, _LAST))
    return [name for name in (*_FIRST, *others, *_LAST) if name in names]


def _curves(lines: Sequence[Line], kind: str) -> dict[str, Curve]:
    points: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in scalars(line).items():
            if name.startswith(kind):
                points.setdefault(name.removeprefix(kind), []).append(
                    (line["step"], _number(value))
                )
    return {name: _curve(found) for name, found in points.items()}


def _curve(points: Sequence[tuple[int, float]]) -> Curve:
    array = np.array(points, np.float64)
    return Curve(array[:, 0], array[:, 1])


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
