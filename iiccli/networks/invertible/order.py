"""The two orders in which a reshaped set of pictures keeps its channels.

A 2×2 reshape of N RGB pictures gives 4 bands (Haar) or cell positions (squeeze) of 3N channels.
`hl` keeps them band after band, so that the low band of all pictures leads; `ref` keeps them
picture after picture, so that the four bands of the reference picture lead.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

Order = Literal["hl", "ref"]

BANDS = 4
COLOURS = 3


def to_order(x: Tensor, order: Order) -> Tensor:
    """Regroup the channels of x, (B, 4·3N, H, W), from band-major to `order`."""
    return x if order == "hl" else swap_groups(x, BANDS, COLOURS)


def from_order(x: Tensor, order: Order) -> Tensor:
    """Regroup the channels of x, (B, 4·3N, H, W), from `order` to band-major."""
    return x if order == "hl" else swap_groups(x, x.shape[1] // (BANDS * COLOURS), COLOURS)


def swap_groups(x: Tensor, slow: int, size: int = 1) -> Tensor:
    """Exchange the slow and the fast index over groups of `size` channels.

    The (B, C, H, W) channels are indexed by (slow, fast, size), the first with `slow` values.
    """
    batch, channels, height, width = x.shape
    groups = x.reshape(batch, slow, -1, size, height, width)
    return groups.transpose(1, 2).reshape(batch, channels, height, width)
