"""Taking out what carriers hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from iiccli.api.names import Name, paths_of, phrase_of
from iiccli.errors import UsageError
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.tasks import restoring
from iiccli.tasks.conversion import Output
from iiccli.tasks.models import Loader
from iiccli.tasks.parts import find_carriers
from iiccli.tasks.pictures import Pixels
from iiccli.tasks.restoring import Report
from iiccli.tasks.unmarked import Told
from iiccli.tasks.way import Choice


@overload
def restore(
    sources: Name | Sequence[Name],
    target: Name,
    *,
    only: str | None = None,
    form: str | None = None,
    told: Told | None = None,
    model: str | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    strip: bool = False,
    force: bool = False,
) -> Report: ...


@overload
def restore(
    sources: Name | Sequence[Name],
    target: None = None,
    *,
    only: str | None = None,
    form: None = None,
    told: Told | None = None,
    model: str | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    strip: bool = False,
    force: bool = False,
) -> list[Pixels]: ...


def restore(
    sources: Name | Sequence[Name],
    target: Name | None = None,
    *,
    only: str | None = None,
    form: str | None = None,
    told: Told | None = None,
    model: str | None = None,
    key: str | bytes | None = None,
    device: str = "auto",
    tile: int = DEFAULT_TILE,
    strip: bool = False,
    force: bool = False,
) -> Report | list[Pixels]:
    """Take the pictures out of a carrier of any conversion, or out of all parts of a clip.

    Args:
        sources: a carrier, several parts of one clip, or their folder.
        target: a folder for PNGs; a clip by its suffix; a picture, where one comes back; None
            gives arrays.
        only: the name of one output, such as `left` or `secret-1`.
        form: another form, as `iic restore --as` has it: `sbs`, `anaglyph` and so on.
        told: what a single carrier without header holds, see `iiccli.tasks.unmarked.Told`.
        model: name or path of a model to use instead of the one that the carrier names.
        key: the pass phrase of a locked carrier.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels: smaller needs less memory.
        strip: leave out EXIF and XMP of what is written.
        force: replace what exists, and restore what is left of a locked carrier that was changed.

    Returns:
        What was found and written. Without a target the pictures themselves, (H, W, 3) uint8 RGB
        each, or (H, W, 4) RGBA: the frames in order of time; left and right; wide and near; the
        secrets and then the cover; background and foreground; or the one picture.

    Raises:
        IicError: see `iiccli.errors`.
    """
    paths = paths_of(sources)
    loader = Loader(device=device, tile=tile, override=model, phrase=phrase_of(key))
    if target is not None:
        choice = Choice(only, form, strip)
        return restoring.restore(paths, str(target), loader, choice, told=told, force=force)
    if form is not None:
        raise UsageError("Another form needs a target.", "Name a file.")
    carriers = restoring.read_all([item.sources[0] for item in find_carriers(paths)], loader, told)
    restoring.check_only(carriers[0].header, loader, only)
    return [
        _array(output)
        for outputs in restoring.outputs_of(carriers, loader, force=force)
        for output in outputs
        if only in (None, output.name)
    ]


def _array(output: Output) -> Pixels:
    if output.alpha is None:
        return output.pixels
    return np.dstack((output.pixels, output.alpha))
