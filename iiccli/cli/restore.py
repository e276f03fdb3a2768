"""`iic restore`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    ModelOption,
    QuietOption,
    TileOption,
)
from iiccli.cli.output import check_preview, count_of, meter, result, result_json, say
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.carrier import Carrier
    from iiccli.tasks.pictures import RestoredPictures


def restore(
    carriers: Annotated[
        list[Path], typer.Argument(help="A carrier, or the parts of a clip, or their folder.")
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="A folder for PNGs, or a clip: .mp4 .mov .mkv .webm .gif .webp .apng.",
        ),
    ],
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Draw the carrier and what came back.")
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take the pictures out of a carrier."""
    from iiccli.media.image import write_picture
    from iiccli.tasks import restoring
    from iiccli.tasks.models import Loader

    if preview is not None:
        check_preview(preview, [Path(output), *carriers], force=force)
    shown: list[tuple[Carrier, RestoredPictures]] = []

    def keep(carrier: Carrier, restored: RestoredPictures) -> None:
        if preview is not None and not shown:
            shown.append((carrier, restored))

    begun = time.monotonic()
    loader = Loader(device=device, tile=tile, override=model)
    with meter("restoring", quiet=quiet) as tell:
        report = restoring.restore(carriers, output, loader, force=force, progress=tell, keep=keep)
    facts: dict[str, Any] = {
        "output": str(output),
        "pictures": report.pictures,
        "state": report.states[0] if len(set(report.states)) == 1 else report.states,
        "damaged": report.damaged,
        "seconds": round(time.monotonic() - begun, 3),
    }
    if preview is not None:
        from iiccli.evaluation import sheet

        carrier, restored = shown[0]
        rows = sheet.restoration_sheet(carrier.pixels, restored.pictures, restored.reference)
        title = f"{carrier.path.name}: {len(restored.pictures)} pictures"
        write_picture(preview, sheet.draw(rows, title), force=force)
        facts["preview"] = str(preview)
    for note in report.notes:
        say(f"note: {note}", quiet=quiet)
    if "changed" in report.states:
        say(f"warning: {_loss(report.damaged)}", quiet=quiet)
    if as_json:
        result_json(facts)
        return
    result(f"{output}: {count_of(report.pictures, 'picture')} restored.")


def _loss(damaged: float | None) -> str:
    """Say what a carrier whose pixels have changed has lost."""
    changed = "the pixels have changed since the carrier was made;"
    if damaged is None:
        return f"{changed} what came back is worse for it."
    if damaged == 0:
        return f"{changed} what came back is worse only there: no block was found broken."
    share = "less than 1 %" if damaged < 0.01 else f"{damaged:.0%}".replace("%", " %")
    return f"{changed} in {share} of the area the frames are lost, and show the cover instead."
