"""`iic embed-video`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    TileOption,
)
from iiccli.cli.output import check_preview, count_of, meter, result, result_json, say
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.errors import UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.tasks.video import Cover


def embed_video(
    clip: Annotated[
        str,
        typer.Argument(
            help="A video, an animated GIF/WebP/APNG, a folder of frames, or a pattern like "
            "'shots/*.png'."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The cover: .png, .webp or .tiff; with --all a folder."
        ),
    ],
    frames: Annotated[
        int | None, typer.Option("--frames", "-n", min=1, help="Frames in one cover.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", help="Take frames from here on: 62.5 or 1:02.5.")
    ] = None,
    end: Annotated[str | None, typer.Option("--end", help="Take frames up to here.")] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", min=1, help="Take every so-many-th frame instead of spreading them evenly."
        ),
    ] = None,
    reference: Annotated[
        str,
        typer.Option(
            "--reference",
            help="What the cover looks like: middle, first, last, or a number from 0.",
        ),
    ] = "middle",
    quality: Annotated[
        Quality, typer.Option("--quality", help="A cover close to its frame, or better frames.")
    ] = Quality.balanced,
    whole: Annotated[
        bool, typer.Option("--all", help="The whole clip, in as many covers as it takes.")
    ] = False,
    half: Annotated[
        bool,
        typer.Option(
            "--half",
            help="A cover of half the width and height; frames come back at their own size.",
        ),
    ] = False,
    max_side: Annotated[
        int | None,
        typer.Option("--max-side", min=1, help="Shrink frames to this many pixels a side."),
    ] = None,
    fit: Annotated[
        FitRule | None,
        typer.Option(
            "--fit",
            help="Of pictures that differ in size: bring them to the first one's, stretched, cut, "
            "or whole with borders. They come back at that size.",
        ),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option("--preview", help="Draw originals, cover, restored and differences."),
    ] = None,
    model: ModelOption = None,
    method: MethodOption = Method.network,
    key: KeyOption = False,
    key_file: KeyFileOption = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    max_pixels: MaxPixelsOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put several frames of a clip into one picture that looks like one of them."""
    from iiccli.media.timing import parse_time
    from iiccli.tasks import video
    from iiccli.tasks.models import Loader

    if preview is not None:
        if whole:
            raise UsageError("--preview shows one cover; it does not go with --all.")
        check_preview(preview, [output, Path(clip)], force=force)
    options = video.VideoOptions(
        frames=frames,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end),
        every=every,
        reference=reference,
        quality=quality.value,
        whole=whole,
        max_side=max_side,
        model=model,
        half=half,
        method=method.value,
        fit=None if fit is None else fit.value,
    )
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))
    begun = time.monotonic()
    with meter("embedding", quiet=quiet) as tell:
        covers = video.embed_video(
            clip,
            output,
            options,
            loader,
            force=force,
            progress=tell,
            note=lambda message: say(f"note: {message}", quiet=quiet),
        )
    seconds = time.monotonic() - begun
    header = covers[0].header
    facts: dict[str, Any] = {
        "output": str(output),
        "covers": len(covers),
        "size": list(header.size),
        "frames": [cover.indices for cover in covers] if whole else covers[0].indices,
        "model": header.model,
        "quality": quality.value,
        "seconds": round(seconds, 3),
    }
    if not whole:
        facts |= _figures(covers[0], loader, preview, force=force, quiet=quiet)
    if as_json:
        result_json(facts)
        return
    count = sum(cover.header.valid for cover in covers)
    words = f"{output}: {count_of(count, 'frame')} in {count_of(len(covers), 'cover')}"
    words += f" with {header.maker}"
    if "psnr" in facts:
        from iiccli.evaluation.sheet import decibels

        smaller = covers[0].pixels.shape != covers[0].originals[0].shape
        frame = "its frame at half size" if smaller else "its frame"
        words += f"; the cover against {frame}: {decibels(facts['psnr']['cover'])}"
        if "restored" in facts["psnr"]:
            words += f", the other frames when restored: {decibels(facts['psnr']['restored'])}"
    result(f"{words}.")


def _figures(
    cover: Cover, loader: Any, preview: Path | None, *, force: bool, quiet: bool
) -> dict[str, Any]:
    """How close the cover is; with a preview also how well the frames come back."""
    from iiccli.evaluation import sheet
    from iiccli.evaluation.metrics import psnr, ssim

    figures: dict[str, Any] = {"psnr": {"cover": psnr(cover.pixels, cover.cover)}}
    if preview is None:
        return figures
    from iiccli.carrier import read_carrier
    from iiccli.media.image import write_picture
    from iiccli.tasks.pictures import restore_pictures

    with meter("restoring for the preview", quiet=quiet) as tell:
        back = restore_pictures(loader, read_carrier(cover.path), lambda share: tell(0, 1, share))
    pairs = list(zip(back.pictures, cover.originals, strict=True))
    figures["ssim"] = {"cover": ssim(cover.pixels, cover.cover)}
    for name, metric in (("psnr", psnr), ("ssim", ssim)):
        others = [metric(a, b) for i, (a, b) in enumerate(pairs) if i != back.reference]
        figures[name]["reference"] = metric(*pairs[back.reference])
        if others:
            figures[name]["restored"] = sum(others) / len(others)
    rows = sheet.embedding_sheet(
        cover.originals, cover.cover, cover.pixels, back.pictures, back.reference
    )
    title = f"{cover.path.name}: {len(pairs)} frames with {cover.header.maker}"
    write_picture(preview, sheet.draw(rows, title), force=force)
    return {**figures, "preview": str(preview)}
