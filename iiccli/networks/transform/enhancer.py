"""Repairs what rounding took, in all pictures at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """conv → LeakyReLU → conv, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        y: Tensor = self.second(F.leaky_relu_(self.first(x), 0.2))
        return y.add_(x)


class Enhancer(nn.Module):
    """A residual network at half size over the carrier and all decoded pictures.

    It knows how the samples were made: the carrier's step per colour, and for every cell how far
    its gains stand above the water, so that it can tell a smooth place from one that was given
    no bits.
    """

    def __init__(self, channels: int, planes: int, width: int, depth: int) -> None:
        super().__init__()
        channels *= 4
        self.head = nn.Conv2d(channels + planes, width, 3, padding=1)
        self.body = nn.Sequential(*(Residual(width) for _ in range(depth)))
        self.tail = nn.Conv2d(width, channels, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    @property
    def reach(self) -> int:
        """How many pixels away an input can matter."""
        return 2 * (2 * len(self.body) + 2) + 2

    def forward(self, pictures: Tensor, planes: Tensor) -> Tensor:
        """Enhance.

        Args:
            pictures: (B, channels, H, W), carrier first, then the decoded ones, around 0..1; H
                and W even.
            planes: (B, planes, H / 2, W / 2), side information of order one.

        Returns:
            (B, channels, H, W), not clamped.
        """
        # In place wherever no gradient needs what was there: a third of the memory.
        x = F.pixel_unshuffle(pictures, 2).sub_(0.5)
        y = self.body(self.head(torch.cat((x, planes), 1)))
        correction = self.tail(F.leaky_relu_(y, 0.2))
        return F.pixel_shuffle(correction, 2).add_(pictures)
