"""How alike two pictures are, and by how much one is shifted against the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from iiccli.media.resize import Pixels

Gray = np.ndarray[Any, np.dtype[np.float64]]
"""(H, W) float."""

_EPSILON = 1e-9
_LEAST_OVERLAP = 0.5
"""Of the largest one possible: few pixels are alike by chance."""


@dataclass(frozen=True)
class Match:
    """Where one picture fits another best.

    Attributes:
        score: normalised correlation there, -1..1; 0 where a picture has no detail.
        x: what is at column c of the first picture is at column c + x of the second.
        y: the same for rows.
    """

    score: float
    x: int
    y: int


def small_gray(pixels: Pixels, size: tuple[int, int]) -> Gray:
    """Shrink (H, W, 3) uint8 to (height, width) of `size` = (width, height), in gray, 0..255."""
    return np.asarray(
        Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.BOX), float
    )


def details(gray: Gray, radius: int) -> Gray:
    """Leave only what differs from the mean of the `radius` pixels around.

    Slow changes (sky above ground, dark corners) are alike in pictures that have nothing else
    in common.
    """
    size = 2 * radius + 1
    mean = np.pad(gray, radius, mode="edge")
    for axis in (0, 1):
        total = np.cumsum(mean, axis=axis)
        total = np.concatenate((np.zeros_like(total.take([0], axis)), total), axis=axis)
        count = total.shape[axis]
        mean = (total.take(range(size, count), axis) - total.take(range(count - size), axis)) / size
    result: Gray = gray - mean
    return result


def best_match(first: Gray, second: Gray, reach: tuple[int, int]) -> Match:
    """Find the shift, at most `reach` = (x, y) pixels each way, at which they are most alike.

    Only where both have pixels is compared. The pictures may differ in size; they are laid
    with their top left corners upon each other, and shifted from there.
    """
    height, width = (_smooth(a + b) for a, b in zip(first.shape, second.shape, strict=True))

    def spectrum(values: Gray) -> Any:
        return np.fft.rfft2(values, (height, width))

    def correlation(a: Any, b: Any) -> Gray:
        result: Gray = np.fft.irfft2(np.conj(a) * b, (height, width))
        return result

    first, second = first - first.mean(), second - second.mean()
    ones = spectrum(np.ones_like(first)), spectrum(np.ones_like(second))
    count = np.maximum(np.rint(correlation(*ones)), 1)
    values = spectrum(first), spectrum(second)
    sums = correlation(values[0], ones[1]), correlation(ones[0], values[1])
    squares = (
        correlation(spectrum(first**2), ones[1]),
        correlation(ones[0], spectrum(second**2)),
    )
    both = correlation(*values) - sums[0] * sums[1] / count
    own = [np.maximum(q - s**2 / count, 0) for q, s in zip(squares, sums, strict=True)]
    flat = _EPSILON * max(float((first**2).sum()), float((second**2).sum()), 1.0)
    told = (np.minimum(*own) > flat) & (count >= _LEAST_OVERLAP * count.max())
    scores = np.where(told, both / np.sqrt(np.maximum(own[0] * own[1], flat**2)), 0)
    xs, ys = np.arange(-reach[0], reach[0] + 1), np.arange(-reach[1], reach[1] + 1)
    window = scores[np.ix_(ys, xs)]
    row, column = np.unravel_index(int(window.argmax()), window.shape)
    return Match(float(window.max()), int(xs[column]), int(ys[row]))


def _smooth(length: int) -> int:
    """The next number without prime factors above 5: a length of which an FFT is fast."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
