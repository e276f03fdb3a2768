"""Turning every pixel mode of Pillow into 8-bit RGB and, where there is one, alpha."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from iiccli.media.resize import Pixels
from iiccli.room import pixels_of

_WITH_ALPHA = ("LA", "PA", "RGBA", "La", "RGBa")


@dataclass(frozen=True)
class Converted:
    """A picture as 8-bit RGB.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, 255 is opaque; None where the source has none.
        icc: the profile that describes `pixels`; None stands for sRGB.
        notes: what changed on the way, one phrase each.
    """

    pixels: Pixels
    alpha: Pixels | None
    icc: bytes | None
    notes: tuple[str, ...]


def to_rgb(image: Image.Image) -> Converted:
    """Convert a decoded Pillow image of any mode; its profile is kept if it is an RGB one.

    Raises what Pillow raises; call it inside `opened`.
    """
    notes: list[str] = []
    icc: bytes | None = image.info.get("icc_profile") or None
    space = _profile_space(icc) if icc else "RGB"
    if space is None:
        notes.append("a damaged colour profile was left out")
        icc, space = None, "RGB"

    if image.mode.startswith("I") or image.mode == "F":
        image, note = _deep_to_grey(image)
        notes.append(note)

    alpha: Pixels | None = None
    if has_alpha(image):
        whole = _in_mode(image, "RGBA")
        alpha = pixels_of(whole.getchannel("A"))
        colours = image.convert("L") if image.mode in ("L", "LA", "La") else whole.convert("RGB")
    else:
        colours = image

    if colours.mode == "1":
        colours = colours.convert("L")
    if icc and space != "RGB":
        converted = _through_profile(colours, icc, space)
        notes.append(
            f"{_mode_name(space)} converted to sRGB through its profile"
            if converted
            else f"a {_mode_name(space)} profile that does not fit the pixels was left out"
        )
        colours, icc = converted or colours, None
    if colours.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes.append(f"{_mode_name(colours.mode)} converted to RGB")
    return Converted(pixels_of(_in_mode(colours, "RGB")), alpha, icc, tuple(notes))


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image in that mode; itself, where it is: Pillow would copy it."""
    return image if image.mode == mode else image.convert(mode)


def has_alpha(image: Image.Image) -> bool:
    """Tell whether an image of Pillow's has an alpha channel, or a colour that is clear."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def is_rgb_profile(icc: bytes) -> bool:
    """Tell whether these bytes are an ICC profile of RGB pixels."""
    return _profile_space(icc) == "RGB"


def _deep_to_grey(image: Image.Image) -> tuple[Image.Image, str]:
    """Reduce an integer or float image to 8-bit grey; the note says which range was assumed."""
    values = np.nan_to_num(np.array(image).astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and low >= 0 and high <= 65535):
        # Mode I is how Pillow opens much 16-bit data.
        values, note = values / 257, "16 bits per channel reduced to 8"
    elif image.mode == "F" and low >= 0 and high <= 1:
        values, note = values * 255, "floating point 0..1 reduced to 8 bits"
    elif image.mode == "F" and low >= 0 and high <= 255:
        note = "floating point 0..255 rounded to 8 bits"
    else:
        scale = 255 / (high - low) if high > low else 0.0
        values, note = (values - low) * scale, f"the range {low:g}..{high:g} mapped to 8 bits"
    grey = Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))
    return grey, note


def _profile_space(icc: bytes) -> str | None:
    """Name the colour space of a profile ("RGB", "GRAY", "CMYK", ...); None if it is damaged."""
    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
    except (OSError, ImageCms.PyCMSError):
        return None
    return str(profile.xcolor_space).strip()


def _through_profile(image: Image.Image, icc: bytes, space: str) -> Image.Image | None:
    """Convert to sRGB by the embedded profile; None where the two do not belong together."""
    if image.mode != {"GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(space):
        return None
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        return None


def _mode_name(mode: str) -> str:
    return {"GRAY": "grey", "LAB": "Lab"}.get(mode, mode)
