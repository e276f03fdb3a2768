"""`iic evaluate`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from iiccli.cli.options import (
    DeviceOption,
    JsonOption,
    Quality,
    QuietOption,
    TileOption,
)
from iiccli.cli.output import meter, result, result_json
from iiccli.inference.tiles import DEFAULT_TILE


def evaluate(
    data: Annotated[Path, typer.Option("--data", help="A folder of clips.")],
    model: Annotated[str, typer.Option("--model", help="Name or file of a model.")] = "video-5",
    quality: Annotated[Quality, typer.Option("--quality")] = Quality.balanced,
    first: Annotated[
        int, typer.Option("--first", min=0, help="Number of the first frame taken, from 0.")
    ] = 3,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", help="Leave out clips of such names ('vid4-*'); repeatable."),
    ] = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on test clips: PSNR and SSIM of cover and restored frames."""
    from iiccli.evaluation.protocol import PROTOCOL, evaluate_video
    from iiccli.tasks.models import Loader
    from iiccli.zoo.catalogue import find

    loader = Loader(device=device, tile=tile, override=model)
    loaded = loader.load(find(model))
    with meter("evaluating", quiet=quiet) as tell:
        results = evaluate_video(
            data, loaded, loader, quality.value, first=first, exclude=exclude or (), progress=tell
        )
    columns = ("cover_psnr", "reference_psnr", "others_psnr", "cover_ssim", "others_ssim")
    means = {column: mean(getattr(r, column) for r in results) for column in columns}
    if as_json:
        facts: dict[str, Any] = {
            "model": loaded.name,
            "sha256": loaded.hash,
            "quality": quality.value,
            "data": data.name,
            "protocol": PROTOCOL,
            "mean": means,
            "clips": [asdict(r) for r in results],
        }
        result_json(facts)
        return
    result(f"{'clip':16} {'cover':>7} {'ref.':>7} {'others':>7} {'SSIM':>7} {'SSIM':>7}")
    for line in (*(asdict(r) for r in results), {"name": "mean", **means}):
        result(
            f"{line['name'][:16]:16} {line['cover_psnr']:7.2f} {line['reference_psnr']:7.2f} "
            f"{line['others_psnr']:7.2f} {line['cover_ssim']:7.4f} {line['others_ssim']:7.4f}"
        )
