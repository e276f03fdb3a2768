"""Write a carrier so that it is whole, checked and in place, or not there at all."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from iiccli.atomic import atomic_path, check_target
from iiccli.carrier.border import header_samples
from iiccli.carrier.decode import decode
from iiccli.carrier.header import Header
from iiccli.carrier.metadata import Attached, png_options, tiff_options, webp_options
from iiccli.carrier.pixels import Pixels, check_pixels, checksum, is_gray, read_stamp, stamp
from iiccli.errors import InputError, OutputError
from iiccli.room import copied, equal

FORMATS: Final = {".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
"""Suffixes that a carrier may have."""

_LOSSY: Final = frozenset({".jpg", ".jpeg", ".jpe", ".avif", ".heic", ".heif", ".jxl", ".jp2"})
_WEBP_SIDE: Final = 16383
_USE: Final = "Name it .png, .webp or .tif instead: a carrier must stay lossless to the last bit."

# Measured on 1920×1080 with a noisy message in the low bits, one core: run-length matching
# takes 0.13 s for 2.92 MB, where Pillow's default takes 0.74 s for 2.96 MB.
_PNG: Final = {"compress_level": 6, "compress_type": zlib.Z_RLE}
# 0.31 s for 2.76 MB; more effort saves half a per cent more and takes twice the time.
_WEBP: Final = {"lossless": True, "exact": True, "method": 2, "quality": 20}
# 0.29 s for 3.38 MB with the predictor that tiff_options sets; LZW gives 3.59 MB.
_TIFF: Final = {"compression": "tiff_adobe_deflate"}


def check_carrier_target(path: Path, force: bool = False) -> None:
    """Refuse a target that no carrier can be written to, before any work is done.

    Raises:
        OutputError: the suffix is of no lossless format that we write, or the place is not
            writable.
        OutputExistsError: the file exists and `force` is false.
    """
    suffix = path.suffix.lower()
    if suffix in _LOSSY:
        raise OutputError(f"{path} would be lossy, which destroys what a carrier holds.", _USE)
    if suffix not in FORMATS:
        raise OutputError(f"{path} has no suffix of a picture that a carrier can be.", _USE)
    if path.is_dir():
        raise OutputError(f"{path} is a folder, not a file.", "Choose another name.")
    check_target(path, force=force)


def write_carrier(
    path: Path,
    pixels: Pixels,
    header: Header,
    *,
    target: NDArray[Any] | None = None,
    alpha: Pixels | None = None,
    pixel_header: bool = True,
    veil: bytes | None = None,
    metadata: bool = True,
    force: bool = False,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
) -> Pixels:
    """Write a carrier, read it back, and only then move it into place.

    Args:
        path: where to; the suffix chooses the format (PNG, lossless WebP, TIFF).
        pixels: (H, W, 3) RGB or (H, W) gray, uint8; not changed.
        header: what the carrier says about itself. `size` must be that of `pixels`;
            `pixels_sha256` is filled in here.
        target: the cover before embedding, of the same shape and in 0..255: where the header
            changes a sample, it moves by 1 towards it.
        alpha: (H, W) uint8, which goes into the alpha channel; it is in no checksum. None is
            opaque everywhere.
        pixel_header: put the essentials into the pixels too, where the picture is large enough.
        veil: makes noise of the header in the pixels of a locked carrier, see `pixels.stamp`.
        metadata: write the header's JSON. Without it and without `pixel_header` nothing in
            the file tells that it is a carrier.
        force: replace an existing file.
        icc: colour profile to attach.
        exif: EXIF block to attach; its orientation becomes 1, as the pixels are upright.
        xmp: XMP packet to attach.

    Returns:
        The pixels as written, header included.

    Raises:
        OutputExistsError: the file exists and `force` is false.
        OutputError: the format is lossy or too small for the picture, the system refuses, or
            reading back gave something else. Nothing is left behind then.
        ValueError: `header`, `target` or `alpha` does not fit `pixels`.
    """
    check_carrier_target(path, force)
    check_pixels(pixels)
    height, width = pixels.shape[:2]
    if header.size != (width, height):
        raise ValueError(f"the header says {header.size}, the pixels are {width}×{height}")
    if alpha is not None and (alpha.shape != (height, width) or alpha.dtype != np.uint8):
        raise ValueError(f"alpha is {alpha.shape}, the pixels are {width}×{height}")
    if alpha is not None and (alpha == 255).all():
        alpha = None
    kind = FORMATS[path.suffix.lower()]
    if kind == "WEBP" and max(width, height) > _WEBP_SIDE:
        raise OutputError(
            f"{path}: a WebP has at most {_WEBP_SIDE} pixels a side, this is {width}×{height}.",
            "Name it .png instead.",
        )
    final = stamp(pixels, header, target, veil) if pixel_header else copied(pixels)
    header = replace(header, pixels_sha256=checksum(final))
    text = header.to_json() if metadata else None
    options = _options(kind, text, Attached(icc, exif, xmp))
    with atomic_path(path, force=force) as temporary:
        try:
            _image(final, alpha).save(temporary, kind, **options)
        except (ValueError, TypeError, RuntimeError, SyntaxError) as error:
            raise OutputError(f"Cannot write {path} as {kind}: {error}.") from error
        said = header if metadata else None
        if not _reads_back(temporary, final, alpha, said, pixel_header, veil):
            raise OutputError(
                f"{path} did not read back as it was written, so it was not kept.",
                "Check the disk, or try another format (.png) or place.",
            )
    return final


def _image(pixels: Pixels, alpha: Pixels | None) -> Image.Image:
    image = Image.fromarray(pixels)
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))  # colours stay as they are, seen or not
    return image


def _options(kind: str, text: str | None, attached: Attached) -> dict[str, Any]:
    if kind == "PNG":
        return {**_PNG, **png_options(text, attached)}
    if kind == "WEBP":
        return {**_WEBP, **webp_options(text, attached)}
    return {**_TIFF, **tiff_options(text, attached)}


def _reads_back(
    path: Path,
    final: Pixels,
    alpha: Pixels | None,
    header: Header | None,
    stamped: bool,
    veil: bytes | None,
) -> bool:
    """Tell whether the file holds exactly these pixels, this alpha and this header."""
    height, width = final.shape[:2]
    try:
        decoded = decode(path, max_pixels=width * height)
    except InputError:
        return False
    pixels = decoded.pixels
    found_alpha = decoded.alpha
    if pixels is None or (found_alpha is None) != (alpha is None):
        return False
    if found_alpha is not None and alpha is not None and (found_alpha != alpha).any():
        return False
    if final.ndim == 2 and pixels.ndim == 3:  # WebP has no gray
        if not is_gray(pixels):
            return False
        pixels = copied(pixels[..., 0])
    if not equal(pixels, final):
        return False
    if decoded.text != (None if header is None else header.to_json()):
        return False
    channels = 1 if final.ndim == 2 else 3
    if stamped and header_samples(height, width, channels).any():
        found = read_stamp(pixels, None if veil is None else lambda lock, length: veil)
        return found is not None and found.intact
    return True
