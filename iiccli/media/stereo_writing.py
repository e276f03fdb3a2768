"""A stereo pair in the forms in which people look at one."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from iiccli.atomic import atomic_path
from iiccli.errors import OutputError
from iiccli.media.image import check_pixels
from iiccli.media.matching import best_match, details, small_gray
from iiccli.media.opening import DECODE_ERRORS
from iiccli.media.resize import Pixels, resize
from iiccli.media.stereo import alike

COMBINED = ("sbs", "sbs-cross", "over-under", "anaglyph")
"""Forms that are one picture, see `combined`."""

WIGGLE_RATE = Fraction(6)
"""Views a second that a wiggling picture shows."""

# E. Dubois, "A projection method to generate anaglyph stereo images", ICASSP 2001: the colours
# that red-cyan glasses and a display of sRGB primaries bring nearest to the two views, by least
# squares. Rows: red, green, blue of the anaglyph; first of the left view's, then of the right's.
_DUBOIS = np.array(
    [
        [0.456100, 0.500484, 0.176381, -0.0434706, -0.0879388, -0.00155529],
        [-0.0400822, -0.0378246, -0.0157589, 0.378476, 0.73364, -0.0184503],
        [-0.0152161, -0.0205971, -0.00546856, -0.0721527, -0.112961, 1.2264],
    ],
    np.float32,
)
_ROWS = 256
"""Rows of an anaglyph that are computed at a time."""

_ALIGNED_SIDE = 512
_MPO_ENTRIES = 0xB002
_VIEW = 0x020002
"""An MPO picture's kind: one of several views (CIPA DC-007: disparity)."""
_REPRESENTATIVE = 0x20000000


def combined(left: Pixels, right: Pixels, form: str) -> Pixels:
    """Show both views in one picture.

    Args:
        left: (H, W, 3) uint8.
        right: any size; it is fitted to the left one's.
        form: one of `COMBINED`.

    Returns:
        (H, 2W, 3) for side by side, (2H, W, 3) one above the other, (H, W, 3) for red-cyan.
    """
    right = resize(right, (left.shape[1], left.shape[0]))
    if form == "anaglyph":
        return anaglyph(left, right)
    views = (right, left) if form == "sbs-cross" else (left, right)
    return np.concatenate(views, axis=0 if form == "over-under" else 1)


def anaglyph(left: Pixels, right: Pixels) -> Pixels:
    """For glasses with red on the left and cyan on the right, by Dubois' projection.

    Args:
        left: (H, W, 3) uint8.
        right: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8; mixed in linear light.
    """
    result = np.empty_like(left)
    for top in range(0, left.shape[0], _ROWS):
        rows = slice(top, top + _ROWS)
        both = np.concatenate((_LINEAR[left[rows]], _LINEAR[right[rows]]), axis=2)
        result[rows] = _coded(both @ _DUBOIS.T)
    return result


def wiggle(left: Pixels, right: Pixels) -> list[Pixels]:
    """Two views that, shown in turn, let a scene move around a point that stays.

    What most of the scene agrees on is laid upon itself, and what only one view shows at the
    borders is cut.

    Args:
        left: (H, W, 3) uint8.
        right: any size; it is fitted to the left one's.

    Returns:
        Two pictures of one size.
    """
    right = resize(right, (left.shape[1], left.shape[0]))
    x, y = _shift(left, right)
    return [_common(left, x, y), _common(right, -x, -y)]


def write_mpo(
    path: Path,
    left: Pixels,
    right: Pixels,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    force: bool = False,
) -> None:
    """Write two views as 3D cameras do: two JPEG pictures of high quality in one file.

    Args:
        path: the target.
        left: (H, W, 3) uint8.
        right: any size; it is fitted to the left one's.
        icc: profile of both.
        exif: of the left one.
        force: replace an existing file.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: the system or the format refuses.
    """
    check_pixels(left)
    check_pixels(right)
    right = resize(right, (left.shape[1], left.shape[0]))
    first, second = (Image.fromarray(np.ascontiguousarray(view)) for view in (left, right))
    options: dict[str, Any] = {"quality": 95, "subsampling": 0}
    if icc:
        options["icc_profile"] = icc
    if exif:
        options["exif"] = exif
    second.encoderinfo = options
    stream = io.BytesIO()
    with atomic_path(path, force=force) as temporary:
        try:
            first.save(stream, "MPO", save_all=True, append_images=[second], **options)
        except DECODE_ERRORS as error:
            raise OutputError(f"{path} cannot be written as MPO: {error}.", "Try .png.") from error
        temporary.write_bytes(_declared_as_views(stream.getvalue()))


def _shift(left: Pixels, right: Pixels) -> tuple[int, int]:
    """How far the right view is shifted against the left: coarsely, then finely."""
    coarse = alike(left, right)
    one, other = _common(left, coarse.x, coarse.y), _common(right, -coarse.x, -coarse.y)
    height, width = one.shape[:2]
    scale = min(1.0, _ALIGNED_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    radius = max(1, max(size) // 32)
    first, second = (details(small_gray(view, size), radius) for view in (one, other))
    fine = best_match(first, second, (min(radius, size[0] - 1), min(radius // 2, size[1] - 1)))
    x, y = round(fine.x * width / size[0]), round(fine.y * height / size[1])
    return coarse.x + x, coarse.y + y


def _common(view: Pixels, x: int, y: int) -> Pixels:
    """The part of a view that the other one, shifted by so much against it, shows too."""
    height, width = view.shape[:2]
    rows = slice(max(0, -y), height - max(0, y))
    columns = slice(max(0, -x), width - max(0, x))
    return np.ascontiguousarray(view[rows, columns])


def _linear_values() -> np.ndarray[Any, np.dtype[np.float32]]:
    values = np.arange(256) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


_LINEAR = _linear_values()
"""Light of each sRGB value, 0..1."""


def _coded(light: np.ndarray[Any, np.dtype[np.float32]]) -> Pixels:
    light = light.clip(0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    result: Pixels = np.rint(values * 255).clip(0, 255).astype(np.uint8)
    return result


def _declared_as_views(data: bytes) -> bytes:
    """Say of both pictures in an MPO file that they are views of one scene.

    Pillow calls the first a picture with a preview and the second undefined, which no 3D
    display takes.
    """
    start = data.index(b"MPF\0") + 4
    (directory,) = struct.unpack_from("<I", data, start + 4)
    (count,) = struct.unpack_from("<H", data, start + directory)
    changed = bytearray(data)
    for i in range(count):
        tag, _, _, value = struct.unpack_from("<HHII", data, start + directory + 2 + 12 * i)
        if tag == _MPO_ENTRIES:
            struct.pack_into("<I", changed, start + value, _REPRESENTATIVE | _VIEW)
            struct.pack_into("<I", changed, start + value + 16, _VIEW)
    return bytes(changed)
