"""Onto the 8-bit grid and through it: rounding that lets gradients pass, and the modulo carrier.

The modulo carrier is quantisation index modulation (Chen & Wornell 2001): the carrier is the
integer nearest to the cover that is congruent to a message digit modulo q. The digit is read
back exactly, and the carrier differs from the cover by about q/2 at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

LEVELS = 255


class _StraightThroughRound(torch.autograd.Function):
    """Rounds forward; hands the gradient on as it is (Bengio et al. 2013)."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return gradients[0]


def straight_through_round(x: Tensor) -> Tensor:
    """Round x to integers, with the gradient of the identity."""
    rounded: Tensor = _StraightThroughRound.apply(x)  # type: ignore[no-untyped-call]
    return rounded


def round_to_8bit(x: Tensor) -> Tensor:
    """Clamp x to 0..1 and round it to multiples of 1/255; straight-through gradient."""
    return straight_through_round(x.clamp(0, 1) * LEVELS) / LEVELS


class Quantise(nn.Module):
    """IICNet's quantisation to 8 bits (section 3.5): noise in training, rounding otherwise.

    In training the rounding error is imitated by uniform noise of ±half a level, which keeps the
    gradient exact; the result is clamped to 0..1 in both cases.

    Attributes:
        noise: gives uniform noise in 0..1 for a tensor's shape; a training may set its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noise: Callable[[Tensor], Tensor] = torch.rand_like

    def forward(self, x: Tensor) -> Tensor:
        """Quantise x, of any shape and nominally in 0..1; the result is in 0..1."""
        if not self.training:
            return round_to_8bit(x)
        noisy = x * LEVELS + self.noise(x) - 0.5
        return noisy.clamp(0, LEVELS) / LEVELS


def embed_modulo(cover: Tensor, digit: Tensor, q: int) -> Tensor:
    """The carrier: the integer nearest to the cover, inside 0..255, with carrier mod q = digit.

    Args:
        cover: the picture to look like, in 0..255, integer or float, any shape.
        digit: the message, integers in 0..q−1 (of any dtype), broadcastable to the cover.
        q: the modulus, 2..256.

    Returns:
        The carrier, uint8-valued, in the cover's floating dtype (float32 if it is an integer).
        Of two integers equally near either may be chosen.
    """
    if not 2 <= q <= LEVELS + 1:
        raise ValueError(f"the modulus must be in 2..{LEVELS + 1}, not {q}")
    cover = cover if cover.is_floating_point() else cover.float()
    digit = digit.to(cover)
    steps = ((cover - digit) / q).round()
    highest = ((LEVELS - digit) / q).floor()  # the largest step that stays inside 0..255
    return digit + q * torch.minimum(steps.clamp(min=0), highest)


def extract_modulo(carrier: Tensor, q: int) -> Tensor:
    """The message digits, integers (int64) in 0..q−1, of a carrier with values in 0..255."""
    return carrier.round().long() % q


def modulo_psnr(q: int) -> float:
    """The PSNR in dB to expect of a modulo carrier, for an 8-bit cover away from 0 and 255.

    The error is uniform over the q integers around zero (for an even q one of ±q/2, both equally
    far, closes the circle).
    """
    errors = [min(step, q - step) for step in range(q)]
    return 10 * math.log10(LEVELS**2 / (sum(error**2 for error in errors) / q))
