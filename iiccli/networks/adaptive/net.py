"""The adaptive network: prediction, transform, tables and enhancer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iiccli.networks.adaptive.config import AdaptiveConfig
from iiccli.networks.transform.blocks import BlockTransform
from iiccli.networks.transform.enhancer import Enhancer
from iiccli.networks.transform.motion import compensate, estimate

CLASSES, SYMBOLS, FEATURES = 52, 64, 8
"""Sizes of the tables; those of `iiccli.coding`, which reads them."""

CENTRES = 4
"""Magnitudes 0, 1, 2 and above have their own place of reconstruction."""

BANDS = (2, 6, 14)
"""Sums of frequencies u + v at which the bands of the enhancer's activity planes begin."""


START = -1100
"""Log2 of a quantiser's step in 1/256: what five frames come to."""


class AdaptiveNet(nn.Module):
    """Everything of a model that is learned.

    Buffers:
        scales: (cell², ranks) int32, log2 of the expected magnitudes of the coefficients in 1/256.
        weights: (2 · cell - 1, ranks, 2, FEATURES) int32 in 1/1024; see
            `iiccli.coding.contexts.Surroundings`.
        frequencies: (CLASSES, SYMBOLS) int32, adding up to 2^14 in each class.
        centres: (CLASSES, CENTRES) float32: how much further out than its whole number a
            magnitude is reconstructed, in steps.
        gains: (modes, 2, cell², 3) float32, only with modes: how much of a prediction from the
            cover, and from the picture before, is taken at each frequency of each colour. The
            first mode takes the cover as it is.
        starts: (qualities,) int32, only with modes: levels at which to begin to look for one.
    """

    scales: Tensor
    weights: Tensor
    frequencies: Tensor
    centres: Tensor
    gains: Tensor
    starts: Tensor

    def __init__(self, config: AdaptiveConfig) -> None:
        super().__init__()
        self.config = config
        cell, ranks = config.cell, config.ranks
        self.scale = config.scale
        self.transform = BlockTransform(ranks, cell)
        self.register_buffer("scales", torch.zeros(cell * cell, ranks, dtype=torch.int32))
        start = torch.zeros(2 * cell - 1, ranks, 2, FEATURES, dtype=torch.int32)
        start[..., -1] = 1024
        self.register_buffer("weights", start)
        even = torch.full((CLASSES, SYMBOLS), 2**14 // SYMBOLS, dtype=torch.int32)
        self.register_buffer("frequencies", even)
        self.register_buffer("centres", torch.zeros(CLASSES, CENTRES))
        if config.modes:
            gains = torch.zeros(config.modes, 2, cell * cell, 3)
            gains[:, 0] = 1
            self.register_buffer("gains", gains)
            starts = torch.full((len(config.moduli),), START, dtype=torch.int32)
            self.register_buffer("starts", starts)
        channels = config.channels if config.joint else 3
        planes = config.cover_channels + 1 + len(BANDS) + 1
        self.enhancer = Enhancer(channels, planes, config.width, config.depth)

    @property
    def reach(self) -> int:
        """How many pixels away a decoded sample can matter to the enhancer."""
        return self.enhancer.reach

    def base(self, cover: Tensor) -> Tensor:
        """A cover (c, h, w) at the pictures' size, (c, h · scale, w · scale)."""
        if self.scale == 1:
            return cover
        return F.interpolate(
            cover[None], scale_factor=self.scale, mode="bicubic", align_corners=False
        )[0]

    def estimate(self, base: Tensor, pictures: Tensor) -> Tensor:
        """Motion of each of `pictures` (P, 3, H, W) against `base` (3, H, W): int16 vectors."""
        parts = [estimate(base[None], p[None], self.config.motion) for p in pictures]
        return torch.cat(parts)

    def predict(self, base: Tensor, vectors: Tensor | None) -> Tensor:
        """What `base` (c, H, W) tells of the coded planes: (ranks, H, W).

        With `prediction` `zoom` the base is the magnified centre already.
        """
        config = self.config
        if config.kind == "gray":
            return base.new_zeros(config.ranks, *base.shape[1:])
        if config.prediction == "none":
            return base.new_full((config.ranks, *base.shape[1:]), 0.5)
        if config.kind == "layers":
            return torch.cat((base, torch.zeros_like(base[:1])))
        if vectors is None:
            return base.expand(config.ranks // 3, *base.shape).flatten(0, 1)
        # One after the other: what moving takes of memory is many times the result.
        moved = [compensate(base[None], own[None], config.motion)[0] for own in vectors]
        return torch.cat(moved)

    def activity(self, magnitudes: Tensor) -> Tensor:
        """How much was written where, for the enhancer.

        Args:
            magnitudes: (cell², ranks, cells) of the quantised coefficients.

        Returns:
            (bands, cells) float32, of order one.
        """
        cell = self.config.cell
        u = torch.arange(cell, device=magnitudes.device)
        band = torch.bucketize((u[:, None] + u).reshape(-1), u.new_tensor(BANDS), right=True)
        logs = torch.log2(1 + magnitudes.mean(1, dtype=torch.float32))
        sums = logs.new_zeros(len(BANDS) + 1, logs.shape[-1]).index_add_(0, band, logs)
        return sums / torch.bincount(band, minlength=len(BANDS) + 1)[:, None]

    def flat_planes(self, quality: int, level: Tensor) -> Tensor:
        """The enhancer's planes that are constant over a cell.

        Args:
            quality: of the carrier.
            level: (cells,) log2 of the quantiser's step.

        Returns:
            (cover channels + 1, cells): the carrier's step per channel, the quantiser's.
        """
        steps = level.new_tensor([math.log2(q) / 4 for q in self.config.moduli[quality]])
        return torch.cat((steps[:, None].expand(-1, len(level)), (level[None] + 6) / 4))

    def enhance(self, planes: Tensor, side: Tensor) -> Tensor:
        """Enhance decoded planes.

        Args:
            planes: (channels, H, W), the cover's first.
            side: (P, H / 2, W / 2) for a joint enhancer, else (pictures, P, H / 2, W / 2).

        Returns:
            (channels, H, W).
        """
        if self.config.joint:
            result: Tensor = self.enhancer(planes[None], side[None])[0]
            return result
        each: Tensor = self.enhancer(planes.reshape(-1, 3, *planes.shape[1:]), side)
        return each.flatten(0, 1)
