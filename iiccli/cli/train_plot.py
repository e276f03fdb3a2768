"""`iic train plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iiccli.cli.options import ForceOption, JsonOption, QuietOption
from iiccli.cli.output import result, result_json, say
from iiccli.errors import UsageError


def plot(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN", help="Folders of runs: what --run named.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The picture, a PNG; else curves.png in a single run."),
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw the curves of one run, or of several for comparison, into a PNG.

    Loss, PSNR of the carrier and of what is restored, rate and speed over steps, in training and in
    validation, also of a training that is still going on. The curves.png that an earlier call drew
    into a run is replaced; anything else only with --force.
    """
    from iiccli.atomic import check_target
    from iiccli.training.watching import plot as drawing

    if output is None and len(runs) > 1:
        raise UsageError(
            "The curves of several runs belong into none of their folders.",
            "Say where with -o, as in: -o curves.png",
        )
    target = output or runs[0] / drawing.NAME
    if target.suffix.lower() != ".png":
        raise UsageError(f"{target.name} is no name of a PNG.", "Curves are drawn as .png only.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder, not a file.", "Choose another name with -o.")
    ours = output is None and drawing.is_ours(target)
    if output is not None or runs[0].is_dir():  # else the run's own error says more
        check_target(target, force=force or ours)
    drawing.plot(
        runs, target, force=force or ours, report=lambda line: say(f"note: {line}", quiet=quiet)
    )
    if as_json:
        result_json({"output": str(target), "runs": [str(run) for run in runs]})
    else:
        result(f"{target}: the curves of {_listed(runs)}.")


def _listed(runs: list[Path]) -> str:
    names = [str(run) for run in runs]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
