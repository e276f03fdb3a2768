"""`iic evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    Quality,
    QuietOption,
    TileOption,
)
from iiccli.cli.output import json_text, meter, result, say
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.zoo.catalogue import Entry

DEFAULT_MODEL = "video-5"

COLUMNS = {
    "cover_psnr": "cover",
    "reference_psnr": "ref.",
    "others_psnr": "others",
    "others_y_psnr": "Y",
    "cover_ssim": "c.SSIM",
    "others_ssim": "o.SSIM",
    "background_psnr": "backgr.",
    "foreground_psnr": "foregr.",
    "alpha_error": "alpha",
}
"""Figures that the table shows, where there are any, and what it calls them."""


def evaluate(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            help="A folder: of clips for video, of stereo pairs (NAME_L, NAME_R) for mono, of "
            "cut-outs for layers, of any photographs for dual, hide, gray and rescale.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help=f"Name or file of a model; {DEFAULT_MODEL}, or the one for --task."
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", help="video, mono, dual, hide, layers, gray or rescale."),
    ] = None,
    quality: Annotated[Quality, typer.Option("--quality")] = Quality.balanced,
    zoom: Annotated[
        int, typer.Option("--zoom", min=2, help="Of dual: how much nearer the second view is.")
    ] = 2,
    backgrounds: Annotated[
        Path | None,
        typer.Option("--backgrounds", help="Of layers: photographs to put the cut-outs on."),
    ] = None,
    first: Annotated[
        int,
        typer.Option("--first", min=0, help="Of video: number of the first frame taken, from 0."),
    ] = 3,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude", help="Of video: leave out clips of such names ('vid4-*'); repeatable."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Measure the first so many cases only.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the figures into a JSON file too.")
    ] = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on test pictures.

    Per case: PSNR in dB of the cover, of the restored reference, and of the other pictures, the
    latter also of luma alone (Y); SSIM of the cover and of the others. For gray and rescale the
    other is the picture itself.
    """
    from iiccli.atomic import atomic_path, check_target
    from iiccli.evaluation.cases import CaseOptions, plan_cases
    from iiccli.evaluation.protocol import evaluate_plan, means, protocol_of
    from iiccli.tasks.models import Loader

    if output is not None:
        if output.is_dir():
            raise UsageError(f"{output} is a folder, not a file.", "Choose another name with -o.")
        check_target(output, force=force)
    entry = _entry(model, task)
    card = entry.card
    options = CaseOptions(
        first=first,
        exclude=tuple(exclude or ()),
        zoom=zoom,
        backgrounds=backgrounds,
        limit=limit,
    )
    plan = plan_cases(card, data, options)
    for why in plan.left_out:
        say(f"note: {why}; left out.", quiet=quiet)
    failures: list[dict[str, str]] = []

    def failed(name: str, error: InputError) -> None:
        failures.append({"name": name, "problem": error.message})
        say(f"{name} cannot be measured: {error.message}")

    loader = Loader(device=device, tile=tile, override=str(entry.path))
    loaded = loader.load(entry)
    with meter("evaluating", quiet=quiet) as tell:
        results = evaluate_plan(plan, loaded, loader, quality.value, progress=tell, failed=failed)
    mean = means(results)
    facts: dict[str, Any] = {
        "model": loaded.name,
        "sha256": loaded.hash,
        "task": card.task,
        "quality": quality.value,
        "data": data.resolve().name,
        "protocol": protocol_of(card.task),
        "mean": mean,
        "cases": [{"name": r.name, **r.figures} for r in results],
        "left_out": plan.left_out,
        "failed": failures,
    }
    if card.task == "dual":
        facts["zoom"] = zoom
    if output is not None:
        with atomic_path(output, force=force) as path:
            path.write_text(json_text(facts) + "\n", encoding="utf-8")
    if as_json:
        result(json_text(facts))
    else:
        _table([*facts["cases"], {"name": "mean", **mean}], mean)
    if failures:
        raise typer.Exit(InputError.exit_code)


def _entry(model: str | None, task: str | None) -> Entry:
    """The model named, or the smallest for a task.

    Raises:
        UsageError: there is no such task.
        ModelError: there is no such model, or it is for another task.
    """
    from iiccli.tasks.conversion import MODULES
    from iiccli.zoo.catalogue import find, for_pictures

    if task is not None and task not in MODULES:
        raise UsageError(f"There is no task {task!r}.", f"Choose one of: {', '.join(MODULES)}.")
    if model is None and task not in (None, "video"):
        assert task is not None
        return for_pictures(task, 1, scale=2 if task == "rescale" else 1)
    entry = find(model or DEFAULT_MODEL)
    if task not in (None, entry.card.task):
        raise ModelError(
            f"The model {entry.name} is for {entry.card.task}, not for {task}.",
            "Leave out --task: the model says what it is for.",
        )
    return entry


def _table(lines: Sequence[Mapping[str, Any]], present: Mapping[str, float]) -> None:
    """Print one line per case, with a heading."""
    width = min(32, max(len(line["name"]) for line in lines))
    shown = [column for column in COLUMNS if column in present]
    result(" ".join([f"{'case':{width}}", *(f"{COLUMNS[column]:>7}" for column in shown)]))
    for line in lines:
        cells = [
            f"{line[column]:7.2f}" if column.endswith("psnr") else f"{line[column]:7.4f}"
            for column in shown
        ]
        result(" ".join([f"{line['name'][:width]:{width}}", *cells]))
