"""Decoded pictures on their way to the enhancer: int16, half the memory of float32.

One part of `FIXED_POINT` is 1/32 of a grey level; half the range above and below is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

FIXED_POINT = 8192
"""Whole numbers to the full range 0..1."""


def to_fixed(x: Tensor) -> Tensor:
    """Pictures around 0..1 as int16, clamped to -0.5..1.5; same shape."""
    return (x * FIXED_POINT).round().clamp(-4096, 12288).to(torch.int16)


def from_fixed(x: Tensor) -> Tensor:
    """Undo `to_fixed`, float32."""
    return x.float() / FIXED_POINT
