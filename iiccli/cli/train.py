"""`iic train`, and what belongs to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli import train_plot
from iiccli.cli.options import DeviceOption, JsonOption, QuietOption
from iiccli.cli.output import result, result_json, say
from iiccli.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from iiccli.training.recipes import Recipe

app = typer.Typer(
    help="Train a model, on your own pictures or on the paper's.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WHAT, _HOW, _RUNNING = "What", "How", "Running"


@app.callback()
def train(
    context: typer.Context,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="video, mono, dual, layers, hide, gray or rescale; or a data set: davis, "
            "flickr1024, div2k-dual, adobe, real, flickr, voc2012, div2k-sr.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            help="Name or YAML file of a recipe (see `iic train recipes`); ours for the task.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="A folder of photographs or clips, an archive of such, or a manifest; "
            "repeatable. Of a data set, "
            "what `iic data prepare` has made of it.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(
            "--validation",
            help="To validate on; else some of the data, or the data set's own.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    root: Annotated[
        Path,
        typer.Option("--root", help="Where the data sets are.", rich_help_panel=_WHAT),
    ] = Path("datasets"),
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            "--run-folder",  # torchrun takes --run for one of its own
            help="Folder of the run, with checkpoints and log.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Name of the new model; else that of -o or --run.", rich_help_panel=_WHAT
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Copy the finished model file here.", rich_help_panel=_WHAT
        ),
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(
            "--pictures",
            min=1,
            max=16,
            help="Frames of a video (5), or secrets (1).",
            rich_help_panel=_HOW,
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            "--scale",
            help="How many times smaller the carrier is: 2 or 4 to rescale (2); 2 for a video "
            "at half size.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", min=1, help="At most this many steps.", rich_help_panel=_HOW),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes",
            min=0,
            help="At most this long; the schedule ends with the time. 0 only fits tables.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            "--batch", min=1, help="Groups in a step, on all processes.", rich_help_panel=_HOW
        ),
    ] = None,
    crop: Annotated[
        int | None,
        typer.Option("--crop", help="Side of the crops in pixels.", rich_help_panel=_HOW),
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Highest learning rate.", rich_help_panel=_HOW)
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of all chance.", rich_help_panel=_HOW)
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change anything else of the recipe: optimiser.clip=1; repeatable.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            help="Name or file of a model to start from, as far as it fits.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from what --run holds.", rich_help_panel=_RUNNING),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the resolved recipe with parameters, memory and time per step.",
            rich_help_panel=_RUNNING,
        ),
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision",
            help="fp32, or mixed: bf16, fp16; auto takes bf16 where it is fast.",
            rich_help_panel=_RUNNING,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="CPU threads.", rich_help_panel=_RUNNING),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            "--memory",
            min=0,
            help="Gigabytes for decoded pictures; else half of what is free.",
            rich_help_panel=_RUNNING,
        ),
    ] = None,
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Write for TensorBoard too.", rich_help_panel=_RUNNING),
    ] = False,
    device: DeviceOption = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace --output if it exists.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model on your own photographs and clips, or on the paper's data sets.

    Several processes: `accelerate launch -m iiccli train …` or `torchrun -m iiccli train …`.
    """
    if context.invoked_subcommand is not None:
        return
    flags = {
        "loop.steps": steps,
        "loop.minutes": minutes,
        "loop.batch": batch,
        "data.crop": crop,
        "optimiser.rate": rate,
        "loop.seed": seed,
        "loop.precision": precision,
    }
    from iiccli.training.recipes import as_table, parse_changes

    given = {
        **{k: v for k, v in flags.items() if v is not None},
        **parse_changes(changes or []),
    }
    alias, chosen = _recipe(task, recipe, pictures, scale, given, run if resume else None)
    folder = run or Path("runs") / (name or (output.stem if output else chosen.name))
    if dry_run:
        _show_cost(chosen, device, threads, as_json=as_json)
        return
    from iiccli.training.steering import Order, carry_out

    order = Order(
        recipe=chosen,
        folder=folder,
        name=name or (output.stem if output is not None else folder.resolve().name),
        data=_sources(alias, data, root, "train", folder if resume else None),
        validation=_validation(alias, validation, data, root),
        output=output,
        device=device,
        threads=threads,
        memory=memory,
        tensorboard=tensorboard,
        resume=resume,
        init=init,
        force=force,
    )
    talk = not quiet and sys.stderr.isatty()
    model, code = carry_out(order, lambda line: say(line, quiet=not talk), show=talk)
    if model is not None:
        facts = {"model": str(model), "name": order.name, "task": chosen.task}
        if as_json:
            result_json({**facts, "recipe": as_table(chosen)})
        else:
            result(f"{model}: {order.name}, for {chosen.task}.")
    if code:
        say(f"stopped; go on with: iic train --run {folder} --resume", quiet=quiet)
        raise typer.Exit(code)


def _recipe(
    task: str | None,
    name: str | None,
    pictures: int | None,
    scale: int | None,
    changes: dict[str, Any],
    begun: Path | None,
) -> tuple[str | None, Recipe]:
    """The data set named, if any, and the recipe.

    Args:
        task: a task or a data set's alias.
        name: of a recipe.
        pictures: see the option.
        scale: see the option.
        changes: to the recipe.
        begun: the run to go on with, if any.
    """
    from iiccli.training.recipes import read_recipe, recipe_for, task_of
    from iiccli.training.recipes.choosing import options
    from iiccli.training.run import Run

    own, alias = (None, None) if task is None else task_of(task)
    if begun is not None and Run(begun).recipe_file.exists() and name is None and task is None:
        before = Run(begun).recipe()
        changes = {**options(before.task, pictures, scale), **changes}
        return None, read_recipe(str(Run(begun).recipe_file), changes)
    if name is None:
        return alias, recipe_for(own or "video", pictures=pictures, scale=scale, changes=changes)
    plain = read_recipe(name)
    if own not in (None, plain.task):
        raise UsageError(
            f"The recipe {plain.name} is for {plain.task}, not for {own}.", "Leave out --task."
        )
    return alias, read_recipe(name, {**options(plain.task, pictures, scale), **changes})


def _sources(
    alias: str | None, given: list[Path] | None, root: Path, split: str, begun: Path | None
) -> list[Path]:
    """What to learn from: as given, as prepared, or as before."""
    from iiccli.training.run import Run

    if given:
        return given
    if alias is not None:
        return _prepared(alias, root, split)
    before = Run(begun).facts().get("sources", []) if begun is not None else []
    if not before:
        raise UsageError(
            "There is nothing to learn from.", "Name a folder of pictures with --data."
        )
    return [Path(path) for path in before]


def _validation(
    alias: str | None, given: list[Path] | None, data: list[Path] | None, root: Path
) -> list[Path]:
    """What to validate on, if it is known."""
    if given or alias is None or data:
        return given or []
    try:
        return _prepared(alias, root, "val")
    except TrainingError:  # not every data set has some
        return []


def _prepared(alias: str, root: Path, split: str) -> list[Path]:
    """The manifests of a data set's split.

    Raises:
        TrainingError: there is none.
    """
    folder = root / "manifests"
    found = [folder / f"{alias}-{split}.jsonl", *sorted(folder.glob(f"{alias}-x?-{split}.jsonl"))]
    found = [path for path in found if path.is_file()]
    if not found:
        raise TrainingError(
            f"{root / 'manifests' / f'{alias}-{split}.jsonl'} is not there.",
            f"Make it with: iic data prepare {alias} --root {root}",
        )
    return found


def _show_cost(recipe: Recipe, device: str, threads: int | None, *, as_json: bool) -> None:
    """Print a recipe and what it costs on this machine."""
    import torch

    from iiccli.inference.device import choose, enough_memory
    from iiccli.training.engine import choose_precision, make_engine
    from iiccli.training.recipes import as_table, as_yaml
    from iiccli.training.trial import try_out

    if threads is not None:
        torch.set_num_threads(threads)
    chosen = choose(device)
    precision = choose_precision(recipe.loop.precision, chosen)
    with enough_memory():
        cost = try_out(recipe, make_engine(chosen, precision))
    facts = {
        "parameters": cost.parameters,
        "seconds_per_step": round(cost.seconds, 4),
        "memory_bytes": cost.memory,
        "device": str(chosen),
        "precision": precision,
    }
    if as_json:
        result_json({"recipe": as_table(recipe), "cost": facts})
        return
    result(as_yaml(recipe).rstrip())
    budget = []
    if recipe.loop.steps is not None:
        hours = recipe.loop.steps * cost.seconds / 3600
        budget.append(f"{recipe.loop.steps:,} steps take {hours:,.1f} hours")
    if recipe.loop.minutes:
        number = int(recipe.loop.minutes * 60 / max(cost.seconds, 1e-9))
        budget.append(f"{recipe.loop.minutes:g} minutes are {number:,} steps")
    result(
        f"# {cost.parameters:,} parameters to learn; {cost.memory / 1e9:.2f} GB; "
        f"{cost.seconds:.3f} s a step on {chosen} in {precision}"
    )
    for line in budget:
        result(f"# {line}")


app.command("plot")(train_plot.plot)


@app.command("recipes")
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe, resolved.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recipes that come with iic, or print one to start one's own from."""
    from iiccli.training.recipes import as_table, as_yaml, names, read_recipe

    if name is not None:
        recipe = read_recipe(name)
        if as_json:
            result_json(as_table(recipe))
        else:
            result(as_yaml(recipe).rstrip())
        return
    found = [read_recipe(each) for each in names()]
    if as_json:
        result_json([{"name": r.name, "task": r.task, "words": r.words} for r in found])
        return
    width = max(len(recipe.name) for recipe in found)
    for recipe in found:
        result(f"{recipe.name:{width}}  {recipe.words}")


@app.command("export")
def export_run(
    run: Annotated[Path, typer.Argument(help="Folder of a run, ended or not.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The model file: NAME.safetensors.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the model; else that of -o.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the averaged weights of a run's last checkpoint as a model file."""
    from iiccli.atomic import check_target
    from iiccli.training.export import export
    from iiccli.training.run import Run
    from iiccli.zoo.packing import SUFFIX

    if output.suffix != SUFFIX:
        raise UsageError(f"A model file is called NAME{SUFFIX}, not {output.name}.")
    check_target(output, force=force)
    card = export(Run(run), output, name=name or output.stem, force=force)
    if as_json:
        result_json({"model": str(output), "name": card.name, "task": card.task})
    else:
        result(f"{output}: {card.name}, for {card.task}.")
