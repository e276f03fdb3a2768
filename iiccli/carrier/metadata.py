"""Where the header's JSON and the picture's own metadata lie in each file format.

PNG has text chunks: ours is an iTXt chunk named "iic". WebP and TIFF have none, but both
carry an EXIF directory that converters copy as a whole. Ours is a tag of its own there, from
the range that the TIFF standard leaves to everybody: so neither the description that the user
wrote nor an XMP packet has to be touched.

A compressed TIFF written through Pillow cannot hold EXIF's inner directories. There the
user's EXIF block is kept whole in a second tag of ours, for iic to give back, and the tags
that other programs look for are written besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from PIL import ExifTags, Image, PngImagePlugin

from iiccli.carrier.header import FORMAT_NAME, JSON_LIMIT

TEXT_KEY: Final = "iic"
EXIF_TAG: Final = 0xFE49  # 65097; 65000 to 65535 are free for all
EXIF_COPY_TAG: Final = 0xFE4A
_PREDICTOR: Final = 317
_XMP_TAG: Final = 700
_XMP_KEY: Final = "XML:com.adobe.xmp"
_STRUCTURE: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 317, 320}
    | {322, 323, 324, 325, 330, 332, 338, 339, 347, _XMP_TAG, 34675, EXIF_TAG, EXIF_COPY_TAG}
)
"""TIFF tags that describe how the pixels lie in the file, or that are handed over otherwise."""
_PLAIN: Final = (270, 271, 272, 305, 306, 315, 33432)
"""Description, make, model, software, date, artist and copyright: text in every TIFF."""


@dataclass(frozen=True)
class Attached:
    """Metadata of the user's that travels with a carrier, each as raw bytes or None."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None


def png_options(text: str | None, attached: Attached) -> dict[str, Any]:
    """Give Pillow's arguments that write the metadata into a PNG."""
    chunks = PngImagePlugin.PngInfo()
    if text is not None:
        chunks.add_itxt(TEXT_KEY, text)
    if attached.xmp:
        chunks.add_itxt(_XMP_KEY, _upright_xmp(attached.xmp).decode("utf-8", "replace"))
    options: dict[str, Any] = {"pnginfo": chunks, "icc_profile": attached.icc}
    if attached.exif:
        options["exif"] = _upright(attached.exif)
    return options


def webp_options(text: str | None, attached: Attached) -> dict[str, Any]:
    """Give Pillow's arguments that write the metadata into a WebP."""
    options: dict[str, Any] = {"icc_profile": attached.icc}
    if text is not None or attached.exif:
        exif = _upright(attached.exif)
        if text is not None:
            exif[EXIF_TAG] = text
        options["exif"] = exif.tobytes()
    if attached.xmp:
        options["xmp"] = _upright_xmp(attached.xmp)
    return options


def tiff_options(text: str | None, attached: Attached) -> dict[str, Any]:
    """Give Pillow's arguments that write the metadata into a TIFF, its predictor included.

    Without `text` the file must not show where it comes from: only the plain tags of the
    EXIF block are kept then.
    """
    exif = _upright(attached.exif)
    tags: dict[int, Any] = {_PREDICTOR: 2}
    for tag in _PLAIN:
        value = exif.get(tag)
        if isinstance(value, str) and value.isascii() and value:
            tags[tag] = value
    if text is not None:
        tags[EXIF_TAG] = text
        if len(exif):
            tags[EXIF_COPY_TAG] = exif.tobytes()
    if attached.xmp:
        tags[_XMP_TAG] = _upright_xmp(attached.xmp)
    return {"tiffinfo": tags, "icc_profile": attached.icc}


def find_header(image: Image.Image) -> str | None:
    """Give the text in which a loaded picture carries a header, or None.

    It is looked for in every place to which a converter may have moved it. Only a text from
    the place where we put it is returned unseen; elsewhere it must name our format.
    """
    texts = getattr(image, "text", None)
    if isinstance(texts, dict) and TEXT_KEY in texts:
        return str(texts[TEXT_KEY])
    try:
        exif = image.getexif()
        ours, described = exif.get(EXIF_TAG), exif.get(ExifTags.Base.ImageDescription)
    except Exception:  # a broken EXIF block may raise anything; it holds no header then
        ours = described = None
    if ours is not None:
        return _decoded(ours) or ""
    for value in (described, image.info.get("comment"), image.info.get(TEXT_KEY)):
        text = _decoded(value)
        if text is not None and len(text) <= JSON_LIMIT and f'"{FORMAT_NAME}"' in text:
            return text
    return None


def find_attached(image: Image.Image) -> Attached:
    """Give the user's metadata of a loaded picture, without our header."""
    icc, xmp = image.info.get("icc_profile"), image.info.get("xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    try:
        exif = _without_ours(image)
    except Exception:  # as above: a broken EXIF block is not worth losing the pixels
        exif = None
    return Attached(
        icc=icc if isinstance(icc, bytes) and icc else None,
        exif=exif,
        xmp=xmp if isinstance(xmp, bytes) and xmp else None,
    )


def _without_ours(image: Image.Image) -> bytes | None:
    raw = image.info.get("exif")
    exif = image.getexif()
    if isinstance(exif.get(EXIF_COPY_TAG), bytes):
        return bytes(exif[EXIF_COPY_TAG])
    if image.format == "TIFF":
        drop = _STRUCTURE.intersection(exif)
    elif not isinstance(raw, bytes):
        return None
    elif EXIF_TAG in exif:
        drop = frozenset({EXIF_TAG})
    else:
        return raw
    copy = Image.Exif()
    copy.load(exif.tobytes())
    for tag in drop:
        del copy[tag]
    return copy.tobytes() if len(copy) else None


def _upright(raw: bytes | None) -> Image.Exif:
    """Read EXIF and make its orientation 1: a carrier's pixels are upright as they are."""
    exif = Image.Exif()
    if raw:
        try:
            exif.load(raw)
            len(exif.tobytes())
        except Exception:  # unreadable EXIF is of no use to anybody; leave it out
            return Image.Exif()
    if ExifTags.Base.Orientation in exif:
        exif[ExifTags.Base.Orientation] = 1
    return exif


def _upright_xmp(xmp: bytes) -> bytes:
    xmp = re.sub(rb'(tiff:Orientation\s*=\s*["\'])[0-9](["\'])', rb"\g<1>1\2", xmp)
    return re.sub(rb"(<tiff:Orientation>)[0-9](</tiff:Orientation>)", rb"\g<1>1\2", xmp)


def _decoded(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip("\0")
    return value.rstrip("\0") if isinstance(value, str) else None
