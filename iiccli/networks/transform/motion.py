"""Motion of the other pictures against the cover: compensation; `search` estimates it.

Vectors lie on a regular grid, in quarter pixels. Compensation overlaps the blocks (OBMC, Orchard
& Sullivan 1994): each pixel is the bilinear blend of what the four nearest vectors point at, so
that no block edges arise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from iiccli.networks.transform.search import QUARTER, estimate


def warp(image: Tensor, flow: Tensor, mode: str = "bicubic") -> Tensor:
    """Sample `image` (B, C, H, W) at every pixel's position plus `flow` (B, 2, H, W; x, y).

    Outside the picture its border is repeated.
    """
    height, width = image.shape[-2:]
    ys = torch.arange(height, dtype=image.dtype, device=image.device)[:, None]
    xs = torch.arange(width, dtype=image.dtype, device=image.device)[None, :]
    x = (flow[:, 0] + xs + 0.5) * (2 / width) - 1
    y = (flow[:, 1] + ys + 0.5) * (2 / height) - 1
    grid = torch.stack((x, y), dim=-1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)


def compensate(image: Tensor, vectors: Tensor, grid: int) -> Tensor:
    """Predict pictures from `image` by overlapped block motion compensation.

    Args:
        image: (B, C, H, W).
        vectors: (B, 2, ceil(H / grid), ceil(W / grid)) in quarter pixels (x, y).
        grid: the vectors' spacing in pixels.

    Returns:
        (B, C, H, W).
    """
    flow = vectors.to(image.dtype) / QUARTER
    rows, row_weights = _neighbours(image.shape[-2], flow.shape[-2], grid, image)
    columns, column_weights = _neighbours(image.shape[-1], flow.shape[-1], grid, image)
    result = torch.zeros_like(image)
    for row, row_weight in zip(rows, row_weights, strict=True):
        for column, column_weight in zip(columns, column_weights, strict=True):
            moved = warp(image, flow[:, :, row][:, :, :, column])
            result += row_weight[:, None] * column_weight[None, :] * moved
    return result


def _neighbours(
    length: int, count: int, grid: int, like: Tensor
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """For each of `length` pixels: the two nearest grid points and their linear weights."""
    position = (torch.arange(length, device=like.device, dtype=like.dtype) + 0.5) / grid - 0.5
    first = position.floor()
    fraction = position - first
    low = first.long().clamp(0, count - 1)
    high = (first.long() + 1).clamp(0, count - 1)
    return (low, high), (1 - fraction, fraction)


__all__ = ["QUARTER", "compensate", "estimate", "warp"]
