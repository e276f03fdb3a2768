"""`iic mononize`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
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
from iiccli.cli.output import count_of, meter, result, result_json, say
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.errors import UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.media.fitting import Rule
    from iiccli.tasks.conversion import Made
    from iiccli.tasks.models import LoadedModel
    from iiccli.tasks.stereo import Views


class Layout(StrEnum):
    """How one file holds both views; see `iiccli.media.stereo.LAYOUTS`."""

    auto = "auto"
    sbs = "sbs"
    sbs_cross = "sbs-cross"
    over_under = "over-under"
    mpo = "mpo"


def mononize(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="LEFT RIGHT | FILE…",
            help="Two views; or files that hold both: MPO, JPS, side by side, over-under; two "
            "folders of views; a stereo video or two videos; - for stdin.",
        ),
    ],
    output: OutputOption = None,
    recursive: RecursiveOption = False,
    layout: Annotated[
        Layout,
        typer.Option(
            "--layout",
            help="How one file holds both views: side by side (left view first, or crossed: "
            "right view first), left over right, or MPO. auto looks.",
        ),
    ] = Layout.auto,
    swap: Annotated[bool, typer.Option("--swap", help="Exchange left and right.")] = False,
    clip: Annotated[
        bool,
        typer.Option("--clip", help="Pictures in a folder are the frames of one clip."),
    ] = False,
    start: Annotated[
        str | None, typer.Option("--start", help="Of a clip: take frames from here on.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", help="Of a clip: take frames up to here.")
    ] = None,
    quality: Annotated[
        Quality,
        typer.Option("--quality", help="A carrier close to the left view, or a better right one."),
    ] = Quality.balanced,
    fit: Annotated[
        FitRule | None,
        typer.Option(
            "--fit",
            help="How a right view of other proportions is kept: stretched (the default), cut "
            "(what is cut is lost), or whole with borders. With --clip frames that differ in size "
            "are refused without it, and get the first one's size with it.",
        ),
    ] = None,
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
    """Put a stereo pair into one picture that looks like the left view.

    Two files are a left and a right view; two folders are views in the same order.

    One file holds both views; with --layout, or if all are MPO or JPS, each of several does.

    A stereo clip becomes a folder of carriers, one for each frame.

    `iic restore --as` gives a pair back as sbs, over-under, mpo, anaglyph, wiggle.
    """
    from iiccli.media.clip import is_clip_source
    from iiccli.media.stereo import STEREO_SUFFIXES
    from iiccli.tasks import stereo
    from iiccli.tasks.batch import made_by, own_results
    from iiccli.tasks.models import Loader, choose_entry
    from iiccli.tasks.pairs import arrangement, items_of, up_to_date

    views = stereo.Views(layout.value, swap)
    rule: Rule | None = None if fit is None else fit.value
    moving = [clip or (is_clip_source(given) and not Path(given).is_dir()) for given in inputs]
    if any(moving):
        _check_clip(inputs, moving, preview)
    elif start is not None or end is not None:
        raise UsageError("--start and --end are for clips.", "With --clip a folder is one.")
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))
    chosen = loader.load(choose_entry(stereo.TASK, 2, model, method=method.value))
    manner = Manner(output, preview, quality.value, recursive, force, quiet, as_json, strip)
    if any(moving):
        _clip(inputs, manner, chosen, views, start, end, rule)
        return
    pairs = all(Path(given).suffix.lower() in STEREO_SUFFIXES for given in inputs)
    how = arrangement(inputs, each=pairs or layout is not Layout.auto)

    def embed_one(sources: Sequence[Path], target: Path, watch: Watch) -> Made:
        return stereo.mononize(
            sources,
            target,
            chosen,
            quality.value,
            views,
            one_size=how == "folders",
            fit=rule or "stretch",
            strip=strip,
            force=force,
            progress=watch.progress,
            note=watch.note,
        )

    by_model = made_by(chosen, quality.value)
    convert(
        inputs,
        manner,
        stereo.TASK,
        loader,
        embed_one,
        items=items_of(
            how,
            recursive=recursive,
            more_suffixes=STEREO_SUFFIXES,
            leave_out=own_results(output, stereo.TASK),
        ),
        same=lambda job, header: by_model(job, header) and up_to_date(job),
        look=how != "each" and not swap,
    )


def _check_clip(inputs: Sequence[str], moving: Sequence[bool], preview: Path | None) -> None:
    if not all(moving):
        still = inputs[moving.index(False)]
        raise UsageError(
            f"{still} is no clip, but {inputs[moving.index(True)]} is.",
            "Give two clips, or one that shows both views.",
        )
    if len(inputs) > 2:
        raise UsageError(
            f"{len(inputs)} clips are too many.", "Give one of both views, or a left and a right."
        )
    if preview is not None:
        raise UsageError("--preview shows one carrier; it does not go with clips.")


def _clip(
    inputs: Sequence[str],
    manner: Manner,
    model: LoadedModel,
    views: Views,
    start: str | None,
    end: str | None,
    fit: Rule | None,
) -> None:
    """Make a carrier of every frame, and tell of it."""
    from iiccli.media.timing import parse_time
    from iiccli.tasks.stereo import TASK
    from iiccli.tasks.stereo_clip import Stretch, mononize_clip

    target = manner.output
    if target is None:
        first = Path(inputs[0])
        target = f"{first.with_name(first.stem or 'clip')}.{TASK}/"
    begun = time.monotonic()
    with meter("embedding", quiet=manner.quiet) as tell:
        headers = mononize_clip(
            inputs,
            target,
            model,
            manner.quality or "balanced",
            views,
            Stretch(
                None if start is None else parse_time(start),
                None if end is None else parse_time(end),
            ),
            fit=fit,
            force=manner.force,
            progress=tell,
            note=lambda message: say(f"note: {message}", quiet=manner.quiet),
        )
    if manner.as_json:
        result_json(
            {
                "input": inputs[0] if len(inputs) == 1 else list(inputs),
                "output": target,
                "covers": len(headers),
                "size": list(headers[0].size),
                "model": headers[0].model,
                "quality": manner.quality,
                "seconds": round(time.monotonic() - begun, 3),
            }
        )
        return
    result(
        f"{target}: {count_of(len(headers), 'stereo frame')} in as many covers "
        f"with {headers[0].model}."
    )
