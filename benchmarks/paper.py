"""Time and memory of video-5, five frames of 480p, in shares of the paper's own network.

The two bars, see `iiccli.benchmarking.summary`, are put into one: what is told is the share that is
nearer to its bar, in units of the bar.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import Result
from iiccli.benchmarking.speed import SIZES, in_own_process
from iiccli.benchmarking.summary import FASTER, MEMORY
from iiccli.benchmarking.trial import PAPER, Trial
from iiccli.zoo.catalogue import find

PHOTOGRAPH = Path(__file__).parents[1] / "docs" / "images" / "embed-video.jpg"


def measure(size: tuple[int, int] = SIZES["480p"]) -> Result:
    """Compare the sums of both ways, and the most memory; each network has its own process."""
    found = {
        name: in_own_process(Trial(model, *size, "balanced", (str(PHOTOGRAPH),)))
        for name, model in (("ours", str(find("video-5").path)), ("paper", PAPER))
    }
    for name, figures in found.items():
        if "why" in figures:
            raise RuntimeError(f"{name}: {figures['why']}")
    seconds = {n: f["embed_seconds"] + f["restore_seconds"] for n, f in found.items()}
    memory = {n: f["peak_bytes"] for n, f in found.items()}
    times = seconds["paper"] / seconds["ours"]
    share = memory["ours"] / memory["paper"]
    details = {"times as fast": round(times, 2), "share of memory": round(share, 3)}
    details |= {f"{name} (s)": round(value, 2) for name, value in seconds.items()}
    details |= {f"{name} (MB)": round(value / 1e6, 1) for name, value in memory.items()}
    return Result(round(max(FASTER / times, share / MEMORY), 3), "of the bar", 1.0, details)
