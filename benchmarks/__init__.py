"""Measurements, one module each: `python -m benchmarks [NAME ...]` runs them, as JSON.

These are the guards: each holds one figure against a bar, in minutes and without any data. What
is measured is measured by the package's own code; `iic bench` shows it all, beside other ways.

A benchmark is a module with a function `measure()` that gives a `Result`. Figures that depend on
the machine are reported; a bar is set on what does not, such as a ratio of two times.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """What a benchmark found.

    Attributes:
        value: the figure that the bar is set on.
        unit: of the figure, such as "ratio" or "s".
        bar: the highest value that passes; None if it only reports.
        details: whatever else was measured.
    """

    value: float
    unit: str
    bar: float | None = None
    details: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the bar was met."""
        return self.bar is None or self.value <= self.bar
