"""A training as the command line orders it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from iiccli.atomic import atomic_path, check_target
from iiccli.errors import TrainingError
from iiccli.inference.device import choose, enough_memory
from iiccli.training.build import train_model
from iiccli.training.engine import choose_precision, make_engine
from iiccli.training.recipes import Recipe
from iiccli.training.run import Run
from iiccli.training.stopping import Stop
from iiccli.training.watching.base import Watcher, Watchers
from iiccli.training.watching.board import FOLDER, Board
from iiccli.training.watching.display import Display
from iiccli.training.watching.log import NAME, JsonLog
from iiccli.training.watching.sheets import SheetFiles
from iiccli.zoo.catalogue import find


@dataclass(frozen=True)
class Order:
    """What to train, and how.

    Attributes:
        recipe: see there.
        folder: of the run.
        name: of the model.
        data: folders and manifests.
        validation: the same, to validate on.
        output: a copy of the finished model.
        device: see `inference.device`.
        threads: of the CPU.
        memory: gigabytes for pictures.
        tensorboard: whether to write for TensorBoard.
        resume: go on with what the run holds.
        init: name or file of a model to start from.
        force: replace `output`.
    """

    recipe: Recipe
    folder: Path
    name: str
    data: Sequence[Path]
    validation: Sequence[Path] = ()
    output: Path | None = None
    device: str = "auto"
    threads: int | None = None
    memory: float | None = None
    tensorboard: bool = False
    resume: bool = False
    init: str | None = None
    force: bool = False


def carry_out(
    order: Order, report: Callable[[str], None], *, show: bool
) -> tuple[Path | None, int]:
    """Train.

    Args:
        order: see there.
        report: told what is going on.
        show: draw a display on the terminal.

    Returns:
        The model, None in all but the first of several processes and where a signal has stopped
        the training; and the exit code that the signal asks for, or 0.

    Raises:
        TrainingError, ModelError, DeviceError, OutputError, OutputExistsError: see `errors`.
    """
    device = choose(order.device)
    precision = choose_precision(order.recipe.loop.precision, device)
    if order.output is not None:
        check_target(order.output, force=order.force)
    run = Run(order.folder)
    if run.begun and not order.resume:
        raise TrainingError(
            f"{order.folder} holds a training already.",
            "Go on with --resume, or name another --run.",
        )
    init = None if order.init is None else find(order.init).path
    if order.threads is not None:
        torch.set_num_threads(order.threads)
    engine = make_engine(device, precision)
    with Stop(report) as stop, enough_memory():
        model = train_model(
            replace(order.recipe, name=order.name),
            order.data,
            order.folder,
            engine,
            validation=order.validation,
            memory=order.memory,
            resume=order.resume,
            init=init,
            stop=stop,
            watcher=_watchers(order, show=show) if engine.is_main_process else None,
            report=report,
        )
    if model is None or not engine.is_main_process:
        return None, stop.code
    if order.output is not None:
        with atomic_path(order.output, force=order.force) as temporary:
            shutil.copyfile(model, temporary)
        model = order.output
    return model, stop.code


def _watchers(order: Order, *, show: bool) -> Watchers:
    watchers: list[Watcher] = [
        JsonLog(order.folder / NAME),
        SheetFiles(order.folder / "sheets"),
    ]
    if order.tensorboard:
        watchers.append(Board(order.folder / FOLDER))
    if show:
        watchers.append(Display(Console(file=sys.stderr)))
    return Watchers(watchers)
