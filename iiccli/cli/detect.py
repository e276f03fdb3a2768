"""`iic detect`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    Method,
    MethodOption,
    ModelOption,
    Quality,
    QuietOption,
    TileOption,
)
from iiccli.cli.output import check_output, meter, say, tell_figures
from iiccli.errors import InputError, UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.evaluation.detecting.check import Check


def detect(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            help="A folder of photographs to try on. Without --train the first half of them, by "
            "name, is trained on, and the second half tried.",
        ),
    ],
    training: Annotated[
        Path | None, typer.Option("--train", help="Another folder of photographs to train on.")
    ] = None,
    secrets: Annotated[
        int, typer.Option("--secrets", min=1, max=4, help="Pictures hidden in each.")
    ] = 1,
    quality: Annotated[Quality, typer.Option("--quality")] = Quality.balanced,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="Carriers as `iic hide --no-header` makes them.")
    ] = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Carriers that a pass phrase locks.")
    ] = False,
    size: Annotated[
        int,
        typer.Option(
            "--size", min=64, help="Pictures are cropped around their middle to such sides."
        ),
    ] = 512,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Train and try on the first so many covers only."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn at random.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the figures into a JSON file too.")
    ] = None,
    model: ModelOption = None,
    method: MethodOption = Method.network,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure how surely a simple detector tells carriers of `iic hide` from photographs.

    Detectors are trained on some photographs and their carriers, and tried on others. Beside the
    carriers stand plain ways to embed random bits.
    """
    from iiccli.evaluation.detecting.check import check
    from iiccli.evaluation.detecting.specimens import Manner, split_groups
    from iiccli.locking import Phrase
    from iiccli.tasks.hiding import TASK
    from iiccli.tasks.models import Loader, choose_entry

    check_output(output, force=force)
    if training is not None and training.resolve() == data.resolve():
        raise UsageError(
            "A detector is not tried on the pictures that it was trained on.",
            "Leave out --train: then half of --data is trained on.",
        )
    groups = split_groups(data, training, secrets, limit)
    loader = Loader(device=device, tile=tile, phrase=Phrase("any phrase") if locked else None)
    entry = choose_entry(TASK, 1 + secrets, model, noun="secrets", besides=1, method=method.value)
    loaded = loader.load(entry)
    failures: list[dict[str, str]] = []

    def failed(name: str, error: InputError) -> None:
        failures.append({"name": name, "problem": error.message})
        say(f"{name} is left out: {error.message}")

    manner = Manner(quality.value, not no_header, size)
    with meter("detecting", quiet=quiet) as tell:
        found = check(*groups, loaded, manner, seed=seed, progress=tell, failed=failed)
    facts = {
        "model": loaded.name,
        "sha256": loaded.hash,
        "quality": quality.value,
        "secrets": secrets,
        "header": not no_header,
        "locked": locked,
        "size": size,
        "seed": seed,
        "data": data.resolve().name,
        "training": None if training is None else training.resolve().name,
        **_facts(found),
        "failed": failures,
    }
    tell_figures(facts, lambda: _lines(facts), output, force=force, as_json=as_json)
    if failures:
        raise typer.Exit(InputError.exit_code)


def _facts(found: Check) -> dict[str, Any]:
    from iiccli.evaluation.detecting.check import PROTOCOL

    return {
        "protocol": PROTOCOL,
        "trained": found.trained,
        "tried": found.tried,
        "verdicts": [
            {
                "way": verdict.way,
                "detector": verdict.detector,
                "psnr": verdict.psnr,
                **asdict(verdict.rating),
            }
            for verdict in found.verdicts
        ],
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    """The figures as a table."""
    trained = f"trained on {facts['trained']} covers and their carriers"
    return [*_table(facts["verdicts"]), f"{trained}, tried on {facts['tried']}"]


def _table(verdicts: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each way and detector; guessing is an accuracy, AUC and equal error of 50 %."""
    lines = [
        f"{'embedded':24}{'dB':>6}  {'detector':14}{'accuracy':>10}{'AUC':>8}{'EER':>9}"
        f"{'missed at 5 %':>15}"
    ]
    shown = ""
    for one in verdicts:
        way = "" if one["way"] == shown else f"{one['way']:24}{one['psnr']:6.1f}"
        shown = one["way"]
        lines.append(
            f"{way:30}  {one['detector']:14}{one['accuracy']:10.1%}{one['auc']:8.3f}"
            f"{one['equal_error']:9.1%}{one['missed']:15.1%}"
        )
    return lines
