"""Where the other pictures come from in the cover: block matching, coarse to fine.

A block's surroundings in the reference are gathered once and looked at from all offsets; pixels of
a block come first and blocks last in every array, so that all blocks are worked on side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

QUARTER = 4
"""Vectors count quarter pixels."""

_LUMA = (0.299, 0.587, 0.114)
_COARSE_BLOCK = 4
_SMOOTHNESS = 2e-4
"""Price of a quarter pixel away from the predicted vector, in mean absolute luma error."""

_AT_ONCE = 2048
"""Blocks that are worked on together: what belongs to them stays in the processor's cache."""

_LIMIT = 2047


def estimate(reference: Tensor, pictures: Tensor, grid: int) -> Tensor:
    """Estimate how `pictures` moved against `reference`, coarse to fine.

    Hierarchical block matching on luma: every level refines the vectors of the coarser one by a
    small full search and then lets each block try its neighbours' vectors.

    Args:
        reference: (B, 3, H, W) in 0..1.
        pictures: (B, 3, H, W) in 0..1.
        grid: spacing of the vectors in pixels; even.

    Returns:
        (B, 2, ceil(H / grid), ceil(W / grid)) int16, quarter pixels, such that
        `compensate(reference, vectors, grid)` resembles `pictures`.
    """
    luma = torch.tensor(_LUMA, device=reference.device, dtype=reference.dtype).view(1, 3, 1, 1)
    pairs = zip(
        (reference * luma).sum(1, keepdim=True),
        (pictures * luma).sum(1, keepdim=True),
        strict=True,
    )
    return torch.stack([_estimate(a[None], b[None], grid) for a, b in pairs])


def _estimate(a: Tensor, b: Tensor, grid: int) -> Tensor:
    """Vectors (2, rows, columns) of one picture of luma (1, 1, H, W) against another."""
    pyramid = [(a, b)]
    while min(pyramid[-1][0].shape[-2:]) >= 32 and len(pyramid) < 6:
        a, b = pyramid[-1]
        pyramid.append((F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)))
    vectors: Tensor | None = None
    for level in range(len(pyramid) - 1, -1, -1):
        match = _Matching(*pyramid[level], grid if level == 0 else _COARSE_BLOCK)
        if vectors is None:
            vectors = match.search(a.new_zeros(2, *match.shape), radius=4)
        else:
            larger = F.interpolate(vectors[None], size=match.shape, mode="nearest")[0]
            vectors = match.search(2 * larger, radius=1)
        vectors = match.propagate(vectors)
    assert vectors is not None  # the pyramid has at least one level
    vectors = match.refine(vectors, 0.5)
    vectors = match.refine(vectors, 0.25)
    vectors = match.propagate(vectors)
    return (vectors * QUARTER).round().clamp(-_LIMIT, _LIMIT).to(torch.int16)


class _Matching:
    """Blocks of one picture, looked for in another; beyond its border that is repeated.

    Args:
        reference: (1, 1, H, W).
        picture: (1, 1, H, W).
        block: side of the blocks; even.

    Attributes:
        shape: rows and columns of blocks.
    """

    def __init__(self, reference: Tensor, picture: Tensor, block: int) -> None:
        height, width = reference.shape[-2:]
        rows, columns = -(-height // block), -(-width // block)
        self.shape = (rows, columns)
        self._block = block
        bottom, right = rows * block - height, columns * block - width
        whole = F.pad(picture, (0, right, 0, bottom), mode="replicate")[0, 0]
        blocks = whole.view(rows, block, columns, block).permute(1, 3, 0, 2)
        self._picture = blocks.reshape(block, block, rows * columns)
        half = torch.eye(2).repeat_interleave(block // 2, 1).to(picture)
        self._quarters = torch.kron(half, half)
        # Windows are at most 2 · 4 + 1 pixels larger than a block. One that lies wholly beyond
        # the border shows the same wherever it is: corners may be clamped there.
        self._margin = block + 9
        self._reference = F.pad(reference, (self._margin,) * 4, mode="replicate")[0, 0]
        corners = torch.meshgrid(
            *(torch.arange(n, device=picture.device) * block for n in self.shape), indexing="ij"
        )
        self._corners = torch.stack(corners).view(2, -1)

    def search(self, vectors: Tensor, radius: int) -> Tensor:
        """The best whole-pixel vectors within `radius` of `vectors` (2, rows, columns)."""
        side = range(-radius, radius + 1)
        offsets = sorted(((x, y) for y in side for x in side), key=lambda o: abs(o[0]) + abs(o[1]))
        sums = vectors.new_empty(len(offsets), 2, 2, vectors[0].numel())
        for chunk in self._chunks():
            windows = self._windows(vectors, chunk, -radius, radius)
            for number, (x, y) in enumerate(offsets):
                top, left = radius + y, radius + x
                part = windows[top : top + self._block, left : left + self._block]
                sums[number][..., chunk] = self._halves(part, chunk)
        return self._best(vectors, sums, [(float(x), float(y)) for x, y in offsets])

    def refine(self, vectors: Tensor, step: float) -> Tensor:
        """The best vectors half or a quarter pixel from `vectors`, whole multiples of 2 · `step`.

        Between pixels the reference is interpolated linearly, first along x, then along y.
        """
        away = (0.0, -step, step)
        sums = vectors.new_empty(9, 2, 2, vectors[0].numel())
        for chunk in self._chunks():
            windows = self._windows(vectors, chunk, -1, 1)
            fractions = _fractions(vectors.view(2, -1)[:, chunk])
            for i, x in enumerate(away):
                across = _interpolated(windows, fractions[0] + x, 1)
                for j, y in enumerate(away):
                    part = _interpolated(across, fractions[1] + y, 0)
                    sums[3 * i + j][..., chunk] = self._halves(part, chunk)
        return self._best(vectors, sums, [(x, y) for x in away for y in away])

    def propagate(self, vectors: Tensor) -> Tensor:
        """Let each block take a neighbour's vector, or the local median, if it fits as well."""
        rows, columns = self.shape
        padded = F.pad(vectors[None], (1, 1, 1, 1), mode="replicate")[0]
        around = torch.stack(
            [padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
        )
        median = around.median(dim=0).values
        price = _SMOOTHNESS * QUARTER
        candidates = [vectors, median, around[1], around[3], around[5], around[7]]
        sums = torch.stack([self._sums(candidate) for candidate in candidates])
        prices = [price * (candidate - median).abs().sum(0) for candidate in candidates]
        costs = self._costs(sums) + torch.stack(prices)
        best = costs.argmin(0)
        found: Tensor = torch.stack(candidates).gather(0, best.expand(1, 2, rows, columns))[0]
        return found

    def _best(self, vectors: Tensor, sums: Tensor, offsets: list[tuple[float, float]]) -> Tensor:
        """`vectors` moved by the offset that costs least, the length of the way counted in."""
        ways = vectors.new_tensor(offsets)
        prices = _SMOOTHNESS * QUARTER * ways.abs().sum(1)
        best = (self._costs(sums) + prices[:, None, None]).argmin(0)
        return vectors + ways[best].permute(2, 0, 1)

    def _costs(self, sums: Tensor) -> Tensor:
        """Mean absolute errors of each block and half of those around it, (K, rows, columns).

        Args:
            sums: (K, 2, 2, blocks) over the quarters of the blocks.
        """
        rows, columns = self.shape
        halves = sums.view(-1, 2, 2, rows, columns).permute(0, 3, 1, 4, 2)
        picture = halves.reshape(-1, 1, 2 * rows, 2 * columns)
        pooled = F.avg_pool2d(picture, 4, stride=2, padding=1, count_include_pad=False)
        return pooled[:, 0] * (4 / self._block**2)

    def _sums(self, vectors: Tensor) -> Tensor:
        """Sums of absolute errors over the quarters of the blocks, (2, 2, blocks)."""
        sums = vectors.new_empty(2, 2, vectors[0].numel())
        for chunk in self._chunks():
            fractions = _fractions(vectors.view(2, -1)[:, chunk])
            if fractions.any():
                windows = self._windows(vectors, chunk, 0, 1)
                across = torch.lerp(windows[:, :-1], windows[:, 1:], fractions[0])
                part = torch.lerp(across[:-1], across[1:], fractions[1])
            else:
                part = self._windows(vectors, chunk, 0, 0)
            sums[..., chunk] = self._halves(part, chunk)
        return sums

    def _chunks(self) -> Iterator[slice]:
        count = self._picture.shape[-1]
        for start in range(0, count, _AT_ONCE):
            yield slice(start, min(count, start + _AT_ONCE))

    def _halves(self, part: Tensor, chunk: slice) -> Tensor:
        """Sums of absolute errors of (block, block, n) pixels over quarters, (2, 2, n)."""
        error = (part - self._picture[..., chunk]).abs_()
        # As a matrix product it takes a tenth of the time of a sum over two axes.
        return (self._quarters @ error.view(self._block**2, -1)).view(2, 2, -1)

    def _windows(self, vectors: Tensor, chunk: slice, before: int, after: int) -> Tensor:
        """What the vectors of some blocks point at, and so much before and after, (s, s, n)."""
        side = self._block + after - before
        whole = vectors.view(2, -1)[:, chunk].flip(0).floor().long()
        corners = self._corners[:, chunk] + whole + (before + self._margin)
        height, width = (n - side for n in self._reference.shape)
        y, x = corners[0].clamp(0, height), corners[1].clamp(0, width)
        views = self._reference.unfold(0, side, 1).unfold(1, side, 1)
        return views.permute(2, 3, 0, 1)[:, :, y, x]


def _fractions(vectors: Tensor) -> Tensor:
    """What vectors have beyond whole pixels."""
    return vectors - vectors.floor()


def _interpolated(windows: Tensor, places: Tensor, axis: int) -> Tensor:
    """Windows looked at from `places` (n,) in -1..1 of their second pixel on; two shorter."""
    length = windows.shape[axis] - 2
    result: Tensor | None = None
    for tap in (-1, 0, 1):
        weight = (1 - (places - tap).abs()).clamp_(min=0)
        part = windows.narrow(axis, tap + 1, length)
        result = part * weight if result is None else result.addcmul_(part, weight)
    assert result is not None  # there are three taps
    return result


__all__ = ["QUARTER", "estimate"]
