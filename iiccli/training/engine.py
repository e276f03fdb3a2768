"""What a training runs on: one process or several, a number format. Hugging Face accelerate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iiccli.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from accelerate import Accelerator

PRECISIONS = ("auto", "fp32", "bf16", "fp16")

_AGREE = 10
"""Several processes compare their clocks every so many steps; it costs a wait for the device."""


def choose_precision(name: str, device: torch.device) -> str:
    """The number format of the convolutions in training: `fp32`, `bf16` or `fp16`.

    `auto` takes bfloat16 where the hardware multiplies it: CUDA, and CPUs with AMX (four to five
    times as fast there); without, it would be slower than float32.

    Raises:
        TrainingError: no such precision, or not on this device.
    """
    if name not in PRECISIONS:
        raise TrainingError(
            f"There is no precision {name!r}.", f"Choose one of: {', '.join(PRECISIONS)}."
        )
    if name == "fp16" and device.type == "cpu":
        raise TrainingError("fp16 is not for training on a CPU.", "Choose fp32 or bf16.")
    if name == "auto":
        has_amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        fast = device.type == "cuda" or (device.type == "cpu" and has_amx())
        return "bf16" if fast else "fp32"
    return name


def make_engine(device: torch.device, precision: str = "fp32") -> Accelerator:
    """Start the engine, in this process or as one of those that a launcher has started.

    Args:
        device: what to train on; several processes take one card each.
        precision: see `choose_precision`.

    Raises:
        TrainingError: accelerate is not installed.
        UsageError: one card was named for several processes.
    """
    try:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
    except ImportError as error:
        raise TrainingError(
            "Training needs packages that are not installed.", "pip install 'iiccli[train]'"
        ) from error
    if device.index is not None and launched() > 1:
        raise UsageError(
            f"Several processes cannot share {device}.", "Say --device cuda: each takes one."
        )
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    if launched() == 1:  # the state is shared by all of a process, and keeps its first precision
        AcceleratorState._reset_state(reset_partial_state=True)
    mixed = {"fp32": "no"}.get(precision, precision)
    return Accelerator(cpu=device.type == "cpu", mixed_precision=mixed)


def launched() -> int:
    """How many processes torchrun or accelerate launch has started; 1 without them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


class Pace:
    """The time that is used up, and whether to stop, the same in all processes."""

    def __init__(self, engine: Accelerator) -> None:
        self._engine = engine
        self._known = (0.0, False)

    def at(self, step: int, used: float, stop: bool) -> tuple[float, bool]:
        """What holds for this step.

        Args:
            step: the same in all processes.
            used: seconds, by the clock of this process; the main one's counts.
            stop: whether this process was asked to stop.
        """
        engine = self._engine
        if engine.num_processes == 1:
            return used, stop
        if step % _AGREE == 0:
            own = [used if engine.is_main_process else 0.0, float(stop)]
            told = engine.reduce(torch.tensor(own, device=engine.device), "sum").tolist()
            self._known = (told[0], told[1] > 0)
        return self._known


def mean_of(engine: Accelerator, seen: list[dict[str, Tensor]]) -> dict[str, float]:
    """Means of figures over steps and processes; waits for the device."""
    if not seen:
        return {}
    names = list(seen[0])
    means = torch.stack([torch.stack([f[k].float() for f in seen]).mean() for k in names])
    values: Any = engine.reduce(means.to(engine.device), "mean").tolist()
    return dict(zip(names, values, strict=True))
