"""The relation module: what the pictures have in common, learned across them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iiccli.networks.iicnet.dense import DenseBlock
from iiccli.networks.invertible.order import COLOURS

_STRENGTH = 0.2


class PictureRelation(nn.Module):
    """One direction of the relation module (IICNet, section 3.2).

    Every picture gets features of its own, all features meet in one convolution per picture,
    and what comes of it is added, weakly, to the picture. (B, 3N, H, W) in and out.
    """

    REACH = 2 * DenseBlock.REACH + 1

    def __init__(self, pictures: int, features: int) -> None:
        super().__init__()
        self.pictures = pictures

        def per_picture(inputs: int, outputs: int, size: int) -> nn.ModuleList:
            return nn.ModuleList(
                nn.Conv2d(inputs, outputs, size, padding=size // 2) for _ in range(pictures)
            )

        self.DB_heads = nn.ModuleList(DenseBlock(COLOURS, features) for _ in range(pictures))
        self.conv_1x1_heads = per_picture(features, features, 1)
        self.conv_merges = per_picture(pictures * features, features, 3)
        self.conv_1x1_tails = per_picture(features, features, 1)
        self.DB_tails = nn.ModuleList(DenseBlock(features, COLOURS) for _ in range(pictures))

    def forward(self, x: Tensor) -> Tensor:
        """Add to every picture of x what the others tell about it."""
        pictures = x.chunk(self.pictures, dim=1)
        heads = zip(self.DB_heads, self.conv_1x1_heads, pictures, strict=True)
        features = torch.cat([conv(dense(picture)) for dense, conv, picture in heads], dim=1)
        tails = zip(self.conv_merges, self.conv_1x1_tails, self.DB_tails, strict=True)
        return x + _STRENGTH * torch.cat(
            [dense(conv(merge(features))) for merge, conv, dense in tails], dim=1
        )


class Relation(nn.Module):
    """The relation module before embedding and the one after restoring; no inverses."""

    def __init__(self, pictures: int, features: int) -> None:
        super().__init__()
        self.forw_rel = PictureRelation(pictures, features)
        self.back_rel = PictureRelation(pictures, features)
