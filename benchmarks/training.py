"""What the training loop costs on top of the network's own forward and backward passes.

The same network on the same batch size: once bare (forward, backward, Adam), once in the whole
loop, which draws and mirrors groups, clips, averages weights, keeps the log and asks the clock.
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch

from benchmarks import Result
from iiccli.training.engine import make_engine
from iiccli.training.loop import share_of, train
from iiccli.training.recipes import Recipe, read_recipe
from iiccli.training.trial import objective_of
from iiccli.training.watching.base import Watchers
from iiccli.training.watching.log import JsonLog

BAR = 1.10
ROUNDS, STEPS = 5, 8


def measure(rounds: int = ROUNDS, steps: int = STEPS) -> Result:
    """Compare medians of single steps; the two take turns, so that a busy machine slows both."""
    recipe = read_recipe(
        "fast-hide", {"loop.steps": steps, "loop.precision": "fp32", "loop.compile": "never"}
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bare: list[float] = []
    whole: list[float] = []
    for _ in range(rounds):
        bare += _bare(recipe, device, steps)
        whole += _whole(recipe, device)
    details = {
        "bare (s per step)": round(median(bare), 4),
        "loop (s per step)": round(median(whole), 4),
    }
    return Result(round(median(whole) / median(bare), 3), "ratio", BAR, details)


def _bare(recipe: Recipe, device: torch.device, steps: int) -> list[float]:
    """Seconds of steps of forward, backward and Adam alone."""
    engine = make_engine(device)
    objective = objective_of(recipe, engine)
    module = objective.module.train()
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    batch = objective.batch(0, share_of(recipe.loop.batch, engine))
    moments = []
    for _ in range(steps):
        loss, _figures = objective.loss(module, batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        _wait(device)
        moments.append(time.perf_counter())
    return [b - a for a, b in pairwise(moments)]


def _whole(recipe: Recipe, device: torch.device) -> list[float]:
    """Seconds of steps of the whole loop."""
    engine = make_engine(device)
    objective = objective_of(recipe, engine)
    clock = Clock(device)
    with tempfile.TemporaryDirectory() as folder:
        watchers = Watchers((JsonLog(Path(folder) / "log.jsonl"), clock))
        watchers.started({})
        train(objective, recipe, Path(folder), engine, watchers)
        watchers.close()
    return [b - a for a, b in pairwise(clock.moments)]


class Clock(Watchers):
    """Notes when each step has ended."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(())
        self.device = device
        self.moments: list[float] = []

    def progress(self, step: int, share: float, seconds: float) -> None:
        """Look at the clock."""
        _wait(self.device)
        self.moments.append(time.perf_counter())


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
