"""The arithmetic of layers: a foreground over a background, and the two out of a composite.

All in 8 bits and on the samples as they are (sRGB values, not linear light), as image editors
do by default. With a = 0..255 for alpha, a sample of the composite is
C = round((a·F + (255 - a)·B) / 255); half never occurs, as 255 is odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iiccli.media.resize import Pixels

Whole = npt.NDArray[np.int32]

_FULL = 255
_ROUND = 127
"""A sample may be this far from C, in 255ths, and still round to it."""
_NEARLY = 4
"""An alpha this close to an end of its range is put there. Measured on five cut-outs restored from
carriers, alpha's mean absolute error is 0.0027 with 0, 0.0009 with 2, 0.0004 with 4 and 8; from 8
on the foreground gets worse."""
_HALF = 128
"""From this alpha on it is rather alpha that gives way than the background."""
_BLOCK = 1 << 18
"""Pixels that are worked on at a time: whole numbers of 32 bits take four times their memory."""


@dataclass(frozen=True)
class Layers:
    """What a composite is made of; `composed` of the three gives it.

    Attributes:
        foreground: (H, W, 3) uint8; 0 where alpha is 0.
        background: (H, W, 3) uint8.
        alpha: (H, W) uint8, of the foreground; 255 is opaque.
    """

    foreground: Pixels
    background: Pixels
    alpha: Pixels


def composed(foreground: Pixels, background: Pixels, alpha: Pixels) -> Pixels:
    """Put a foreground over a background.

    Args:
        foreground: (H, W, 3) uint8.
        background: (H, W, 3) uint8.
        alpha: (H, W) uint8, 255 shows the foreground alone.

    Returns:
        (H, W, 3) uint8, rounded to the nearest.
    """
    result = np.empty_like(background)
    for rows in _strips(alpha):
        a = alpha[rows, :, None].astype(np.int32)
        mixed = a * foreground[rows] + (_FULL - a) * background[rows]
        result[rows] = (mixed + _ROUND) // _FULL
    return result


def decomposed(composite: Pixels, background: Pixels, alpha: Pixels) -> Layers:
    """Find the foreground of a composite whose background and alpha are known nearly.

    The foreground follows from the other two; but where it would have to be darker than black
    or brighter than white, no foreground gives the composite. There alpha rises if it is high
    already, else the background gives way, by as little as suffices. So `composed` of the
    result is the composite exactly, whatever was given: where alpha is 0 the background is the
    composite, where it is 255 the foreground is.

    Args:
        composite: (H, W, 3) uint8.
        background: (H, W, 3) uint8, perhaps a little wrong.
        alpha: (H, W) uint8, perhaps a little wrong: from 4 down it is taken for 0, from 251 up
            for 255.
    """
    cleaned = np.where(alpha <= _NEARLY, 0, np.where(alpha >= _FULL - _NEARLY, _FULL, alpha))
    cleaned = cleaned.astype(np.uint8)
    foreground, behind = np.empty_like(composite), np.empty_like(background)
    for rows in _strips(alpha):
        a = cleaned[rows, :, None].astype(np.int32)
        wanted = _FULL * composite[rows].astype(np.int32)
        given = background[rows].astype(np.int32)
        a = np.where(a < _HALF, a, np.maximum(a, _least_alpha(given, wanted)))
        cleaned[rows] = a[..., 0]
        behind[rows] = _possible(given, wanted, a)
        foreground[rows] = _foreground(wanted - (_FULL - a) * behind[rows], a)
    return Layers(foreground, behind, cleaned)


def placed(
    pixels: Pixels, alpha: Pixels, size: tuple[int, int], corner: tuple[int, int]
) -> tuple[Pixels, Pixels, float]:
    """Put a foreground onto an empty canvas; what reaches beyond is cut.

    Args:
        pixels: (h, w, 3) uint8.
        alpha: (h, w) uint8.
        size: width and height of the canvas.
        corner: x and y of the foreground's top left corner on it; may be negative.

    Returns:
        Its pixels (H, W, 3) and alpha (H, W) on the canvas, 0 where it is not; and the share of
        its area that was cut, 0..1 (1: nothing of it is on the canvas).
    """
    height, width = alpha.shape
    left, right = (min(max(x, 0), size[0]) for x in (corner[0], corner[0] + width))
    top, bottom = (min(max(y, 0), size[1]) for y in (corner[1], corner[1] + height))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    shape = np.zeros((size[1], size[0]), np.uint8)
    there = np.s_[top:bottom, left:right]
    source = np.s_[top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]]
    if right > left and bottom > top:
        canvas[there], shape[there] = pixels[source], alpha[source]
    return canvas, shape, 1 - (right - left) * (bottom - top) / (width * height)


def on_plain(pixels: Pixels, alpha: Pixels, level: int = _FULL) -> Pixels:
    """Put (H, W, 3) pixels with (H, W) alpha on a plain ground: white, or another gray."""
    return composed(pixels, np.full_like(pixels, level), alpha)


def _least_alpha(background: Whole, wanted: Whole) -> Whole:
    """(h, w, 1): the lowest alpha with which a foreground exists for all three colours."""
    dark = _FULL - (wanted + _ROUND) // np.maximum(background, 1)
    bright = -((_FULL * background + _ROUND - wanted) // np.maximum(_FULL - background, 1))
    least: Whole = np.maximum(dark, bright).max(axis=2, keepdims=True).clip(0, _FULL)
    return least


def _possible(background: Whole, wanted: Whole, a: Whole) -> Whole:
    """The nearest background for which a foreground exists: C is possible, as F = C always is."""
    rest = np.maximum(_FULL - a, 1)
    low = -((_FULL * a + _ROUND - wanted) // rest)  # rounded up
    high = (wanted + _ROUND) // rest
    clipped = np.clip(background, np.maximum(low, 0), np.minimum(high, _FULL))
    return np.where(a == _FULL, background, clipped)


def _foreground(product: Whole, a: Whole) -> Whole:
    """The nearest foreground to `product` / a; 0 where a is 0."""
    divisor = np.maximum(a, 1)
    nearest = (2 * product + a) // (2 * divisor)
    return np.where(a == 0, 0, np.clip(nearest, 0, _FULL))


def _strips(alpha: Pixels) -> list[slice]:
    """Rows of a picture, some at a time."""
    height, width = alpha.shape
    step = max(1, _BLOCK // width)
    return [slice(top, top + step) for top in range(0, height, step)]
