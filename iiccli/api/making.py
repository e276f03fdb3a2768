"""Making carriers: one function for each conversion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from iiccli.api.names import Name, paths_of, phrase_of
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.tasks import dual_view as dual
from iiccli.tasks import gray as gray_task
from iiccli.tasks import hiding, layers, stereo
from iiccli.tasks import rescale as rescaling
from iiccli.tasks.conversion import Made
from iiccli.tasks.models import LoadedModel, Loader, choose_entry
from iiccli.tasks.pairs import Rule
from iiccli.tasks.video import Cover, VideoOptions, embed_video


def embed(
    source: Name,
    target: Name,
    *,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
    **options: Any,
) -> list[Cover]:
    """Put frames of a clip into one picture that looks like one of them.

    Args:
        source: a video, an animation, a folder or pattern of frames.
        target: the carrier: .png, .webp or .tiff; with `whole=True` a folder.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        force: replace what exists.
        options: fields of `iiccli.tasks.video.VideoOptions`: `frames`, `start`, `end`, `every`,
            `reference`, `quality`, `whole`, `half`, `max_side`, `model`, `method`, `fit`.

    Returns:
        The covers that were written: one, or with `whole=True` several, which then come without
        their pixels and frames.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key))
    return embed_video(str(source), Path(target), VideoOptions(**options), loader, force=force)


def mononize(
    left: Name,
    right: Name | None,
    target: Name,
    *,
    layout: str = "auto",
    swap: bool = False,
    quality: str = "balanced",
    model: str | None = None,
    method: str = "network",
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    fit: Rule = "stretch",
    strip: bool = False,
    force: bool = False,
) -> Made:
    """Put a stereo pair into one picture that looks like the left view.

    Args:
        left: the left view, or a file that holds both.
        right: the right view; None if the first file holds both.
        target: the carrier: .png, .webp or .tiff.
        layout: how one file holds both: `auto`, `sbs`, `sbs-cross`, `over-under` or `mpo`.
        swap: exchange the two.
        quality: `cover` (the carrier is closest to its cover), `balanced`, or `content` (what
            comes back is best).
        model: name or path of a model; None chooses.
        method: `network`, or `codec`, which needs no model.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        fit: how a second view of other proportions is fitted: `stretch`, `crop` or `pad`.
        strip: leave out EXIF and XMP.
        force: replace what exists.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    chosen = _model(stereo.TASK, 2, model, key, device, tile, method)
    sources = [Path(left)] if right is None else [Path(left), Path(right)]
    views = stereo.Views(layout, swap)
    return stereo.mononize(
        sources, Path(target), chosen, quality, views, fit=fit, strip=strip, force=force
    )


def dual_view(
    wide: Name,
    tele: Name | None,
    target: Name,
    *,
    zoom: float | None = None,
    quality: str = "balanced",
    model: str | None = None,
    method: str = "network",
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    fit: Rule = "stretch",
    strip: bool = False,
    force: bool = False,
) -> Made:
    """Put a wide and a near view into one picture that looks like the wide one.

    Args:
        wide: the wide view, or the picture of which both are made.
        tele: the near view, which looks at the middle of the wide one; None makes both views of
            one picture.
        target: the carrier: .png, .webp or .tiff.
        zoom: how many times nearer the near view is; None looks for it. For one picture 2, 4 or 8.
        quality: `cover` (the carrier is closest to its cover), `balanced`, or `content` (what
            comes back is best).
        model: name or path of a model; None chooses.
        method: `network`, or `codec`, which needs no model.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        fit: how a second view of other proportions is fitted: `stretch`, `crop` or `pad`.
        strip: leave out EXIF and XMP.
        force: replace what exists.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    chosen = _model(dual.TASK, 2, model, key, device, tile, method)
    sources = [Path(wide)] if tele is None else [Path(wide), Path(tele)]
    return dual.embed_dual(
        sources, Path(target), chosen, quality, zoom, fit=fit, strip=strip, force=force
    )


def hide(
    cover: Name,
    secrets: Name | Sequence[Name],
    target: Name,
    *,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
    **options: Any,
) -> Made:
    """Hide one to four pictures in one that looks like the cover.

    Without a `key` that is no encryption.

    Args:
        cover: what the carrier looks like.
        secrets: pictures of any size.
        target: the carrier: .png, .webp or .tiff.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        force: replace what exists.
        options: fields of `iiccli.tasks.hiding.HideOptions`: `fit`, `header`, `quality`, `model`,
            `method`, `strip`.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key))
    return hiding.hide(
        Path(cover),
        paths_of(secrets),
        Path(target),
        hiding.HideOptions(**options),
        loader,
        force=force,
    )


def compose(
    foreground: Name,
    background: Name,
    target: Name,
    *,
    alpha: Name | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    force: bool = False,
    **options: Any,
) -> Made:
    """Put a foreground over a background, in a picture that `restore` takes apart again.

    Args:
        foreground: a picture with transparency, or any, with `alpha`.
        background: as large as the composite will be.
        target: the carrier: .png, .webp or .tiff.
        alpha: a gray picture as large as the foreground, white where that is opaque.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        force: replace what exists.
        options: fields of `iiccli.tasks.layers.LayersOptions`: `position`, `resize`, `quality`,
            `model`, `method`, `strip`, `fit`.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
        TypeError: an option that does not exist.
    """
    return layers.compose(
        Path(foreground),
        Path(background),
        Path(target),
        layers.LayersOptions(**options),
        Loader(device=device, tile=tile, phrase=phrase_of(key)),
        alpha=None if alpha is None else Path(alpha),
        force=force,
    )


def gray(
    photo: Name,
    target: Name,
    *,
    quality: str = "balanced",
    model: str | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    strip: bool = False,
    force: bool = False,
) -> Made:
    """Turn a colour picture into a gray one from which the colours come back.

    Args:
        photo: any picture.
        target: the carrier: .png, .webp or .tiff.
        quality: `cover` (the carrier is closest to its cover), `balanced`, or `content` (what
            comes back is best).
        model: name or path of a model; None chooses.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        strip: leave out EXIF and XMP.
        force: replace what exists.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    chosen = _model(gray_task.TASK, 1, model, key, device, tile)
    return gray_task.embed_gray(
        Path(photo), Path(target), chosen, quality, strip=strip, force=force
    )


def rescale(
    photo: Name,
    target: Name,
    *,
    scale: int | None = None,
    quality: str = "balanced",
    model: str | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    strip: bool = False,
    force: bool = False,
) -> Made:
    """Turn a large picture into a small one from which the large one comes back.

    Args:
        photo: any picture.
        target: the carrier: .png, .webp or .tiff.
        scale: how many times smaller it is, 2 or 4; None is the model's, or 2.
        quality: `cover` (the carrier is closest to its cover), `balanced`, or `content` (what
            comes back is best).
        model: name or path of a model; None chooses.
        key: a pass phrase that locks what it holds; see docs/keys.md.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        strip: leave out EXIF and XMP.
        force: replace what exists.

    Returns:
        The carrier, see `Made`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key))
    chosen = loader.load(rescaling.model_for(scale, model))
    return rescaling.embed_rescale(
        Path(photo), Path(target), chosen, quality, strip=strip, force=force
    )


def _model(
    task: str,
    pictures: int,
    name: str | None,
    key: str | bytes | None,
    device: str,
    tile: int,
    method: str = "network",
) -> LoadedModel:
    entry = choose_entry(task, pictures, name, method=method)
    return Loader(device=device, tile=tile, phrase=phrase_of(key)).load(entry)
