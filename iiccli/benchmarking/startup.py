"""How long the command line takes to start, in units of `python -c pass`."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

RUNS = 25

BARE = "python -c pass"
COMMANDS = {
    BARE: ("-c", "pass"),
    "iic --version": ("-m", "iiccli", "--version"),
    "iic --help": ("-m", "iiccli", "--help"),
}
"""What is compared, as arguments of Python."""


def startup_seconds(runs: int = RUNS) -> dict[str, float]:
    """Medians; the commands take turns, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, words in COMMANDS.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - begun)
    return {name: round(median(found), 4) for name, found in times.items()}
