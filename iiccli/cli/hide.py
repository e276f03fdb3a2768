"""`iic hide`."""

from __future__ import annotations

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


def hide(
    cover: Annotated[str, typer.Argument(help="What the result looks like; - for stdin.")],
    secrets: Annotated[list[str], typer.Argument(help="1 to 4 pictures to hide, of any size.")],
    output: OutputOption = None,
    quality: Annotated[
        Quality, typer.Option("--quality", help="A carrier close to the cover, or better secrets.")
    ] = Quality.balanced,
    fit: Annotated[
        FitRule,
        typer.Option(
            "--fit",
            help="How secrets of other proportions are kept: stretched, cut to the cover's "
            "proportions (what is cut is lost), or whole with borders.",
        ),
    ] = FitRule.stretch,
    no_header: Annotated[
        bool,
        typer.Option(
            "--no-header",
            help="Leave out what says that this is a carrier. `iic restore` then has to be told; "
            "the command for it is shown.",
        ),
    ] = False,
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
    """Hide pictures in another.

    Hiding is not encryption: without a pass phrase anybody who has iic can take them out, with
    --no-header too. The secrets come back at their own sizes; one much larger than the cover
    loses detail.
    """
    from iiccli.tasks import hiding
    from iiccli.tasks.models import Loader

    if no_header and preview is not None:
        raise UsageError(
            "--preview restores by the header, which --no-header leaves out.",
            "Make the preview of a carrier with header.",
        )
    options = hiding.HideOptions(
        quality.value, fit.value, not no_header, model, method.value, strip
    )
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))

    def embed_one(sources: Sequence[Path], target: Path, watch: Watch) -> Made:
        return hiding.hide(
            sources[0],
            sources[1:],
            target,
            options,
            loader,
            force=force,
            progress=watch.progress,
            note=watch.note,
        )

    def one(paths: list[Path]) -> list[Item]:
        from iiccli.tasks.batch import Item

        return [Item(tuple(paths), Path(paths[0].stem))]

    manner = Manner(output, preview, quality.value, False, force, quiet, as_json, strip)
    convert(
        [cover, *secrets],
        manner,
        hiding.TASK,
        loader,
        embed_one,
        items=one,
        same=lambda job, header: False,  # other secrets in the same cover look the same
    )
