"""The public API: the verbs of the command line as functions.

Whatever goes wrong is raised as one of the classes of `iiccli.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, overload

from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.protocol import Result, evaluate_plan
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.tasks import restoring
from iiccli.tasks.models import Loader
from iiccli.tasks.parts import find_carriers, read_parts
from iiccli.tasks.pictures import Pixels
from iiccli.tasks.restoring import Report
from iiccli.tasks.video import Cover, VideoOptions, embed_video
from iiccli.zoo.catalogue import find

Name = str | PathLike[str]
"""A file or folder."""


def embed(
    source: Name,
    target: Name,
    *,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
    **options: Any,
) -> list[Cover]:
    """Put frames of a clip into one picture that looks like one of them.

    Args:
        source: a video, an animation, a folder or pattern of frames.
        target: the carrier: .png, .webp or .tiff; with `whole=True` a folder.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        force: replace what exists.
        options: fields of `iiccli.tasks.video.VideoOptions`: `frames`, `start`, `end`, `every`,
            `reference`, `quality`, `whole`, `max_side`, `model`.

    Returns:
        The covers that were written: one, or with `whole=True` several, which then come without
        their pixels and frames.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    loader = Loader(device=device, tile=tile)
    return embed_video(str(source), Path(target), VideoOptions(**options), loader, force=force)


@overload
def restore(
    sources: Name | Sequence[Name],
    target: Name,
    *,
    model: str | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
) -> Report: ...


@overload
def restore(
    sources: Name | Sequence[Name],
    target: None = None,
    *,
    model: str | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
) -> list[Pixels]: ...


def restore(
    sources: Name | Sequence[Name],
    target: Name | None = None,
    *,
    model: str | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
) -> Report | list[Pixels]:
    """Take the pictures out of a carrier, or out of all parts of a clip.

    Args:
        sources: a carrier, several parts of one clip, or their folder.
        target: a folder for PNGs, or a clip by its suffix; None gives arrays.
        model: name or path of a model to use instead of the one that the carrier names.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        force: replace what exists.

    Returns:
        What was found and written; without a target the pictures themselves, in order of time,
        (H, W, 3) uint8 RGB each.

    Raises:
        IicError: see `iiccli.errors`.
    """
    names = [sources] if isinstance(sources, str | PathLike) else sources
    paths = [Path(name) for name in names]
    loader = Loader(device=device, tile=tile, override=model)
    if target is not None:
        return restoring.restore(paths, str(target), loader, force=force)
    carriers = read_parts([item.sources[0] for item in find_carriers(paths)])
    return [output.pixels for found in restoring.outputs_of(carriers, loader) for output in found]


def evaluate(
    data: Name,
    model: str = "video-5",
    *,
    quality: str = "balanced",
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    **options: Any,
) -> list[Result]:
    """Measure a model: PSNR and SSIM of carrier and restored pictures.

    Args:
        data: a folder, of what the model's task takes: clips for video, stereo pairs for mono,
            cut-outs for layers, any photographs for the others.
        model: name or path.
        quality: `cover`, `balanced` or `content`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels.
        options: fields of `iiccli.evaluation.cases.CaseOptions`: `first` and `exclude` for video,
            `zoom` for dual, `backgrounds` for layers, `limit`.

    Returns:
        The figures of each case; see `iiccli.evaluation.protocol.protocol_of`.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    if options.get("backgrounds") is not None:
        options["backgrounds"] = Path(options["backgrounds"])
    chosen = CaseOptions(**options)
    entry = find(model)
    plan = plan_cases(entry.card, Path(data), chosen)
    loader = Loader(device=device, tile=tile, override=str(entry.path))
    return evaluate_plan(plan, loader.load(entry), loader, quality)
