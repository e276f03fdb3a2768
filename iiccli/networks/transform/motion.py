"""Motion of the other pictures against the cover: estimation and compensation.

Vectors lie on a regular grid, in quarter pixels. Compensation overlaps the blocks (OBMC, Orchard
& Sullivan 1994): each pixel is the bilinear blend of what the four nearest vectors point at, so
that no block edges arise.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

QUARTER = 4
"""Vectors count quarter pixels."""

_LUMA = (0.299, 0.587, 0.114)
_COARSE_BLOCK = 4
_SMOOTHNESS = 2e-4
"""Price of a quarter pixel away from the predicted vector, in mean absolute luma error."""


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


def estimate(reference: Tensor, pictures: Tensor, grid: int) -> Tensor:
    """Estimate how `pictures` moved against `reference`, coarse to fine.

    Hierarchical block matching on luma: every level refines the vectors of the coarser one by a
    small full search and then lets each block try its neighbours' vectors.

    Args:
        reference: (B, 3, H, W) in 0..1.
        pictures: (B, 3, H, W) in 0..1.
        grid: spacing of the vectors in pixels.

    Returns:
        (B, 2, ceil(H / grid), ceil(W / grid)) int16, quarter pixels, such that
        `compensate(reference, vectors, grid)` resembles `pictures`.
    """
    luma = torch.tensor(_LUMA, device=reference.device, dtype=reference.dtype).view(1, 3, 1, 1)
    pyramid = [((reference * luma).sum(1, keepdim=True), (pictures * luma).sum(1, keepdim=True))]
    while min(pyramid[-1][0].shape[-2:]) >= 32 and len(pyramid) < 6:
        a, b = pyramid[-1]
        pyramid.append((F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)))
    vectors: Tensor | None = None
    for level in range(len(pyramid) - 1, -1, -1):
        a, b = pyramid[level]
        block = grid if level == 0 else _COARSE_BLOCK
        rows, columns = -(-a.shape[-2] // block), -(-a.shape[-1] // block)
        if vectors is None:
            vectors = a.new_zeros(a.shape[0], 2, rows, columns)
            vectors = _search(a, b, vectors, block, radius=4, step=1.0)
        else:
            vectors = 2 * F.interpolate(vectors, size=(rows, columns), mode="nearest")
            vectors = _search(a, b, vectors, block, radius=1, step=1.0)
        vectors = _propagate(a, b, vectors, block)
    assert vectors is not None  # the pyramid has at least one level
    a, b = pyramid[0]
    vectors = _search(a, b, vectors, grid, radius=1, step=0.5)
    vectors = _search(a, b, vectors, grid, radius=1, step=0.25)
    vectors = _propagate(a, b, vectors, grid)
    limit = 2047
    return (vectors * QUARTER).round().clamp(-limit, limit).to(torch.int16)


def _cost(a: Tensor, b: Tensor, vectors: Tensor, block: int) -> Tensor:
    """Mean absolute error of each block and its surroundings (B, rows, columns).

    Called some hundred times a picture and bound by memory, hence the steps in place.
    """
    height, width = a.shape[-2:]
    scale = vectors.new_tensor((2 / width, 2 / height))
    grid = vectors.permute(0, 2, 3, 1) * scale
    grid = grid.repeat_interleave(block, 1)[:, :height].repeat_interleave(block, 2)[:, :, :width]
    grid += _centres(height, width, a)
    error = F.grid_sample(a, grid, "bilinear", padding_mode="border", align_corners=False)
    error.sub_(b).abs_()
    rows, columns = vectors.shape[-2:]
    right, bottom = columns * block - width, rows * block - height
    if right or bottom:
        error = F.pad(error, (0, right, 0, bottom), mode="replicate")
    return F.avg_pool2d(
        error, 2 * block, stride=block, padding=block // 2, count_include_pad=False
    )[:, 0, :rows, :columns]


def _centres(height: int, width: int, like: Tensor) -> Tensor:
    """Positions of all pixels as `grid_sample` counts them, (1, H, W, 2)."""
    ys = (2 * torch.arange(height, device=like.device, dtype=like.dtype) + 1) / height - 1
    xs = (2 * torch.arange(width, device=like.device, dtype=like.dtype) + 1) / width - 1
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack((x, y), dim=-1)[None]


def _search(a: Tensor, b: Tensor, vectors: Tensor, block: int, radius: int, step: float) -> Tensor:
    offsets = [
        (x * step, y * step) for y in range(-radius, radius + 1) for x in range(-radius, radius + 1)
    ]
    offsets.sort(key=lambda offset: abs(offset[0]) + abs(offset[1]))
    best, cost = vectors, _cost(a, b, vectors, block)
    for x, y in offsets[1:]:
        moved = vectors + vectors.new_tensor((x, y)).view(1, 2, 1, 1)
        price = _SMOOTHNESS * QUARTER * (abs(x) + abs(y))
        best, cost = _better(best, cost, moved, _cost(a, b, moved, block) + price)
    return best


def _propagate(a: Tensor, b: Tensor, vectors: Tensor, block: int) -> Tensor:
    """Let each block take a neighbour's vector, or the local median, where that fits as well."""
    padded = F.pad(vectors, (1, 1, 1, 1), mode="replicate")
    rows, columns = vectors.shape[-2:]
    around = torch.stack(
        [padded[:, :, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    )
    median = around.median(dim=0).values
    distance = (vectors - median).abs().sum(1)
    price = _SMOOTHNESS * QUARTER
    best, cost = vectors, _cost(a, b, vectors, block) + price * distance
    for candidate in (median, around[1], around[3], around[5], around[7]):
        away = (candidate - median).abs().sum(1)
        best, cost = _better(best, cost, candidate, _cost(a, b, candidate, block) + price * away)
    return best


def _better(best: Tensor, cost: Tensor, other: Tensor, price: Tensor) -> tuple[Tensor, Tensor]:
    wins = price < cost
    return torch.where(wins[:, None], other, best), torch.where(wins, price, cost)
