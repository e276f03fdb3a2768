"""Measuring models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iiccli.api.names import Name
from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.protocol import Result, evaluate_plan
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.tasks.models import USUAL_PICTURES, Codec, Loader
from iiccli.zoo.catalogue import find


def evaluate(
    data: Name,
    model: str = "video-5",
    *,
    task: str = "video",
    pictures: int | None = None,
    quality: str = "balanced",
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    **options: Any,
) -> list[Result]:
    """Measure a model: PSNR and SSIM of carrier and restored pictures.

    Args:
        data: a folder, of what the model's task takes: clips for video, stereo pairs for mono,
            cut-outs for layers, any photographs for the others; or a manifest (.jsonl) that
            `iic data prepare` wrote.
        model: name or path; `codec` measures what `method="codec"` makes.
        task: of the codec; a model is for one.
        pictures: how many the codec puts into a carrier; None takes five for `video`, three for
            `layers`, else two.
        quality: `cover`, `balanced` or `content`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels.
        options: fields of `iiccli.evaluation.cases.CaseOptions`: `first` and `exclude` for video,
            `zoom` for dual, `backgrounds` for layers, `step` for manifests of clips, `limit`.

    Returns:
        The figures of each case; see `iiccli.evaluation.protocol.protocol_of`.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    if options.get("backgrounds") is not None:
        options["backgrounds"] = Path(options["backgrounds"])
    chosen = CaseOptions(**options)
    entry = (
        Codec(task, pictures or USUAL_PICTURES.get(task, 2)) if model == Codec.name else find(model)
    )
    plan = plan_cases(entry.card, Path(data), chosen)
    loader = Loader(device=device, tile=tile, override=str(entry.path))
    return evaluate_plan(plan, loader.load(entry), loader, quality)
