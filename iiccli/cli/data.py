"""`iic data`: prepare, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli.options import ForceOption, JsonOption, QuietOption
from iiccli.cli.output import count_of, meter, result, result_json, say
from iiccli.errors import InputError

if TYPE_CHECKING:
    from iiccli.datasets.manifest import Manifest

app = typer.Typer(help="Published data sets: splits, checks.", no_args_is_help=True)

_NOUNS = {
    "video": "clip",
    "mono": "pair",
    "dual": "pair",
    "layers": "composite",
    "hide": "group",
    "gray": "picture",
    "rescale": "picture",
}


@app.command("prepare")
def prepare_data(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="video, mono, dual, layers, hide, gray or rescale; or a data set: davis, "
            "flickr1024, div2k-dual, adobe, real, flickr, voc2012 or div2k-sr.",
        ),
    ],
    root: Annotated[
        Path, typer.Option("--root", help="The folder of all data sets; docs/data.md shows it.")
    ] = Path("datasets"),
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only this split: train, val or test; repeatable."),
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(
            "--pictures", help="Frames of a window (5), or pictures of a group to hide (2)."
        ),
    ] = None,
    zoom: Annotated[
        list[int] | None,
        typer.Option("--zoom", help="Of dual: 2, 4 or 8; repeatable. Else all that are there."),
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look through a published data set and write manifests of its official splits."""
    from iiccli.datasets.catalogue import find_layout, others_for
    from iiccli.datasets.preparing import prepare, request_for

    layout = find_layout(task)
    request = request_for(layout, root, only=only or (), pictures=pictures, zooms=zoom or ())
    others = others_for(layout)
    if others and task.casefold() != layout.alias:
        say(f"{task}: this is {layout.alias}; there is also {' and '.join(others)}.", quiet=quiet)
    with meter(f"Reading {layout.alias}", quiet=quiet) as progress:
        prepared = prepare(
            layout,
            request,
            force=force,
            progress=progress,
            note=lambda sentence: say(sentence, quiet=quiet),
        )
    facts = [
        _facts(manifest, groups)
        for manifest, groups in zip(prepared.manifests, prepared.groups(), strict=True)
    ]
    if as_json:
        left_out, remarks = list(prepared.left_out), list(prepared.remarks)
        result_json({"manifests": facts, "left_out": left_out, "remarks": remarks})
        return
    for fact in facts:
        result(_line(fact))


@app.command("check")
def check_data(
    manifests: Annotated[list[Path], typer.Argument(help="Manifests (.jsonl).")],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Read all files of manifests; name those that are missing, damaged or changed."""
    from iiccli.datasets.checking import check_files
    from iiccli.datasets.manifest import read_manifest

    read = [read_manifest(path) for path in manifests]
    facts: list[dict[str, Any]] = []
    for manifest in read:
        with meter(f"Checking {manifest.path.name}", quiet=quiet) as progress:
            checked = check_files(manifest, progress)
        problems = list(checked.problems)
        facts.append({"path": str(manifest.path), "files": checked.files, "problems": problems})
        if not as_json:
            for problem in problems:
                result(problem)
            wrong = f"{len(problems)} wrong" if problems else "all as they should be"
            result(f"{manifest.path}: {count_of(checked.files, 'file')}, {wrong}.")
    if as_json:
        result_json(facts)
    if any(fact["problems"] for fact in facts):
        raise typer.Exit(InputError.exit_code)


def _facts(manifest: Manifest, groups: int) -> dict[str, Any]:
    heading = manifest.heading
    return {
        "path": str(manifest.path),
        "alias": heading.alias,
        "split": heading.split,
        "task": heading.task,
        "pictures": heading.pictures,
        "steps": list(heading.steps),
        "items": len(manifest.items),
        "groups": groups,
        "files": len({picture.path for item in manifest.items for picture in item.pictures}),
    }


def _line(fact: dict[str, Any]) -> str:
    text = f"{fact['path']}: {count_of(fact['items'], _NOUNS[fact['task']])}"
    if fact["task"] == "video":
        text += f", {count_of(fact['groups'], 'window')} of {fact['pictures']} frames"
    elif fact["task"] == "hide":
        text += f" of {fact['pictures']}"
    return f"{text}, {count_of(fact['files'], 'file')}."
