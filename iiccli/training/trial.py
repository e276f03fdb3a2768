"""A few steps on made-up pictures: what a recipe costs before there are any."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch

from iiccli.coding.layout import Span
from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.training import adaptive, dense
from iiccli.training.embedding import Embedding
from iiccli.training.footage import Footage, Index, footage_of
from iiccli.training.groups import Groups
from iiccli.training.loop import share_of
from iiccli.training.recipes import Recipe
from iiccli.training.repair import Repair
from iiccli.training.samples import Example
from iiccli.training.steps import Objective, Steps
from iiccli.zoo.modelfile import Card

if TYPE_CHECKING:
    from accelerate import Accelerator

_PICTURES = 6


@dataclass(frozen=True)
class Cost:
    """What a recipe costs on this machine.

    Attributes:
        parameters: that are learned.
        seconds: for a step: the mean over some, without the first.
        memory: bytes: the most that the device held; on a CPU, what the process grew by.
    """

    parameters: int
    seconds: float
    memory: int


def try_out(recipe: Recipe, engine: Accelerator, steps: int = 3) -> Cost:
    """Take some steps of a recipe on noise; nothing is kept.

    Raises:
        TrainingError: the batch cannot be shared out over the processes.
    """
    objective = objective_of(recipe, engine)
    device = engine.device
    cuda = device.type == "cuda"
    before = torch.cuda.memory_allocated(device) if cuda else psutil.Process().memory_info().rss
    stepper = Steps(objective, recipe, engine)
    share = share_of(recipe.loop.batch, engine)
    begun = 0.0
    for number in range(steps + 1):
        if number == 1:
            _wait(device)
            begun = time.perf_counter()
        stepper.take(objective.batch(number, share), number, 0.5)
    _wait(device)
    seconds = (time.perf_counter() - begun) / steps
    most = torch.cuda.max_memory_allocated(device) if cuda else _most()
    parameters = sum(p.numel() for p in objective.module.parameters())
    return Cost(parameters, seconds, max(most - before, 0))


def objective_of(recipe: Recipe, engine: Accelerator) -> Objective:
    """The objective of a recipe, on noise."""
    if recipe.network != "adaptive":
        net = dense.network_of(recipe).to(engine.device)
        groups = Groups(noise(recipe, engine.device), dense.wish_of(recipe))
        return Embedding(net, recipe, groups, None)
    net = adaptive.network_of(recipe)
    net.centres.fill_(0)
    card = Card(recipe.name, recipe.task, "adaptive", dict(recipe.config))
    converter = AdaptiveConverter(card, net, torch.device("cpu"), DEFAULT_TILE)
    side = -(-recipe.data.crop // net.config.cell + 1) * net.config.cell
    channels = (1,) if net.config.kind == "gray" else (3,)
    carrier = np.zeros((side // net.config.scale,) * 2 + channels, np.uint8)
    room = converter.room_for(carrier)
    room.advance(0, side)
    planes = room.planes.part(Span(0, side, 0, side))
    planes[:] = 0
    own = slice(None) if net.config.joint else slice(3)
    whole = torch.from_numpy(planes[own]).to(engine.device)
    cells = side // net.config.cell
    sides = room.side.part(Span(0, cells, 0, cells))
    sides[:] = 0
    example = Example(whole, whole, torch.from_numpy(sides[0]).half().to(engine.device))
    net.to(engine.device)
    net.enhancer.requires_grad_(True)
    return Repair(net, recipe, [example], [])


def noise(recipe: Recipe, device: torch.device) -> Footage:
    """Pictures of noise that serve every task."""
    side = 2 * recipe.data.crop * int(recipe.config.get("scale", 1)) + 16
    generator = torch.Generator().manual_seed(recipe.loop.seed)
    count = max(_PICTURES, recipe.pictures)
    pictures = [
        torch.randint(256, (3, side, side), generator=generator, dtype=torch.uint8)
        for _ in range(count)
    ]
    cutout = torch.randint(256, (4, side, side), generator=generator, dtype=torch.uint8)
    numbers = tuple(range(count))
    index = Index(stills=numbers, clips=(numbers,), pairs=((0, 1),), cutouts=(count,))
    return footage_of([*pictures, cutout], index, device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _most() -> int:
    """The most memory that this process ever had, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
