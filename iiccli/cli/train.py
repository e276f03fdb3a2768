"""`iic train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from iiccli.cli.options import DeviceOption, QuietOption
from iiccli.cli.output import result, say
from iiccli.errors import TrainingError, UsageError


def train(
    data: Annotated[
        list[Path], typer.Option("--data", help="A folder of photographs or clips; repeatable.")
    ],
    run: Annotated[Path, typer.Option("--run", help="Folder of the run: checkpoints and log.")],
    task: Annotated[
        str,
        typer.Option(
            "--task", help="What to train: video, mono, dual, hide, layers, gray or rescale."
        ),
    ] = "video",
    pictures: Annotated[
        int | None,
        typer.Option("--pictures", min=1, max=16, help="Frames of a video (5), or secrets (1)."),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            "--scale",
            help="How many times smaller the carrier is: 2 or 4 to rescale (2); 2 for a video "
            "at half size.",
        ),
    ] = None,
    minutes: Annotated[
        float,
        typer.Option("--minutes", min=0, help="Time for the enhancer's training; 0 leaves it out."),
    ] = 45.0,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="At most this many steps.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the new model; else that of -o or --run.")
    ] = None,
    init: Annotated[
        str | None, typer.Option("--init", help="Name or file of a model to start from.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from what --run holds.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Copy the finished model file here.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="CPU threads.")] = None,
    precision: Annotated[
        str, typer.Option("--precision", help="fp32, bf16 (mixed), or auto: bf16 where it is fast.")
    ] = "auto",
    device: DeviceOption = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace --output if it exists.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Train a model on your own photographs and clips."""
    import dataclasses
    import shutil

    import torch

    from iiccli.atomic import atomic_path, check_target
    from iiccli.inference.device import choose
    from iiccli.training import recipes
    from iiccli.training.build import train_model
    from iiccli.training.loop import choose_precision
    from iiccli.training.sources import trainable
    from iiccli.zoo.catalogue import find

    if task not in trainable():
        raise UsageError(
            f"There is no recipe for the task {task!r}.",
            f"Choose one of: {', '.join(trainable())}.",
        )
    chosen = choose(device)
    choose_precision(precision, chosen)
    if output is not None:
        check_target(output, force=force)
    if not resume and (run / "checkpoint.pt").exists():
        raise TrainingError(
            f"{run} holds a training already.", "Go on with --resume, or name another --run."
        )
    if threads is not None:
        torch.set_num_threads(threads)
    if pictures is None:
        pictures = 1 if task == "hide" else 5
    if scale is None:
        scale = 2 if task == "rescale" else 1
    try:
        recipe = recipes.recipe_for(task, pictures, scale, minutes)
    except ValueError as error:
        raise UsageError(f"There is no network for that: {error}.") from error
    recipe = dataclasses.replace(
        recipe,
        name=name or (output.stem if output is not None else run.resolve().name),
        schedule=dataclasses.replace(recipe.schedule, steps=steps),
    )
    model = train_model(
        recipe,
        data,
        run,
        device=chosen,
        precision=choose_precision(precision, chosen),
        resume=resume,
        init=None if init is None else find(init).path,
        report=lambda line: say(line, quiet=quiet or not sys.stderr.isatty()),
    )
    if output is not None:
        with atomic_path(output, force=force) as temporary:
            shutil.copyfile(model, temporary)
        model = output
    result(f"{model}: {recipe.name}, for {task}.")
