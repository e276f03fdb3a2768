"""Changing the size of 8-bit pictures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PIL import Image

from iiccli.errors import UsageError

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
"""uint8; (H, W, 3) RGB, or (H, W) for an alpha channel."""

_FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC}


def fitted_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Return (width, height) with the longer side at most `max_side`, never enlarged.

    Raises:
        UsageError: `max_side` is less than 1.
    """
    if max_side is None:
        return size
    if max_side < 1:
        raise UsageError(f"A longest side of {max_side} pixels is impossible.", "Give 1 or more.")
    longest = max(size)
    if longest <= max_side:
        return size
    width, height = (max(1, round(side * max_side / longest)) for side in size)
    return width, height


def resize(
    pixels: Pixels, size: tuple[int, int], *, method: Literal["lanczos", "bicubic"] = "lanczos"
) -> Pixels:
    """Resample uint8 `pixels`, (H, W, 3) or (H, W), to `size` = (width, height), antialiased.

    Raises:
        UsageError: a side of `size` is less than 1.
    """
    if min(size) < 1:
        raise UsageError(f"A size of {size[0]}×{size[1]} pixels is impossible.")
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize(size, _FILTERS[method]))


def fit_max_side(pixels: Pixels, max_side: int) -> Pixels:
    """Shrink uint8 `pixels` so that the longer side is at most `max_side`; never enlarge.

    Raises:
        UsageError: `max_side` is less than 1.
    """
    height, width = pixels.shape[:2]
    return resize(pixels, fitted_size((width, height), max_side))
