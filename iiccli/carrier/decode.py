"""From a file to 8-bit pixels, whatever the file holds: limits first, then memory."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from iiccli.carrier.metadata import Attached, find_attached, find_header
from iiccli.carrier.pixels import Pixels
from iiccli.errors import IicError, InputError
from iiccli.limits import check_size, own_limit
from iiccli.room import pixels_of

MAX_PIXELS: Final = 2**27
"""Largest size that a header may claim for what it holds: about 134 million pixels."""

_FORMATS: Final = frozenset(
    {"PNG", "WEBP", "TIFF", "JPEG", "MPO", "BMP", "GIF", "PPM", "AVIF", "JPEG2000", "QOI"}
)
"""Pillow's readers that may see the file: still pictures, none that starts a program."""

_LOSSY: Final = frozenset({"JPEG", "MPO", "AVIF"})
_FEW_CHUNKS: Final = 8
"""So many chunks of a WebP may come before its pixels."""
_EIGHT_BIT: Final = frozenset({"RGB", "L", "1", "P", "LA", "PA", "RGBA", "RGBX"})
_UNDO_ORIENTATION: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Decoded:
    """A picture as its file has it, neither rotated nor colour-managed.

    Attributes:
        pixels: RGB or gray; None where the picture is not of 8 bits (see `mode`).
        alpha: (H, W) uint8, where there is one that is not opaque everywhere.
        text: our header's text, if there is one.
        format: Pillow's name of the file format, e.g. "PNG".
        mode: Pillow's name of the pixel format, e.g. "RGB", "P", "CMYK".
        frames: how many pictures are in the file; `pixels` is the first.
        lossy: the name of the file's compression, if it is a lossy one, else empty.
    """

    pixels: Pixels | None
    alpha: NDArray[np.uint8] | None
    text: str | None
    attached: Attached
    format: str
    mode: str
    frames: int
    lossy: str = ""


def decode(path: Path, max_pixels: int | None = None) -> Decoded:
    """Read the picture in `path`.

    Args:
        path: the file.
        max_pixels: refuse larger ones; None takes `iiccli.limits.max_pixels`.

    Raises:
        InputError: the file is missing, unreadable, damaged, no picture, or too large.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a picture.")
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise InputError(f"{path} is not a regular file.")
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise InputError(f"Cannot read {_short(path)}: {_reason(error)}.") from error
    try:
        with file:
            return _decode(path, file, max_pixels)
    except IicError:
        raise
    except UnidentifiedImageError:
        raise InputError(
            f"{path} is not a picture, or its first bytes are damaged.",
            "A carrier is a PNG, WebP or TIFF file.",
        ) from None
    except MemoryError:
        raise InputError(f"Not enough memory to read {path}.") from None
    except Exception as error:  # the decoders raise nearly anything on damaged files
        raise InputError(
            f"{path} is truncated or damaged.",
            "Copy or download the file again; messengers and interrupted copies do this.",
        ) from error


def _decode(path: Path, file: Any, max_pixels: int | None) -> Decoded:
    Image.init()  # else only the commonest formats are known
    formats = [name for name in Image.OPEN if name in _FORMATS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with own_limit(), Image.open(file, formats=formats) as image:
            check_size(path, *image.size, max_pixels)
            frames = int(getattr(image, "n_frames", 1))
            # Pillow turns TIFFs upright while loading, and only these
            turn = image.getexif().get(0x0112) if image.format == "TIFF" else None
            name = image.format or ""
            image.load()
            text, attached = find_header(image), find_attached(image)
            mode = image.mode
            upright: Image.Image = image
            if turn in _UNDO_ORIENTATION:
                upright = image.transpose(_UNDO_ORIENTATION[turn])
            pixels, alpha = _eight_bit(upright)
    lossy = _lossy(name, file)
    return Decoded(pixels, alpha, text, attached, name, mode, frames, lossy)


def _lossy(name: str, file: Any) -> str:
    """Name the compression of a file that loses something, else nothing."""
    if name != "WEBP":
        return name if name in _LOSSY else ""
    file.seek(12)
    for _ in range(_FEW_CHUNKS):
        head = file.read(8)
        if head[:4] in (b"VP8 ", b"VP8L", b""):
            return "lossy WebP" if head[:4] == b"VP8 " else ""
        length = int.from_bytes(head[4:], "little")
        file.seek(length + length % 2, 1)
    return ""


def _short(path: Path) -> str:
    text = str(path).replace("\0", "?")
    return text if len(text) <= 200 else f"{text[:200]}…"


def _reason(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error)


def _eight_bit(image: Image.Image) -> tuple[Pixels | None, NDArray[np.uint8] | None]:
    """Undo what optimisers do without loss: palettes, added alpha, 16 bits out of 8."""
    if image.mode.startswith("I;16") or image.mode == "I":
        wide = np.asarray(image).astype(np.int64)
        if wide.min() < 0 or wide.max() > 0xFFFF or (wide % 257).any():
            return None, None
        return (wide // 257).astype(np.uint8), None
    if image.mode not in _EIGHT_BIT:
        return None, None
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    elif "transparency" in image.info and image.mode in ("L", "RGB"):
        image.info.pop("transparency")  # one colour shown as clear: the pixels stay as they are
    alpha = None
    if image.mode in ("LA", "RGBA") and image.getextrema()[-1] != (255, 255):
        alpha = pixels_of(image.getchannel("A"))
    if image.mode == "LA":
        image = image.getchannel("L")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return pixels_of(image), alpha
