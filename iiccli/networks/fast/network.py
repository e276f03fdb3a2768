"""The fast network, put together."""

from __future__ import annotations

from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from iiccli.networks.fast.config import FastConfig
from iiccli.networks.fast.heads import Head, ModuloHead, PlainHead, Predictor
from iiccli.networks.fast.start import start_matrix
from iiccli.networks.fast.trunk import Trunk
from iiccli.networks.invertible import Sequence, Squeeze


class FastNet(nn.Module):
    """Several pictures in one carrier, and back, at a tenth of IICNet's cost.

    An invertible trunk at half the size orders the pictures' channels; a head sends the first of
    them through the 8-bit carrier and predicts the others when it comes back.

    Attributes:
        multiple: heights and widths of the pictures must be multiples of this.
        reach: pixels of the pictures, each way, that a pixel of the carrier, or of a restored
            picture, depends on.
        scale: the carrier is this many times smaller than the pictures.
        trunk: the invertible part, (B, 3N, H, W) ↔ (B, 3N·scale², H/scale, W/scale).
        head: the way through the carrier.
    """

    def __init__(self, config: FastConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        self.multiple = 2**config.levels
        self.reach = _reach(config)
        self.trunk = Trunk(config)
        self.head: Head = PlainHead(config) if config.quantiser == "plain" else ModuloHead(config)
        self._to_scale = Sequence(Squeeze() for _ in range(config.scale // 2))
        self.register_buffer(
            "_cover_rows", start_matrix(config)[: config.out_channels], persistent=False
        )

    def cover(self, x: Tensor) -> Tensor:
        """The task's own idea of the cover, (B, c, H/scale, W/scale) in 0..1.

        The reference, its luma, or its means over the cells.
        """
        rows = cast(Tensor, self._cover_rows)
        return F.conv2d(self._to_scale(x), rows[:, :, None, None])

    def embed(self, x: Tensor, cover: Tensor | None = None) -> Tensor:
        """Embed pictures.

        Args:
            x: (B, 3N, H, W) in 0..1, the reference first; H, W multiples of `multiple`.
            cover: (B, c, H/scale, W/scale) in 0..1, the picture that a modulo carrier is to
                look like; `cover(x)`, if left out. A plain carrier takes no notice of it.

        Returns:
            The carrier, (B, c, H/scale, W/scale) in 0..1, on the 8-bit grid.
        """
        return self.head.embed(self.trunk(x), self.cover(x) if cover is None else cover)

    def restore(self, y: Tensor) -> Tensor:
        """Restore the pictures, (B, 3N, H, W), not clamped, from the carrier."""
        return self.trunk.inverse(self.head.recover(y))

    def forward(self, x: Tensor, cover: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Both ways, for training: (carrier, restored pictures), as `embed` and `restore`."""
        carrier, z = self.head(self.trunk(x), self.cover(x) if cover is None else cover)
        return carrier, self.trunk.inverse(z)


def _reach(config: FastConfig) -> int:
    """On the way back the predictor comes before the trunk; a cell's pixels reach one further."""
    cell: int = 2**config.levels
    known = config.out_channels * (2 if config.quantiser == "modulo" else 1)
    predicted = config.carrier_channels > known
    return cell * (Trunk.reach(config) + Predictor.CONVS * predicted) + cell - 1
