"""One still picture into one carrier: what gray and rescale share."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

from iiccli.carrier import JSON, Header, check_carrier_target, write_carrier
from iiccli.inference.converter import Progress, no_progress
from iiccli.media.colour import is_rgb_profile
from iiccli.media.image import resize
from iiccli.tasks.conversion import ALPHA, Made, Output
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pictures import RestoredPictures, embed_pictures
from iiccli.tasks.stills import Note, alpha_of, attached_to, read_noted, silent, spare

PROFILE = "icc"
"""Key of the header's `extra`: the picture's profile in base64, where the carrier's own pixels
are not of its kind: a gray PNG with an RGB profile is against the standard."""
MAX_PROFILE = 40_000
"""Bytes; `extra` has room for 64 KiB as text."""


def embed_single(
    source: Path,
    target: Path,
    model: LoadedModel,
    name: str,
    quality: str = "balanced",
    *,
    strip: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Make the carrier of one picture.

    Its profile, EXIF and XMP go along, and its alpha as the carrier's alpha channel, resized where
    the carrier is smaller.

    Args:
        source: any picture that can be read.
        target: .png, .webp or .tiff.
        model: takes one picture.
        name: of the picture as an output.
        quality: `cover`, `balanced` or `content`, where the model has several.
        strip: leave out EXIF and XMP.
        force: replace what exists.
        progress: told how far it is.
        note: called with remarks for the user.

    Raises:
        InputError, OutputError, OutputExistsError, DeviceError: see `errors`.
    """
    check_carrier_target(target, force)
    spare([source], target)
    picture = read_noted(source, note)
    pixels, alpha = picture.pixels, alpha_of(picture)
    kept = attached_to(picture, note, strip=strip)
    profile = kept.icc
    extra: dict[str, JSON] = {} if alpha is None else {ALPHA: True}
    if model.converter.channels == 1 and profile is not None:
        if len(profile) <= MAX_PROFILE:
            extra[PROFILE] = base64.b64encode(profile).decode("ascii")
        else:
            note(f"{source.name}: its colour profile is too large to go along.")
        profile = None
    fields: dict[str, Any] = {"extra": extra}
    carrier, header = embed_pictures(model, [pixels], 0, quality, progress, **fields)
    cover = model.converter.cover(pixels)
    written = write_carrier(
        target,
        carrier,
        header,
        target=cover,
        alpha=None if alpha is None else resize(alpha, header.size, method="bicubic"),
        force=force,
        icc=profile,
        exif=kept.exif,
        xmp=kept.xmp,
    )
    return Made(target, written, header, cover, [Output(name, pixels, alpha, icc=picture.icc)])


def single_output(name: str, header: Header, restored: RestoredPictures) -> list[Output]:
    """The one picture that comes back, with the profile that the header keeps for it."""
    return [Output(name, restored.pictures[0], icc=_profile(header))]


def _profile(header: Header) -> bytes | None:
    text = header.extra.get(PROFILE)
    if not isinstance(text, str):
        return None
    try:
        profile = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return profile if is_rgb_profile(profile) else None
