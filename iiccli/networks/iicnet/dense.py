"""The dense block that all of IICNet's learned functions are made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_GROWTH = 32
_SLOPE = 0.2


class DenseBlock(nn.Module):
    """Five 3×3 convolutions, each fed with the input and all earlier outputs (Huang et al. 2017).

    (B, inputs, H, W) → (B, outputs, H, W).
    """

    REACH = 5  # pixels that a change spreads, each way

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, _GROWTH, 3, padding=1)
        self.conv2 = nn.Conv2d(inputs + _GROWTH, _GROWTH, 3, padding=1)
        self.conv3 = nn.Conv2d(inputs + 2 * _GROWTH, _GROWTH, 3, padding=1)
        self.conv4 = nn.Conv2d(inputs + 3 * _GROWTH, _GROWTH, 3, padding=1)
        self.conv5 = nn.Conv2d(inputs + 4 * _GROWTH, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map x, the input first in every concatenation."""
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = torch.cat((x, F.leaky_relu(conv(x), _SLOPE)), dim=1)
        y: Tensor = self.conv5(x)
        return y
