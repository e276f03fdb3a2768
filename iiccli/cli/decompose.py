"""`iic decompose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iiccli.cli.batch import RecursiveOption
from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    ModelOption,
    QuietOption,
    StripOption,
    TileOption,
)
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.cli.restore import take_out
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.carrier import Carrier


def decompose(
    composites: Annotated[
        list[str],
        typer.Argument(help="What `iic compose` made, folders of that, or - for stdin."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="A folder for background.png and foreground.png; with --only a picture, or - for "
            "stdout. Else NAME.restored beside the composite.",
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Only one of them: background or foreground.")
    ] = None,
    recursive: RecursiveOption = False,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Draw the composite and its layers.")
    ] = None,
    model: ModelOption = None,
    key: KeyOption = False,
    key_file: KeyFileOption = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    strip: StripOption = False,
    max_pixels: MaxPixelsOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take composites apart: into the background, and the foreground with its alpha.

    Only what `iic compose` made can be taken apart. The layers put together again are the
    composite; a foreground that was made with --fit has its own size.
    """

    def check(path: Path) -> None:
        from iiccli.tasks.layers import check_composite

        check_composite(path)

    def accept(carrier: Carrier) -> None:
        from iiccli.tasks.layers import accept_composite

        accept_composite(carrier)

    take_out(
        composites,
        output,
        only=only,
        recursive=recursive,
        preview=preview,
        model=model,
        phrase=phrase_of(key, key_file, new=False, quiet=quiet),
        device=device,
        tile=tile,
        strip=strip,
        force=force,
        quiet=quiet,
        as_json=as_json,
        check=check,
        accept=accept,
    )
