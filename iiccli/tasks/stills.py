"""Still pictures as conversions take them: flat or with alpha, in one profile, with metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from iiccli.carrier import Attached
from iiccli.errors import UsageError
from iiccli.media.compositing import on_plain
from iiccli.media.image import Picture, Pixels, read_picture
from iiccli.media.place import tells_place
from iiccli.media.profiles import in_profile

Note = Callable[[str], None]
"""Told one remark for the user."""


def silent(message: str) -> None:
    """Tell nobody."""


def read_flat(path: Path, note: Note = silent) -> Picture:
    """Read a picture without transparency: what has some is put on white, and that is said.

    Raises:
        InputError: see `read_picture`.
    """
    picture = read_noted(path, note)
    if picture.alpha is None:
        return picture
    pixels = picture.pixels
    if (picture.alpha != 255).any():
        note(f"{path.name}: its transparent parts were put on white.")
        pixels = on_plain(pixels, picture.alpha)
    return replace(picture, pixels=pixels, alpha=None)


def read_noted(path: Path, note: Note = silent) -> Picture:
    """Read a picture, and say what was changed on the way.

    Raises:
        InputError: see `read_picture`.
    """
    picture = read_picture(path)
    for message in picture.notes:
        note(f"{path.name}: {message}.")
    return picture


def alpha_of(picture: Picture) -> Pixels | None:
    """A picture's alpha, (H, W) uint8; None where it is opaque everywhere."""
    return picture.alpha if picture.alpha is not None and (picture.alpha != 255).any() else None


def attached_to(picture: Picture, note: Note = silent, *, strip: bool = False) -> Attached:
    """What of a picture's metadata goes along with its carrier.

    Args:
        picture: whose look the carrier has.
        note: told if they say where it was taken.
        strip: leave out EXIF and XMP. The profile stays, without which colours would change.
    """
    if strip:
        return Attached(icc=picture.icc)
    if tells_place(picture.exif, picture.xmp):
        note("the camera's place (GPS) goes along; --strip leaves it out.")
    return Attached(picture.icc, picture.exif, picture.xmp)


def in_profile_of(picture: Picture, path: Path, other: Picture, note: Note = silent) -> Picture:
    """Bring a picture to the profile of the one whose file it will share, and say so."""
    converted = in_profile(picture, other.icc)
    for message in converted.notes:
        note(f"{path.name}: {message}.")
    return converted


def spare(sources: Sequence[Path], target: Path) -> None:
    """Refuse a target that is one of the sources, even with `force`.

    Raises:
        UsageError: it is.
    """
    for source in sources:
        if target.exists() and source.exists() and target.samefile(source):
            raise UsageError(f"{target} is one of the inputs.", "Give another name with -o.")


def percent(share: float) -> str:
    """A share, 0..1, in words for a remark."""
    return "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
