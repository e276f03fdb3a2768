"""The training loop: a budget in minutes, checkpoints that survive anything, a log of numbers."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from iiccli.atomic import atomic_path
from iiccli.errors import TrainingError

UNREADABLE = (EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError, UnpicklingError)
"""What torch raises where a checkpoint is cut off, is no checkpoint, or does not fit."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        minutes: time budget; the learning rate has fallen to its end when it is used up.
        rate: peak learning rate (Adam).
        warmup: share of the budget over which the rate rises.
        clip: gradients are scaled down to this norm.
        ema: decay of the averaged weights, per step.
        checkpoint_minutes: time between checkpoints.
        steps: an upper limit on the number of steps; None for none.
        seed: of all chance.
    """

    minutes: float
    rate: float = 1e-3
    warmup: float = 0.01
    clip: float = 0.5
    ema: float = 0.998
    checkpoint_minutes: float = 2.0
    steps: int | None = None
    seed: int = 0


PRECISIONS = ("auto", "fp32", "bf16")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The number format of the convolutions in training.

    `auto` takes bfloat16 where the hardware multiplies it: CUDA, and CPUs with AMX (four to five
    times as fast there); without, it would be slower than float32.

    Raises:
        TrainingError: no such precision.
    """
    if name not in PRECISIONS:
        raise TrainingError(
            f"There is no precision {name!r}.", f"Choose one of: {', '.join(PRECISIONS)}."
        )
    if name == "auto":
        has_amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        fast = device.type == "cuda" or (device.type == "cpu" and has_amx())
        name = "bf16" if fast else "fp32"
    return torch.bfloat16 if name == "bf16" else torch.float32


class Objective(Protocol):
    """What is trained, on what, and how good it is."""

    module: nn.Module

    def loss(self, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Draw a batch; give its loss and figures for the log, detached and on the device."""
        ...

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Measure `module` on pictures kept out of training."""
        ...


class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the present weights; faster at first, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in module.named_parameters():
            self.values[name].lerp_(parameter, 1 - decay)

    def load(self, values: dict[str, Tensor]) -> None:
        """Take over a checkpoint's averages, onto the device where the module is."""
        self.values = {name: values[name].to(own.device) for name, own in self.values.items()}

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Write the averaged weights into `module`."""
        for name, parameter in module.named_parameters():
            parameter.copy_(self.values[name])


def train(
    objective: Objective,
    schedule: Schedule,
    run: Path,
    *,
    resume: bool = False,
    precision: torch.dtype = torch.float32,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, float]:
    """Train until the budget is used up; leave the averaged weights in `objective.module`.

    Every checkpoint holds everything (weights, average, optimiser, chance, time used), is written
    atomically as `run/checkpoint.pt`, and `resume` goes on from it. `run/log.jsonl` gets a line
    per report.

    Args:
        objective: what to train.
        schedule: for how long.
        run: folder of the run.
        resume: go on from the run's checkpoint if there is one.
        precision: bfloat16 runs the convolutions in mixed precision.
        stop: asked after every step; true ends the loop early, with a checkpoint.
        report: called with each line of the log.

    Returns:
        The last validation's figures.

    Raises:
        TrainingError: the checkpoint belongs to another schedule or network, or is damaged.
    """
    run.mkdir(parents=True, exist_ok=True)
    module = objective.module
    module.train()
    optimiser = torch.optim.Adam(module.parameters(), lr=schedule.rate, betas=(0.9, 0.99))
    average = Average(module, schedule.ema)
    generator = torch.Generator().manual_seed(schedule.seed)
    step, used = 0, 0.0
    checkpoint = run / "checkpoint.pt"
    if resume and checkpoint.exists():
        try:
            state = torch.load(checkpoint, weights_only=True, map_location="cpu")
            _check_schedule(state["schedule"], schedule, checkpoint)
            module.load_state_dict(state["module"])
            optimiser.load_state_dict(state["optimiser"])
            average.load(state["average"])
            generator.set_state(state["generator"])
            step, used = state["step"], state["used"]
        except UNREADABLE as error:
            raise TrainingError(
                f"{checkpoint} is damaged, or is from another network.",
                "Start in another folder, or remove it.",
            ) from error

    budget = schedule.minutes * 60
    start = time.monotonic() - used
    saved = reported = used
    seen: list[dict[str, Tensor]] = []
    device = next(module.parameters()).device

    def save() -> None:
        state = {
            "module": module.state_dict(),
            "average": average.values,
            "optimiser": optimiser.state_dict(),
            "generator": generator.get_state(),
            "step": step,
            "used": used,
            "schedule": asdict(schedule),
        }
        with atomic_path(checkpoint, force=True) as path:
            torch.save(state, path)

    def log(line: dict[str, Any]) -> None:
        with (run / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        report(line)

    def finished() -> bool:
        return used >= budget or (schedule.steps is not None and step >= schedule.steps)

    while not finished():
        share = used / budget
        if schedule.steps is not None:
            share = max(share, step / schedule.steps)
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * _rate(share, schedule.warmup)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            loss, figures = objective.loss(generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(module.parameters(), schedule.clip)
        if torch.isfinite(norm):
            optimiser.step()
            average.update(module, step)
        step += 1
        used = time.monotonic() - start
        seen.append(figures)
        if used - reported > 20 or finished():
            mean = {k: float(torch.stack([f[k] for f in seen]).mean()) for k in figures}
            log({"step": step, "minutes": round(used / 60, 2), **_rounded(mean)})
            seen, reported = [], used
        if used - saved > schedule.checkpoint_minutes * 60:
            save()
            saved = used
        if stop():
            break
    save()
    average.copy_to(module)
    module.eval()
    validation = objective.validate(module)
    log({"step": step, "minutes": round(used / 60, 2), "validation": _rounded(validation)})
    return validation


def _rate(share: float, warmup: float) -> float:
    """Linear warm-up, then a half cosine down to 1 %."""
    if share < warmup:
        return max(share / warmup, 0.01)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {k: round(v, 4) for k, v in figures.items()}


def _check_schedule(stored: dict[str, Any], wanted: Schedule, path: Path) -> None:
    """A longer or shorter budget may resume; anything else would be another training."""
    flexible = {"minutes", "checkpoint_minutes", "steps"}
    different = [
        f"{k}: {stored.get(k)} there, {v} here"
        for k, v in asdict(wanted).items()
        if k not in flexible and stored.get(k) != v
    ]
    if different:
        raise TrainingError(
            f"{path} is from another training ({'; '.join(different)}).",
            "Start in another folder, or with the recipe it was made with.",
        )
