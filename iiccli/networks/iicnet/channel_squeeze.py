"""The channel squeeze: from all channels to the embedding image's, and back."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelSqueeze(nn.Module):
    """The mean over groups of channels (IICNet, section 3.4).

    No module of ours where something is lost is called invertible; this one's `expand` is only
    its right inverse: ``forward(expand(y)) == y``.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.groups = channels // out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, groups · c, H, W) → the mean of the groups, (B, c, H, W)."""
        batch, _, height, width = x.shape
        return x.reshape(batch, self.groups, -1, height, width).mean(dim=1)

    def expand(self, y: Tensor) -> Tensor:
        """(B, c, H, W) → the same for every group, (B, groups · c, H, W)."""
        return y.repeat(1, self.groups, 1, 1)
