"""The terms of a loss: how far pictures are from what they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from iiccli.training.recipes import Term

_CHARBONNIER = 1e-6
"""Under the root (IICNet's official figure)."""

_FLOOR = 1e-6
"""Squared error (60 dB) below which a picture counts as good enough."""


def term_of(term: Term, found: Tensor, wanted: Tensor) -> Tensor:
    """One term, weighted.

    Args:
        term: which one.
        found: (B, …, C, H, W), nominally 0..1.
        wanted: the same.

    Returns:
        A scalar: the mean over everything but each picture's own values.
    """
    values = _KINDS[term.kind](found.float(), wanted.float())
    if term.kind != "psnr":
        values = values.sum((-3, -2, -1)) if term.reduction == "sum" else values.mean((-3, -2, -1))
    return term.weight * values.mean()


def _l2(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).square()


def _l1(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).abs()


def _charbonnier(found: Tensor, wanted: Tensor) -> Tensor:
    return ((found - wanted).square() + _CHARBONNIER).sqrt()


def _frequency(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared error of the one-sided Fourier transform, not normalised: real and imaginary."""
    error = torch.fft.rfft2(found - wanted)
    both: Tensor = error.real.square() + error.imag.square()
    return both


def _psnr(found: Tensor, wanted: Tensor) -> Tensor:
    """Minus the PSNR.

    A mean of PSNRs is what is measured; a plain mean of squares would let the few hardest
    pictures decide alone.
    """
    return 10 * ((found - wanted).square().mean((-3, -2, -1)) + _FLOOR).log10()


_KINDS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l2": _l2,
    "l1": _l1,
    "charbonnier": _charbonnier,
    "frequency": _frequency,
    "psnr": _psnr,
}
