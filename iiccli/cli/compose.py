"""`iic compose`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iiccli.cli.batch import Manner, OutputOption, PreviewOption, Watch, convert
from iiccli.cli.options import (
    DeviceOption,
    FitRule,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    Method,
    MethodOption,
    ModelOption,
    Quality,
    QuietOption,
    StripOption,
    TileOption,
)
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.errors import UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.tasks.batch import Item
    from iiccli.tasks.conversion import Made

CENTER = "center"


def compose(
    foreground: Annotated[
        str, typer.Argument(help="A picture with transparency, or any with --alpha; - for stdin.")
    ],
    background: Annotated[str, typer.Argument(help="What it goes onto; gives the size.")],
    output: OutputOption = None,
    alpha: Annotated[
        Path | None,
        typer.Option(
            "--alpha", help="A gray mask as large as the foreground: white is opaque, black clear."
        ),
    ] = None,
    position: Annotated[
        str,
        typer.Option(
            "--position",
            help="Where the foreground's top left corner goes on the background: X,Y or center.",
        ),
    ] = CENTER,
    resize: Annotated[
        bool,
        typer.Option("--resize", help="Scale the foreground so that it just fits."),
    ] = False,
    fit: Annotated[
        FitRule | None,
        typer.Option(
            "--fit",
            help="Have the foreground fill the background, and come back at its own size: "
            "stretched, cut to its proportions (what is cut is lost), or whole with clear borders.",
        ),
    ] = None,
    quality: Annotated[
        Quality,
        typer.Option("--quality", help="A carrier close to the composite, or better layers."),
    ] = Quality.balanced,
    preview: PreviewOption = None,
    model: ModelOption = None,
    method: MethodOption = Method.network,
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
    """Put a foreground over a background so that both come back.

    `iic decompose` takes the composite apart again: into the background as it was, also behind
    the foreground, and the foreground with its alpha, on a canvas of the background's size, or
    with --fit at its own.
    """
    from iiccli.tasks import layers
    from iiccli.tasks.models import Loader

    place = parse_position(position)
    options = layers.LayersOptions(
        *(place, resize, quality.value, model, method.value, strip),
        fit=None if fit is None else fit.value,
    )
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))

    def embed_one(sources: Sequence[Path], target: Path, watch: Watch) -> Made:
        return layers.compose(
            sources[0],
            sources[1],
            target,
            options,
            loader,
            alpha=alpha,
            force=force,
            progress=watch.progress,
            note=watch.note,
        )

    def one(paths: list[Path]) -> list[Item]:
        from iiccli.tasks.batch import Item

        return [Item(tuple(paths), Path(paths[0].stem))]

    manner = Manner(output, preview, quality.value, False, force, quiet, as_json, strip)
    convert(
        [foreground, background],
        manner,
        layers.TASK,
        loader,
        embed_one,
        items=one,
        same=lambda job, header: False,  # the same foreground over another background
    )


def parse_position(text: str) -> tuple[int, int] | None:
    """Read `X,Y`; `center` is None.

    Raises:
        UsageError: it is neither.
    """
    if text in (CENTER, "centre"):
        return None
    found = re.fullmatch(r"\s*([+-]?\d{1,7})\s*,\s*([+-]?\d{1,7})\s*", text)
    if found is None:
        raise UsageError(
            f"{text!r} is no position.", "Give X,Y in pixels, such as --position 40,25, or center."
        )
    return int(found[1]), int(found[2])
