"""Dual view: a wide view and a nearer one in a picture that looks like the wide view."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from iiccli.carrier import MAX_PIXELS, Header, check_carrier_target, write_carrier
from iiccli.errors import DamagedCarrierError, InputError, UsageError
from iiccli.inference.converter import Progress, no_progress
from iiccli.media.fitting import Rule
from iiccli.media.image import Picture, Pixels, resize
from iiccli.media.zooming import LEAST, MOST, find_zoom
from iiccli.tasks.conversion import Conversion, Made, Output
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pairs import fit_words, fitted_second, unfitted_second
from iiccli.tasks.pictures import RestoredPictures, embed_pictures
from iiccli.tasks.stills import Note, attached_to, in_profile_of, read_flat, silent, spare

TASK = "dual"
WIDE, TELE = "wide", "tele"

CUTS = (2, 4, 8)
"""Zooms at which both views can be made of one picture."""

MIN_ZOOM, MAX_ZOOM = 1.0, 64.0
"""What a header may say."""

MAX_RATIO = 16
"""A near view whose sides are more than so many times longer or shorter than the wide one's is
none."""

MAX_SIDE = 0xFFFF

_GOOD, _FAIR = 0.6, 0.75
"""Of 450 nearer views, noisy and in other light, all matched above 0.65; of 100 pictures of
something else none above 0.5."""
_ESSENTIALS = struct.Struct(">IIIHH")
_FIXED = 1 << 16
_PADDED = 1 << 31
"""In the wide view's height, of which the carrier tells anyway: the near view has borders."""


@dataclass(frozen=True)
class ViewPair:
    """Both views, of one size.

    Attributes:
        wide: with what its file carried besides the pixels.
        tele: (H, W, 3) uint8, as large as the wide view.
        zoom: how many times nearer it is.
        original: the near view as it came, or what was left of it; it is given back at this size.
        padded: `tele` has borders.
    """

    wide: Picture
    tele: Pixels
    zoom: float
    original: Pixels
    padded: bool = False


def embed_dual(
    sources: Sequence[Path],
    target: Path,
    model: LoadedModel,
    quality: str = "balanced",
    zoom: float | None = None,
    *,
    fit: Rule = "stretch",
    strip: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Put two views into one picture.

    The wide view's size, profile, EXIF and XMP are the carrier's. A near view of another size
    is fitted to the wide one's, and back when it is restored.

    Args:
        sources: the wide view and the near one, or one picture of which both are made.
        target: .png, .webp or .tiff.
        model: takes two pictures.
        quality: `cover`, `balanced` or `content`.
        zoom: how many times nearer the second view is; None looks for it. For one picture one
            of `CUTS`.
        fit: how a near view of other proportions is fitted.
        strip: leave out EXIF and XMP.
        force: replace what exists.
        progress: told how far it is.
        note: told remarks for the user.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    check_zoom(zoom, single=len(sources) == 1)
    check_carrier_target(target, force)
    spare(sources, target)
    two = len(sources) == 2
    views = _read_two(sources, zoom, fit, note) if two else _cut(sources[0], zoom, note)
    wide = views.wide.pixels
    essentials = essentials_of(wide, views.zoom, views.original, padded=views.padded)
    pixels, header = embed_pictures(
        model,
        [wide, views.tele],
        0,
        quality,
        progress,
        zoom=_zoom_in(essentials),  # exactly the number that restoring will read
        essentials=essentials,
    )
    cover = model.converter.cover(wide)
    kept = attached_to(views.wide, note, strip=strip)
    written = write_carrier(
        target,
        pixels,
        header,
        target=cover,
        force=force,
        icc=kept.icc,
        exif=kept.exif,
        xmp=kept.xmp,
    )
    originals = [Output(WIDE, wide), Output(TELE, views.original)]
    return Made(target, written, header, cover, originals)


def check_zoom(zoom: float | None, *, single: bool) -> None:
    """Refuse an impossible zoom, or none where it is needed.

    Raises:
        UsageError: it is.
    """
    if single and zoom not in CUTS:
        given = "" if zoom is None else f", not {zoom:g}"
        raise UsageError(
            f"Two views are made of one picture with --zoom {', '.join(map(str, CUTS))}{given}.",
            "Give one of these, or a wide and a near view.",
        )
    if zoom is not None and not MIN_ZOOM <= zoom <= MAX_ZOOM:
        raise UsageError(
            f"A zoom of {zoom:g} is impossible.", f"Give {MIN_ZOOM:g} to {MAX_ZOOM:g}."
        )


def views_of(pixels: Pixels, zoom: int) -> tuple[Pixels, Pixels]:
    """Make both views of one picture.

    Args:
        pixels: (H, W, 3) uint8; at most 2 · zoom - 1 rows and columns at the borders are left
            out, so that both views have one size and one centre.
        zoom: a whole number.

    Returns:
        The whole at a low resolution (bicubic), and the centre at full resolution, both
        (H', W', 3) with H' ≈ H / zoom.

    Raises:
        InputError: the picture is too small.
    """
    height, width = (side // (2 * zoom) * 2 * zoom for side in pixels.shape[:2])
    if not height or not width:
        raise InputError(
            f"A picture of {pixels.shape[1]}×{pixels.shape[0]} pixels is too small for a zoom of "
            f"{zoom}.",
            f"Both sides must be {2 * zoom} pixels or more.",
        )
    whole = _centre(pixels, (width, height))
    size = (width // zoom, height // zoom)
    return resize(whole, size, method="bicubic"), _centre(whole, size)


def essentials_of(wide: Pixels, zoom: float, original: Pixels, *, padded: bool = False) -> bytes:
    """What a carrier's header has to tell, so that both views can be restored.

    Args:
        wide: (H, W, 3) uint8.
        zoom: how many times nearer the second view is, from `MIN_ZOOM` to `MAX_ZOOM`.
        original: the near view at its own size.
        padded: it was given borders.
    """
    size, own = _size(wide), _size(original)
    height = size[1] | (_PADDED if padded else 0)
    return _ESSENTIALS.pack(size[0], height, round(zoom * _FIXED), *own)


def zoom_of(header: Header) -> float:
    """How many times nearer the second view is, by a carrier's header.

    Raises:
        DamagedCarrierError: it tells no possible number.
    """
    if len(header.essentials) == _ESSENTIALS.size:
        zoom = _zoom_in(header.essentials)
        if MIN_ZOOM <= zoom <= MAX_ZOOM:
            return zoom
    raise DamagedCarrierError(
        "The carrier does not tell how much nearer its second view is.", "Look for the original."
    )


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """Both views, the near one at its own size if the header tells a possible one."""
    if len(restored.pictures) != 2:
        raise DamagedCarrierError("The carrier does not hold two views.", "Look for the original.")
    wide, tele = restored.pictures
    if len(header.essentials) == _ESSENTIALS.size:
        said = _ESSENTIALS.unpack(header.essentials)
        own = said[3:]
        if _plausible(_size(wide), own):
            tele = unfitted_second(tele, own, padded=bool(said[1] & _PADDED))
    return [Output(WIDE, wide), Output(TELE, tele)]


CONVERSION = Conversion(TASK, outputs, zoom=zoom_of, names=lambda header: [WIDE, TELE])


def _read_two(sources: Sequence[Path], zoom: float | None, rule: Rule, note: Note) -> ViewPair:
    wide = read_flat(sources[0], note)
    near = in_profile_of(read_flat(sources[1], note), sources[1], wide, note).pixels
    size, own = _size(wide.pixels), _size(near)
    if not _plausible(size, own):
        raise InputError(
            f"A wide view of {size[0]}×{size[1]} and a near one of {own[0]}×{own[1]} pixels do "
            "not go together.",
            f"Neither side may be more than {MAX_RATIO} times the other's.",
        )
    tele, near, padded = fitted_second(near, size, rule, most=MAX_SIDE)
    if zoom is None:
        zoom = _look_for_zoom(sources, wide.pixels, tele, note)
    words = fit_words(own, size, rule)
    if words:
        note(f"{sources[1].name} is {words}")
    return ViewPair(wide, tele, zoom, near, padded)


def _look_for_zoom(sources: Sequence[Path], wide: Pixels, tele: Pixels, note: Note) -> float:
    found = find_zoom(wide, tele)
    if found.score < _GOOD:
        raise InputError(
            f"{sources[1].name} is not found in the middle of {sources[0].name} at any zoom from "
            f"{LEAST:g} to {MOST:g} (best match {found.score:.2f}, {_GOOD:g} is needed).",
            "Is the wide view the first one? If they belong together, say how with --zoom.",
        )
    words = f"{sources[1].name} is {found.zoom:.2f} times nearer (match {found.score:.2f})"
    if found.score < _FAIR:
        words += ", which is not sure; --zoom says it better"
    aside = math.hypot(found.x, found.y)
    if aside > 0.02:
        words += f"; it looks {aside:.0%} of its size aside of the centre".replace("%", " %")
    note(words)
    return found.zoom


def _cut(source: Path, zoom: float | None, note: Note) -> ViewPair:
    whole = read_flat(source, note)
    wide, tele = views_of(whole.pixels, int(zoom or 0))
    return ViewPair(replace(whole, pixels=wide), tele, float(zoom or 0), tele)


def _zoom_in(essentials: bytes) -> float:
    return float(_ESSENTIALS.unpack(essentials)[2]) / _FIXED


def _centre(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    left, top = (pixels.shape[1] - size[0]) // 2, (pixels.shape[0] - size[1]) // 2
    return np.ascontiguousarray(pixels[top : top + size[1], left : left + size[0]])


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _plausible(size: tuple[int, int], own: tuple[int, int]) -> bool:
    """Tell whether views of these sizes may belong together, whoever says so."""
    pairs = list(zip(size, own, strict=True))
    alike = all(a <= MAX_RATIO * b and b <= MAX_RATIO * a for a, b in pairs)
    return (
        min(own) > 0
        and max(own) <= MAX_SIDE
        and alike
        and own[0] * own[1] <= max(MAX_PIXELS, size[0] * size[1])
    )
