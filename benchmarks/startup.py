"""How long `iic --version` takes, in units of `python -c pass`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import Result

BAR = 5.0
RUNS = 25


def measure(runs: int = RUNS) -> Result:
    """Compare medians; the commands take turns, so that a busy machine slows all alike."""
    iic = str(Path(sys.executable).with_name("iic"))
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "iic --version": [iic, "--version"],
        "iic --help": [iic, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(_seconds(command))
    medians = {name: median(found) for name, found in times.items()}
    ratio = medians["iic --version"] / medians["python -c pass"]
    details = {f"{name} (s)": round(value, 4) for name, value in medians.items()}
    return Result(round(ratio, 2), "ratio", BAR, details)


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
