"""The small convolutional network that the fast network's learned functions are made of."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_SLOPE = 0.2


class ConvNet(nn.Module):
    """Two or three 3×3 convolutions, the last starting at zero, the middle one with a skip.

    (B, inputs, H, W) → (B, outputs, H, W); a change spreads by `convs` pixels each way.
    """

    def __init__(self, inputs: int, outputs: int, width: int, convs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        self.middle = nn.Conv2d(width, width, 3, padding=1) if convs == 3 else None
        self.last = nn.Conv2d(width, outputs, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map x; zeros as long as the last layer is untrained."""
        x = F.leaky_relu(self.first(x), _SLOPE)
        if self.middle is not None:
            x = x + F.leaky_relu(self.middle(x), _SLOPE)
        y: Tensor = self.last(x)
        return y
