"""`iic rescale`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iiccli.cli.batch import (
    Manner,
    OutputOption,
    PreviewOption,
    RecursiveOption,
    Watch,
    convert,
)
from iiccli.cli.options import (
    DeviceOption,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    Method,
    ModelOption,
    NoMethodOption,
    Quality,
    QuietOption,
    StripOption,
    TileOption,
    refuse_codec,
)
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.tasks.conversion import Made


def rescale(
    photos: Annotated[
        list[str], typer.Argument(help="Large pictures, folders of them, or - for stdin.")
    ],
    scale: Annotated[
        int | None,
        typer.Option(
            "--scale",
            min=2,
            help="How many times smaller the carrier is, 2 or 4; else the model's, or 2.",
        ),
    ] = None,
    output: OutputOption = None,
    recursive: RecursiveOption = False,
    quality: Annotated[
        Quality,
        typer.Option("--quality", help="A carrier close to the small picture, or a better large."),
    ] = Quality.balanced,
    preview: PreviewOption = None,
    model: ModelOption = None,
    method: NoMethodOption = Method.network,
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
    """Turn large pictures into small ones from which the large ones come back."""
    from iiccli.tasks.batch import made_by
    from iiccli.tasks.models import Loader
    from iiccli.tasks.rescale import TASK, embed_rescale, model_for

    refuse_codec(method)
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))
    chosen = loader.load(model_for(scale, model))

    def embed_one(sources: Sequence[Path], target: Path, watch: Watch) -> Made:
        return embed_rescale(
            sources[0],
            target,
            chosen,
            quality.value,
            strip=strip,
            force=force,
            progress=watch.progress,
            note=watch.note,
        )

    manner = Manner(output, preview, quality.value, recursive, force, quiet, as_json, strip)
    convert(photos, manner, TASK, loader, embed_one, same=made_by(chosen, quality.value))
