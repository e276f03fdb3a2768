"""Still pictures: reading any of them as upright 8-bit RGB, and writing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, features

from iiccli.atomic import atomic_path
from iiccli.errors import OutputError, UsageError
from iiccli.limits import check_size
from iiccli.media.colour import to_rgb
from iiccli.media.opening import DECODE_ERRORS, opened, quiet
from iiccli.media.resize import Pixels, fit_max_side, fitted_size, resize

__all__ = [
    "PICTURE_SUFFIXES",
    "Picture",
    "Pixels",
    "check_picture_target",
    "fit_max_side",
    "fitted_size",
    "read_picture",
    "resize",
    "write_picture",
]

_ORIENTATION = 0x0112
_XMP_TAG = 700
_OURS = (0xFE49, 0xFE4A)
"""Tags in which carriers keep their header: a picture that is made of one is another."""
# A TIFF keeps its EXIF among the tags that lay out its pixels; only these describe the picture.
_TIFF_DESCRIPTION = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298)
_EXIF_FOLDERS = (0x8769, 0x8825)

_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    # Level 3 writes in a third of the time of the default 6 for a few per cent more bytes.
    ".png": ("PNG", {"compress_level": 3}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True, "quality": 50, "method": 3, "exact": True}),
    ".avif": ("AVIF", {"quality": 90, "subsampling": "4:4:4"}),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".bmp": ("BMP", {}),
}
PICTURE_SUFFIXES = tuple(_WRITERS)
"""The suffixes that `write_picture` knows, in lower case."""


@dataclass(frozen=True)
class Picture:
    """A still picture, decoded.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright: the EXIF orientation has been applied.
        alpha: (H, W) uint8, 255 is opaque; None where the file has no transparency.
        icc: the ICC profile that describes `pixels`; None stands for sRGB.
        exif: the EXIF block, its orientation reset to 1.
        xmp: the XMP packet, without orientation.
        notes: what was changed or left out while reading, one phrase each.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    notes: tuple[str, ...] = ()


def read_picture(path: Path, *, frame: int | None = None) -> Picture:
    """Read any picture that Pillow can open as upright 8-bit RGB.

    Args:
        path: the file.
        frame: which of the pictures in the file, from 0; None takes the first, and notes it
            where there are several.

    Raises:
        InputError: missing, a folder, no picture, damaged, or too large to decode safely.
    """
    with opened(path) as image, quiet():
        notes: list[str] = []
        frames = getattr(image, "n_frames", 1)
        if frame is not None:
            image.seek(frame)
            check_size(path, *image.size)  # it may differ from the first one's
        elif frames > 1:
            notes.append(f"the first of {frames} frames was taken")
        if reads_16_bit_as_8(image):
            notes.append("16 bits per channel reduced to 8")
        image.load()
        upright = image
        if image.getexif().get(_ORIENTATION, 1) != 1:  # else Pillow copies it
            upright = ImageOps.exif_transpose(image)
        exif, note = _exif(image)  # changes the orientation tag, so only after it was used
        notes.extend(note)
        converted = to_rgb(upright)
        return Picture(
            pixels=converted.pixels,
            alpha=converted.alpha,
            icc=converted.icc,
            exif=exif,
            xmp=_xmp(upright),
            notes=(*notes, *converted.notes),
        )


def check_picture_target(path: Path, *, alpha: bool = False) -> None:
    """Refuse a target whose format is unknown, or cannot hold alpha, before any work is done.

    Raises:
        UsageError: the suffix names no writable format, or one that holds no transparency.
        OutputError: this Pillow has no encoder for it.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise UsageError(
            f"{path.name} does not say which picture format to write.",
            f"Possible are {', '.join(PICTURE_SUFFIXES)}.",
        )
    if alpha and _WRITERS[suffix][0] in ("JPEG", "BMP"):
        raise UsageError(
            f"{path.name} cannot hold transparency.", "Write .png, .webp, .avif or .tif."
        )
    if suffix == ".avif" and not features.check("avif"):
        raise OutputError(f"This Pillow cannot write {path.name}.", "Write .png instead.")


def write_picture(
    path: Path,
    pixels: Pixels,
    *,
    alpha: Pixels | None = None,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    force: bool = False,
) -> None:
    """Write (H, W, 3) uint8 RGB `pixels`, whole or not at all, in the format of the suffix.

    PNG, WebP, TIFF and BMP are lossless; JPEG and AVIF are written at high quality without
    chroma subsampling. BMP holds no profile, EXIF or XMP: they are left out.

    Args:
        path: the target; its folder is made if missing.
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, 255 is opaque.
        icc: profile to embed.
        exif: EXIF block to embed.
        xmp: XMP packet to embed.
        force: replace an existing file.

    Raises:
        UsageError: unknown suffix, alpha in a format without it, or arrays of a wrong shape.
        OutputExistsError: the target exists and `force` is false.
        OutputError: the system or the format refuses (space, permission, too large).
    """
    check_picture_target(path, alpha=alpha is not None)
    check_pixels(pixels)
    name, options = _WRITERS[path.suffix.lower()]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if alpha is not None:
        if alpha.shape != pixels.shape[:2] or alpha.dtype != np.uint8:
            raise UsageError("Alpha must be 8-bit and as large as its picture.")
        image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    metadata = {} if name == "BMP" else _metadata(name, icc, exif, xmp)
    with atomic_path(path, force=force) as temporary:
        try:
            image.save(temporary, format=name, **options, **metadata)
        except OSError:
            raise  # atomic_path says it well
        except DECODE_ERRORS as error:
            raise OutputError(
                f"{path} cannot be written as {name}: {error}.", "Try .png."
            ) from error


def check_pixels(pixels: Pixels) -> None:
    """Refuse what is not an (H, W, 3) uint8 array with at least one pixel.

    Raises:
        UsageError: it is not.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise UsageError(
            f"Pixels must be an (H, W, 3) array of uint8, not {pixels.shape} of {pixels.dtype}."
        )


def reads_16_bit_as_8(image: Image.Image) -> bool:
    """Tell whether Pillow drops the low bytes while decoding (16-bit RGB)."""
    raw_modes = [
        part
        for tile in getattr(image, "tile", [])
        for part in (tile.args if isinstance(tile.args, tuple) else (tile.args,))
    ]
    deep = any(isinstance(mode, str) and ";16" in mode for mode in raw_modes)
    return deep and not image.mode.startswith("I")


def _exif(image: Image.Image) -> tuple[bytes | None, list[str]]:
    """Return the EXIF block with orientation 1, and a note if it had to be dropped."""
    try:
        found = image.getexif()
        kept = Image.Exif()
        if image.format == "TIFF":
            kept.update({tag: found[tag] for tag in _TIFF_DESCRIPTION if tag in found})
            for folder in _EXIF_FOLDERS:
                if tags := found.get_ifd(folder):
                    kept.get_ifd(folder).update(tags)
            # Without entries in the main folder its sub-folders are not written.
            for folder in _EXIF_FOLDERS:
                if kept.get_ifd(folder):
                    kept[folder] = kept.get_ifd(folder)
        elif "exif" in image.info:
            kept = found
        for tag in _OURS:
            if tag in kept:
                del kept[tag]
        if not len(kept):
            return None, []
        if _ORIENTATION in kept:
            kept[_ORIENTATION] = 1
        return kept.tobytes(), []
    except DECODE_ERRORS:
        return None, ["a damaged EXIF block was left out"]


def _xmp(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    return packet if isinstance(packet, bytes) and packet else None


def _metadata(
    name: str, icc: bytes | None, exif: bytes | None, xmp: bytes | None
) -> dict[str, Any]:
    """Build the options by which Pillow's writer for format `name` embeds metadata."""
    options: dict[str, Any] = {}
    if icc:
        options["icc_profile"] = icc
    if exif:
        options["exif"] = exif
    if xmp and name == "TIFF":
        # Pillow takes a TIFF's tags from one place only, so XMP joins the EXIF.
        tags = Image.Exif()
        tags.load(exif or b"")
        tags[_XMP_TAG] = xmp
        options["exif"] = tags
        xmp = None
    if xmp and name == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    elif xmp:
        options["xmp"] = xmp
    return options
