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


def warp(image: Tensor, flow: Tensor, mode: str = "bicubic", top: int = 0) -> Tensor:
    """Sample `image` (B, C, H, W) at every pixel's position plus `flow` (B, 2, h, W; x, y).

    Outside the picture its border is repeated. The flow is of the h rows from `top` on.
    """
    height, width = image.shape[-2:]
    bottom = top + flow.shape[-2]
    ys = torch.arange(top, bottom, dtype=image.dtype, device=image.device)[:, None]
    xs = torch.arange(width, dtype=image.dtype, device=image.device)[None, :]
    x = (flow[:, 0] + xs + 0.5) * (2 / width) - 1
    y = (flow[:, 1] + ys + 0.5) * (2 / height) - 1
    grid = torch.stack((x, y), dim=-1)
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)


def compensate(
    image: Tensor, vectors: Tensor, grid: int, span: tuple[int, int] | None = None
) -> Tensor:
    """Predict pictures from `image` by overlapped block motion compensation.

    Args:
        image: (B, C, H, W).
        vectors: (B, 2, ceil(H / grid), ceil(W / grid)) in quarter pixels (x, y).
        grid: the vectors' spacing in pixels.
        span: the first row that is wanted, and the one after the last; all, if not given.

    Returns:
        (B, C, H, W), or the wanted rows of it.
    """
    flow = vectors.to(image.dtype) / QUARTER
    top, bottom = span or (0, image.shape[-2])
    rows, row_weights = _neighbours(range(top, bottom), flow.shape[-2], grid, image)
    columns, column_weights = _neighbours(range(image.shape[-1]), flow.shape[-1], grid, image)
    result = image.new_zeros(*image.shape[:2], bottom - top, image.shape[-1])
    for row, row_weight in zip(rows, row_weights, strict=True):
        for column, column_weight in zip(columns, column_weights, strict=True):
            moved = warp(image, flow[:, :, row][:, :, :, column], top=top)
            result += row_weight[:, None] * column_weight[None, :] * moved
    return result


def _neighbours(
    pixels: range, count: int, grid: int, like: Tensor
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """For each of some pixels: the two nearest grid points and their linear weights."""
    at = torch.arange(pixels.start, pixels.stop, device=like.device, dtype=like.dtype)
    position = (at + 0.5) / grid - 0.5
    first = position.floor()
    fraction = position - first
    low = first.long().clamp(0, count - 1)
    high = (first.long() + 1).clamp(0, count - 1)
    return (low, high), (1 - fraction, fraction)


__all__ = ["QUARTER", "compensate", "estimate", "warp"]
