"""Bringing pictures to one colour profile, so that they can share a file."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from iiccli.media.colour import is_rgb_profile
from iiccli.media.image import Picture, Pixels

_SAME = 2
"""Two profiles that change no sample by more are two descriptions of one space."""
_LONGEST_NAME = 40
_LATTICE: Pixels = np.moveaxis(np.indices((18, 18, 18), np.uint8) * 15, 0, -1).reshape(54, 108, 3)
"""Colours from all over the cube."""


def in_profile(picture: Picture, icc: bytes | None) -> Picture:
    """The same colours as samples of another RGB profile.

    Args:
        picture: any.
        icc: the profile wanted; None stands for sRGB.

    Returns:
        The picture with that profile. Where a profile is of no use, its samples are as they
        were. Its notes are those of this conversion alone.
    """
    if picture.icc == icc:
        return replace(picture, notes=())
    try:
        source, target = (_opened(profile) for profile in (picture.icc, icc))
        converted = ImageCms.profileToProfile(
            Image.fromarray(picture.pixels),
            source,
            target,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        return replace(picture, icc=icc, notes=("its colour profile could not be converted",))
    if converted is None:  # never without inPlace, but Pillow's types say so
        return replace(picture, icc=icc, notes=())
    pixels = np.array(converted)
    apart = int(np.abs(pixels.astype(np.int16) - picture.pixels).max())
    if apart <= _SAME:
        return replace(picture, icc=icc, notes=())
    notes = ("its colours were converted to the other's profile",)
    return replace(picture, pixels=pixels, icc=icc, notes=notes)


@lru_cache(maxsize=64)
def foreign(icc: bytes | None) -> str:
    """The name of a profile whose colours are others than those of sRGB; else empty.

    One that is no RGB profile is not told from sRGB: its pixels are converted as they are read.
    """
    if icc is None or not is_rgb_profile(icc):
        return ""
    if in_profile(Picture(_LATTICE, icc=icc), None).pixels is _LATTICE:
        return ""
    name = ImageCms.getProfileDescription(_opened(icc))
    plain = "".join(letter for letter in name if letter.isprintable()).strip()
    return plain[:_LONGEST_NAME] or "another profile"


def in_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    """Pixels (H, W, 3) of a profile in sRGB; as they are if that describes nothing else."""
    return in_profile(Picture(pixels, icc=icc), None).pixels if foreign(icc) else pixels


def _opened(icc: bytes | None) -> Any:
    if icc is None:
        return ImageCms.createProfile("sRGB")
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))
