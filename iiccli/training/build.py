"""From pictures to a model file."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from iiccli.training import adaptive, dense
from iiccli.training.export import export
from iiccli.training.footage import Footage, load_footage
from iiccli.training.loop import share_of, train
from iiccli.training.recipes import Recipe
from iiccli.training.run import Run
from iiccli.training.steps import Objective
from iiccli.training.watching.base import Watcher, Watchers

if TYPE_CHECKING:
    from accelerate import Accelerator

Report = Callable[[str], None]


def train_model(
    recipe: Recipe,
    data: Sequence[Path],
    folder: Path,
    engine: Accelerator,
    *,
    validation: Sequence[Path] = (),
    memory: float | None = None,
    resume: bool = True,
    init: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    watcher: Watcher | None = None,
    report: Report = lambda _: None,
) -> Path | None:
    """Train one model; every stage is kept in `folder`, so that a restart goes on where it was.

    Args:
        recipe: what to train.
        data: folders and manifests; see `footage.load_footage`.
        folder: of the run.
        engine: see `engine.make_engine`.
        validation: folders and manifests to validate on, for dense networks; without them some
            of the data are kept out.
        memory: gigabytes for pictures; None: half of what is free.
        resume: use what an earlier start left in `folder`.
        init: a model file to start from, as far as shapes fit; without effect where there is a
            checkpoint to go on from.
        stop: asked after every step; true ends with a checkpoint.
        watcher: told how far it is.
        report: called with what is going on, in the main process.

    Returns:
        `folder/model.safetensors`, without figures; None where `stop` has ended the training.

    Raises:
        TrainingError: no data, or `folder` belongs to another recipe.
        ModelError: nothing of `init` fits.
        OutputError: `folder` cannot be written to.
    """
    run = Run(folder)
    run.check(recipe)
    share_of(recipe.loop.batch, engine)
    watcher = watcher if watcher is not None and engine.is_main_process else Watchers(())
    report = report if engine.is_main_process else lambda _: None
    begun = time.monotonic()
    footage = _footage(recipe, data, memory, engine)
    kept = _footage(recipe, validation, memory, engine) if validation else None
    for message in footage.skipped + (kept.skipped if kept else ()):
        report(f"left out: {message}")
    objective: Objective | None
    if recipe.network == "adaptive":
        objective = adaptive.prepare(
            recipe, footage, run, engine, resume=resume, init=init, report=report
        )
    else:
        objective = dense.prepare(recipe, footage, kept, engine, init=init, report=report)
    if engine.is_main_process:
        run.begin(recipe)
        run.tell(
            {
                "data": _words(footage, data),
                "sources": [str(path.resolve()) for path in data],
                "init": init.name if init is not None else "",
            }
        )
    figures: dict[str, float] | None = {}
    if objective is not None:
        watcher.started(_facts(recipe, run, engine, objective.module))
        try:
            figures = train(objective, recipe, folder, engine, watcher, resume=resume, stop=stop)
        finally:
            watcher.close()
    if figures is None:
        return None
    if engine.is_main_process:
        minutes = run.facts().get("minutes_in_all", 0.0) + (time.monotonic() - begun) / 60
        run.tell(
            {
                "validation": figures,
                "minutes_in_all": round(minutes, 1),
                "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, "
                f"{engine.num_processes} × {engine.device.type}",
                "torch": torch.__version__,
            }
        )
        export(run, run.model, force=True)
    engine.wait_for_everyone()
    return run.model


def _footage(
    recipe: Recipe, sources: Sequence[Path], memory: float | None, engine: Accelerator
) -> Footage:
    # Tables are fitted on the CPU; the processes of one machine share its memory.
    device = torch.device("cpu") if recipe.network == "adaptive" else engine.device
    frames = recipe.pictures if recipe.task == "video" else 2
    return load_footage(sources, frames=frames, memory=memory, device=device)


def _words(footage: Footage, data: Sequence[Path]) -> str:
    return f"{footage.index.count} of {', '.join(path.name for path in data)}"


def _facts(recipe: Recipe, run: Run, engine: Accelerator, module: nn.Module) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "task": recipe.task,
        "network": recipe.network,
        "parameters": sum(p.numel() for p in module.parameters()),
        "device": str(engine.device),
        "run": run.folder,
        "steps": recipe.loop.steps,
        "minutes": recipe.loop.minutes,
    }
