"""PSNR and SSIM of 8-bit pictures, of all channels and of luma alone.

They give what the code of IRN, BasicSR and IICNet gives, and what scikit-image does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from iiccli.room import strips

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float64]

_WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

_LUMA = np.array((65.481, 128.553, 24.966)) / 255
_BLACK = 16


def psnr(a: Pixels | Plane, b: Pixels | Plane) -> float:
    """Peak signal-to-noise ratio over all samples in 0..255, in dB; infinite for equal pictures."""
    if a.dtype == b.dtype == np.uint8 and a.shape == b.shape:
        error = _squares(a, b) / a.size
    else:
        error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _squares(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> int:
    """The sum of squared differences, some rows at a time: floats take eight times the memory."""
    total = 0
    for rows in strips(a):
        apart = a[rows].astype(np.int32) - b[rows]
        total += int(np.square(apart).sum(dtype=np.int64))
    return total


def luma(pixels: Pixels) -> Plane:
    """Luma of ITU-R BT.601 in 16..235, not rounded, as super-resolution is measured by.

    Args:
        pixels: (H, W, 3) uint8 RGB, or (H, W) gray, which is taken for RGB of equal channels.

    Returns:
        (H, W) float64.
    """
    samples = pixels.astype(np.float64)
    result: Plane = samples * _LUMA.sum() if pixels.ndim == 2 else samples @ _LUMA
    return result + _BLACK


def y_psnr(a: Pixels, b: Pixels, border: int = 0) -> float:
    """PSNR of the `luma` of two pictures, in dB, with the peak at 255 all the same.

    Args:
        a: (H, W, 3) uint8 RGB, or (H, W) gray.
        b: of the same shape.
        border: so many pixels on every side are left out, if anything remains then.
    """
    return psnr(luma(_inner(a, border)), luma(_inner(b, border)))


def y_ssim(a: Pixels, b: Pixels, border: int = 0) -> float:
    """`ssim` of the `luma` of two pictures; see `y_psnr`."""
    return ssim(luma(_inner(a, border)), luma(_inner(b, border)))


def _inner(pixels: Pixels, border: int) -> Pixels:
    if not min(pixels.shape[:2]) > 2 * border > 0:
        return pixels
    return pixels[border:-border, border:-border]


def ssim(a: Pixels | Plane, b: Pixels | Plane) -> float:
    """Structural similarity (Wang et al. 2004) of samples in 0..255, mean over channels.

    An 11×11 Gaussian window of sigma 1.5, at all places where it lies wholly inside the picture.
    Where a side is shorter than 11, the window is as wide and high as the largest odd number that
    is not longer than the shorter side.

    Args:
        a: (H, W, C) or (H, W).
        b: of the same shape.
    """
    planes_a, planes_b = (np.atleast_3d(x).astype(np.float64) for x in (a, b))
    size = min(_WINDOW, *planes_a.shape[:2])
    size -= 1 - size % 2
    position = np.arange(size) - size // 2
    kernel = np.exp(-(position**2) / (2 * _SIGMA**2))
    kernel /= kernel.sum()
    values = [_ssim(planes_a[..., c], planes_b[..., c], kernel) for c in range(planes_a.shape[2])]
    return float(np.mean(values))


def _ssim(a: Plane, b: Plane, kernel: Plane) -> float:
    mean_a, mean_b = _blur(a, kernel), _blur(b, kernel)
    variance_a = _blur(a * a, kernel) - mean_a**2
    variance_b = _blur(b * b, kernel) - mean_b**2
    covariance = _blur(a * b, kernel) - mean_a * mean_b
    similarity = ((2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)) / (
        (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    )
    return float(similarity.mean())


def _blur(x: Plane, kernel: Plane) -> Plane:
    """Separable convolution without padding."""
    size = len(kernel)
    rows = sum(k * x[i : x.shape[0] - size + 1 + i] for i, k in enumerate(kernel))
    result: Plane = sum(k * rows[:, i : x.shape[1] - size + 1 + i] for i, k in enumerate(kernel))
    return result
