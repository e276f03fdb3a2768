"""Opening a file with Pillow, with every way that can fail said in one sentence."""

from __future__ import annotations

import importlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from iiccli.errors import InputError
from iiccli.limits import check_size, growth_limit, own_limit

# What Pillow's decoders raise on damaged files; they share no common base.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
)

# Formats that Pillow alone cannot read: (name, package to install, module).
_HEIC = ("HEIC", "pillow-heif", "pillow_heif")
_JXL = ("JPEG XL", "pillow-jxl-plugin", "pillow_jxl")
_PROGRAMS = frozenset({"EPS", "WMF"})


def check_is_file(path: Path) -> None:
    """Refuse a path that is missing, a folder, or an empty file.

    Raises:
        InputError: it is one of these, or cannot be looked at.
    """
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist.", "Check the name.")
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file.", "Give one file.")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes).")
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise InputError(f"{path} cannot be read: {error}.") from error


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Yield the file as a lazy Pillow image; decoding errors in the block become InputError.

    Raises:
        InputError: missing, a folder, no picture, damaged, or larger than is safe to decode.
    """
    check_is_file(path)
    try:
        with own_limit():
            with quiet():
                image = _open(path)
            with image:
                check_size(path, *image.size)
                with growth_limit():
                    yield image
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not a picture that can be read.", _hint(path)) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{path} has frames that are larger than it says, and than is read.",
            "It may be meant to fill memory; export it anew if you trust it.",
        ) from error
    except PermissionError as error:
        raise InputError(f"No permission to read {path}.") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit into memory.", "Shrink it first.") from error
    except DECODE_ERRORS as error:
        raise InputError(
            f"{path} is damaged or incomplete: {str(error).strip() or type(error).__name__}.",
            "Fetch or export it anew.",
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings, which are of much that is harmless."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(path: Path) -> Image.Image:
    """Open `path`; where Pillow does not know it, try once more with an installed plugin."""
    try:
        return Image.open(path, formats=_formats())
    except UnidentifiedImageError:
        foreign = _foreign_format(path)
        if foreign is None or not _register(foreign[2]):
            raise
        return Image.open(path, formats=_formats())


def _formats() -> list[str]:
    """All that Pillow reads but what is a program: it would give PostScript to Ghostscript."""
    Image.init()
    return [name for name in Image.OPEN if name not in _PROGRAMS]


def _register(module: str) -> bool:
    """Import a Pillow plugin, if it is installed; return whether it is there."""
    try:
        plugin = importlib.import_module(module)
    except ImportError:
        return False
    if hasattr(plugin, "register_heif_opener"):  # pillow_jxl registers itself on import
        plugin.register_heif_opener()
    return True


def _foreign_format(path: Path) -> tuple[str, str, str] | None:
    """Recognise by its first bytes a format that needs a plugin."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1"):
        return _HEIC
    if head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return _JXL
    return None


def _hint(path: Path) -> str:
    """Say what would help with a file that Pillow does not recognise."""
    foreign = _foreign_format(path)
    if foreign is not None:
        name, package, _ = foreign
        return f"It is {name}: `pip install {package}`, or convert it to PNG or JPEG."
    return "PNG, JPEG, WebP, AVIF, TIFF, GIF and BMP are read."
