"""Invertible reshapes: a quarter of the pixels, four times the channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iiccli.networks.invertible.base import Invertible
from iiccli.networks.invertible.order import BANDS, Order, from_order, swap_groups, to_order

# Rows: mean, horizontal, vertical and diagonal detail; columns: a 2×2 cell, row by row.
_HAAR_SIGNS = (
    (1.0, 1.0, 1.0, 1.0),
    (1.0, -1.0, 1.0, -1.0),
    (1.0, 1.0, -1.0, -1.0),
    (1.0, -1.0, -1.0, 1.0),
)


class Squeeze(Invertible):
    """Space to depth by 2: (B, C, H, W) ↔ (B, 4C, H/2, W/2).

    The position in the 2×2 cell (row, then column) is the slow index over the channels, so the
    output is four shrunken copies of the input; with order ``ref`` regrouped by picture.
    """

    def __init__(self, order: Order = "hl") -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        """Gather every 2×2 cell of x into 4C channels."""
        return to_order(swap_groups(F.pixel_unshuffle(x, 2), x.shape[1]), self.order)

    def inverse(self, y: Tensor) -> Tensor:
        """Spread 4C channels over 2×2 cells."""
        return F.pixel_shuffle(swap_groups(from_order(y, self.order), BANDS), 2)


class Haar(Invertible):
    """The Haar transform of IICNet: (B, C, H, W) ↔ (B, 4C, H/2, W/2), band-major.

    Normalised so that the first band is the mean of a 2×2 cell (filters of ±1 divided by 4; the
    inverse uses them undivided). Channel order ``hl`` or ``ref`` as in `order`. The filters are
    a constant, but one that official checkpoints carry by the name ``haar_weights``.
    """

    def __init__(self, channels: int, order: Order = "hl") -> None:
        super().__init__()
        self.channels = channels
        self.order = order
        filters = torch.tensor(_HAAR_SIGNS).reshape(4, 1, 2, 2).repeat(channels, 1, 1, 1)
        self.haar_weights = nn.Parameter(filters, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Split x into one mean and three detail bands of half the size."""
        bands = F.conv2d(x, self.haar_weights / 4, stride=2, groups=self.channels)
        return to_order(swap_groups(bands, self.channels), self.order)

    def inverse(self, y: Tensor) -> Tensor:
        """Put the four bands together again."""
        bands = swap_groups(from_order(y, self.order), BANDS)
        return F.conv_transpose2d(bands, self.haar_weights, stride=2, groups=self.channels)


def haar_matrix(channels: int, levels: int = 1) -> Tensor:
    """The orthonormal Haar transform as a matrix on the channels that `levels` `Squeeze`s make.

    Band-major: all channels' means first, then their detail bands. It is where a learned `Mix`
    starts; a mean comes out times 2 per level, since the rows have unit length.
    """
    matrix = torch.eye(channels)
    for _ in range(levels):
        matrix = torch.kron(torch.tensor(_HAAR_SIGNS) / 2, matrix)
    return matrix
