"""How long `iic --version` takes, in units of `python -c pass`."""

from __future__ import annotations

from benchmarks import Result
from iiccli.benchmarking.startup import BARE, RUNS, startup_seconds
from iiccli.benchmarking.summary import STARTUP


def measure(runs: int = RUNS) -> Result:
    """Compare medians; see `startup_seconds`."""
    medians = startup_seconds(runs)
    ratio = medians["iic --version"] / medians[BARE]
    details = {f"{name} (s)": value for name, value in medians.items()}
    return Result(round(ratio, 2), "ratio", STARTUP, details)
