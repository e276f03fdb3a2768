"""`iic evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli.evaluation_table import table
from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    Method,
    Quality,
    QuietOption,
    TileOption,
)
from iiccli.cli.output import check_output, meter, say, tell_figures
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.evaluation.cases import CaseOptions, Plan
    from iiccli.evaluation.protocol import Result
    from iiccli.tasks.models import Codec, LoadedModel, Loader
    from iiccli.zoo.catalogue import Entry

DEFAULT_MODEL = "video-5"


def evaluate(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            help="A folder: of clips for video, of stereo pairs (NAME_L, NAME_R) for mono, of "
            "cut-outs for layers, of any photographs for dual, hide, gray and rescale. Or a "
            "manifest (.jsonl) of `iic data prepare`; or the folder of all data sets, and a "
            "data set's name for --task.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help=f"Name or file of a model; {DEFAULT_MODEL}, or the one for --task."
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option("--method", help="codec: measure what --method codec of the verbs makes."),
    ] = Method.network,
    pictures: Annotated[
        int | None,
        typer.Option(
            "--pictures", min=2, max=255, help="Of the codec: how many go into a carrier."
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="video, mono, dual, hide, layers, gray or rescale; or a data set: davis, "
            "flickr1024, div2k-dual, adobe, real, flickr, voc2012 or div2k-sr.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Of a data set: train, val or test, which is the default."),
    ] = None,
    quality: Annotated[Quality, typer.Option("--quality")] = Quality.balanced,
    zoom: Annotated[
        int | None,
        typer.Option("--zoom", min=2, help="Of dual: how much nearer the second view is; 2."),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option("--backgrounds", help="Of layers: photographs to put the cut-outs on."),
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--first", min=0, help="Of a folder of clips: the first frame taken, from 0; 3."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            help="Of a folder of clips: leave out those of such names ('vid4-*'); repeatable.",
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", min=1, help="Of a manifest of clips: only frames that are so many apart."
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

    Per case: PSNR in dB, PSNR of luma alone (Y) and SSIM of the carrier, of all pictures that
    come back, and of those without the reference. Started by `accelerate launch` or torchrun,
    several processes share the cases.
    """
    from iiccli.evaluation.cases import CaseOptions
    from iiccli.evaluation.crew import crew_of_launcher
    from iiccli.evaluation.protocol import evaluate_plan

    given = {"first": first, "exclude": exclude, "zoom": zoom, "backgrounds": backgrounds}
    crew = crew_of_launcher(device)
    quiet = quiet or not crew.main

    def prepared() -> _Job:
        check_output(output, force=force)
        place, about = _located(data, task, split, given)
        entry = _entry(model, about, method.value, pictures)
        options = CaseOptions(
            first=CaseOptions.first if first is None else first,
            exclude=tuple(exclude or ()),
            zoom=CaseOptions.zoom if zoom is None else zoom,
            backgrounds=backgrounds,
            limit=limit,
            step=step,
        )
        return _prepared(place, entry, options, device, tile)

    try:
        job = crew.together(prepared)
        for why in job.plan.left_out:
            say(f"note: {why}; left out.", quiet=quiet)
        failures: list[dict[str, str]] = []

        def failed(name: str, error: InputError) -> None:
            failures.append({"name": name, "problem": error.message})
            if crew.main:
                say(f"{name} cannot be measured: {error.message}")

        with meter("evaluating", quiet=quiet) as tell:
            results = evaluate_plan(
                job.plan,
                job.model,
                job.loader,
                quality.value,
                progress=tell,
                failed=failed,
                crew=crew,
            )
    finally:
        crew.leave()
    if not crew.main:
        return
    facts = _facts(job, quality, results, failures)
    tell_figures(facts, lambda: _lines(facts), output, force=force, as_json=as_json)
    if failures:
        raise typer.Exit(InputError.exit_code)


@dataclass(frozen=True)
class _Job:
    """What is measured on what."""

    data: Path
    plan: Plan
    options: CaseOptions
    model: LoadedModel
    loader: Loader


@dataclass(frozen=True)
class _About:
    """What is known of the data before the model is: a task, and pictures in a group."""

    task: str | None = None
    pictures: int = 1


def _located(
    data: Path, task: str | None, split: str | None, given: Mapping[str, object]
) -> tuple[Path, _About]:
    """Where the data are: a folder or a manifest, and what for.

    Args:
        data: as the user names it.
        task: of a model, or a data set.
        split: of a data set.
        given: options that only one of them takes; None where they were not given.

    Raises:
        UsageError: an option that does not go with them, or an unknown task.
        InputError: no such manifest.
    """
    from iiccli.datasets.catalogue import LAYOUTS
    from iiccli.evaluation.cases.manifests import heading_of, manifest_in
    from iiccli.tasks.conversion import MODULES

    if task is not None and task not in (*MODULES, *LAYOUTS):
        raise UsageError(
            f"There is no task {task!r}.",
            f"Choose one of: {', '.join(MODULES)}; or a data set: {', '.join(LAYOUTS)}.",
        )
    if task is not None and task in LAYOUTS and not data.is_file():
        zoom = given["zoom"]
        data = manifest_in(data, task, split or "test", zoom if isinstance(zoom, int) else 2)
        given = {**given, "zoom": None} if task == "div2k-dual" else given
    elif split is not None:
        raise UsageError(
            "--split goes with a data set.",
            "Name the folder of all data sets with --data, and one of them with --task.",
        )
    if not data.is_file():
        return data, _About(task)
    for name in (name for name, value in given.items() if value not in (None, [])):
        raise UsageError(f"--{name} says nothing about a manifest.", "Leave it out.")
    heading = heading_of(data)
    if task not in (None, heading.task, heading.alias):
        raise UsageError(
            f"{data.name} is for {heading.task} ({heading.alias}), not for {task}.",
            "Leave out --task: the manifest says what it is for.",
        )
    return data, _About(heading.task, heading.pictures)


def _entry(model: str | None, about: _About, method: str, pictures: int | None) -> Entry | Codec:
    """The model named, or the smallest for a task; or the codec.

    Args:
        model: its name; `codec` is the codec, too.
        about: what is known of the data.
        method: see `iiccli.tasks.models.METHODS`.
        pictures: how many the codec puts into a carrier, where the data do not say it.

    Raises:
        UsageError: a model for the codec, or a number of pictures for a model.
        ModelError: there is no such model, or it is for another task.
    """
    from iiccli.tasks.models import USUAL_PICTURES, Codec, check_method
    from iiccli.zoo.catalogue import find, for_pictures

    task = about.task
    if model == Method.codec:
        model, method = None, Method.codec
    check_method(method, model)
    if method == Method.codec:
        kind = task or "video"
        known = about.pictures if about.pictures > 1 else USUAL_PICTURES.get(kind, 2)
        return Codec(kind, pictures or known)
    if pictures is not None:
        raise UsageError("--pictures goes with --method codec.", "A model takes its own number.")
    if model is None and (task not in (None, "video") or about.pictures > 1):
        assert task is not None  # a manifest, too, is for one
        return for_pictures(task, about.pictures, scale=2 if task == "rescale" else 1)
    entry = find(model or DEFAULT_MODEL)
    if task not in (None, entry.card.task):
        raise ModelError(
            f"The model {entry.name} is for {entry.card.task}, not for {task}.",
            "Choose another model, or leave out --model.",
        )
    return entry


def _prepared(
    data: Path, entry: Entry | Codec, options: CaseOptions, device: str, tile: int
) -> _Job:
    from iiccli.evaluation.cases import plan_cases
    from iiccli.tasks.models import Loader

    plan = plan_cases(entry.card, data, options)
    loader = Loader(device=device, tile=tile, override=str(entry.path))
    return _Job(data, plan, options, loader.load(entry), loader)


def _facts(
    job: _Job, quality: Quality, results: Sequence[Result], failures: list[dict[str, str]]
) -> dict[str, Any]:
    """All that is known in the end, as JSON holds it."""
    from iiccli.evaluation.protocol import means, protocol_of

    card = job.model.converter.card
    facts: dict[str, Any] = {
        "model": job.model.name,
        "sha256": job.model.hash,
        "task": card.task,
        "quality": quality.value,
        "data": job.data.resolve().name,
        "protocol": protocol_of(card.task, job.plan.words),
        "mean": means(results),
        "cases": [
            {"name": r.name, **r.figures, "pictures": [asdict(each) for each in r.pictures]}
            for r in results
        ],
        "left_out": job.plan.left_out,
        "failed": failures,
    }
    if card.task == "dual" and not job.data.is_file():
        facts["zoom"] = job.options.zoom
    return facts


def _lines(facts: dict[str, Any]) -> list[str]:
    """The figures as a table."""
    single = all(len(case["pictures"]) == 1 for case in facts["cases"])
    return list(table([*facts["cases"], {"name": "mean", **facts["mean"]}], single=single))
