"""The public API: the verbs of the command line as functions.

Whatever goes wrong is raised as one of the classes of `iiccli.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, overload

from iiccli.evaluation.protocol import Result, evaluate_video
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.tasks import restoring
from iiccli.tasks.models import Loader
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
    carriers = restoring.read_parts(restoring.find_carriers(paths))
    return list(restoring.pictures_of(carriers, loader))


def evaluate(
    data: Name,
    model: str = "video-5",
    *,
    quality: str = "balanced",
    first: int = 3,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
) -> list[Result]:
    """Measure a model: PSNR and SSIM of carrier and restored frames.

    Args:
        data: a folder with one sub-folder of frames, or one video, per clip.
        model: name or path.
        quality: `cover`, `balanced` or `content`.
        first: number of the first frame taken, from 0.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels.

    Returns:
        The figures of each clip; see `iiccli.evaluation.protocol.PROTOCOL`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    loader = Loader(device=device, tile=tile, override=model)
    return evaluate_video(Path(data), loader.load(find(model)), loader, quality, first=first)
