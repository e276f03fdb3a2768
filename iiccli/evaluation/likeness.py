"""How alike two pictures are, in the four figures that are measured, and their means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from iiccli.evaluation.metrics import Pixels, psnr, ssim, y_psnr, y_ssim

IDENTICAL = 100.0
"""What the PSNR of equal pictures counts as in a mean with that of others, in dB."""


@dataclass(frozen=True)
class Likeness:
    """Of a picture and what it should be, or the mean of several such.

    Attributes:
        psnr: of all channels, in dB; infinite where nothing differs.
        ssim: of all channels, mean over them.
        y_psnr: of luma alone.
        y_ssim: of luma alone.
    """

    psnr: float
    ssim: float
    y_psnr: float
    y_ssim: float


def likeness(a: Pixels, b: Pixels, border: int = 0) -> Likeness:
    """Compare two pictures.

    Args:
        a: (H, W, 3) RGB or (H, W) gray, uint8.
        b: of the same shape.
        border: so many pixels on every side are left out of the figures of luma.
    """
    return Likeness(psnr(a, b), ssim(a, b), y_psnr(a, b, border), y_ssim(a, b, border))


def mean_likeness(those: Sequence[Likeness]) -> Likeness:
    """The mean of each figure; see `mean_psnr`.

    Raises:
        ValueError: there is none.
    """
    return Likeness(
        mean_psnr([one.psnr for one in those]),
        mean(one.ssim for one in those),
        mean_psnr([one.y_psnr for one in those]),
        mean(one.y_ssim for one in those),
    )


def mean_psnr(values: Sequence[float]) -> float:
    """The mean in dB: infinite where all are, else those that are count as `IDENTICAL`.

    Raises:
        ValueError: there is none.
    """
    if values and all(math.isinf(value) for value in values):
        return math.inf
    return mean(min(value, IDENTICAL) for value in values)
