"""IICNet, put together."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from iiccli.networks.iicnet.channel_squeeze import ChannelSqueeze
from iiccli.networks.iicnet.config import IICNetConfig
from iiccli.networks.iicnet.dense import DenseBlock
from iiccli.networks.iicnet.relation import PictureRelation, Relation
from iiccli.networks.invertible import Haar, Invertible, Mix, SeparateAffineCoupling, Squeeze
from iiccli.networks.invertible.base import Sequence
from iiccli.networks.invertible.quantise import Quantise


class IICNet(nn.Module):
    """Several pictures in one embedding image, and back (Cheng et al., ICCV 2021, figure 2).

    Its five parts are registered by the numbers 0..4, so that the state dict's names are those
    of the official checkpoints: relation, downscaling, couplings, channel squeeze, quantisation.

    Attributes:
        multiple: heights and widths of the pictures must be multiples of this.
        reach: pixels of the pictures, each way, that a pixel of the embedding image, or of a
            restored picture, depends on.
        scale: the embedding image is this many times smaller than the pictures.
    """

    def __init__(self, config: IICNetConfig) -> None:
        super().__init__()
        self.config = config
        self.multiple = self.scale = config.scale
        self.reach = _reach(config)
        relation = Relation(config.pictures, config.relation_features) if config.relation else None
        self.register_module("0", relation)
        self.add_module("1", _downscaling(config))
        self.add_module("2", Sequence(_coupling(config) for _ in range(config.blocks)))
        self.add_module("3", ChannelSqueeze(config.coupling_channels, config.out_channels))
        self.add_module("4", Quantise())

    @property
    def relation(self) -> Relation | None:
        """Part 0, if there is one."""
        return cast("Relation | None", self._modules["0"])

    @property
    def downscaling(self) -> Sequence:
        """Part 1; empty, if the couplings work at full size."""
        return cast(Sequence, self._modules["1"])

    @property
    def couplings(self) -> Sequence:
        """Part 2."""
        return cast(Sequence, self._modules["2"])

    @property
    def channel_squeeze(self) -> ChannelSqueeze:
        """Part 3."""
        return cast(ChannelSqueeze, self._modules["3"])

    @property
    def quantisation(self) -> Quantise:
        """Part 4."""
        return cast(Quantise, self._modules["4"])

    def embed(self, x: Tensor) -> Tensor:
        """Embed pictures.

        Args:
            x: (B, 3N, H, W) in 0..1, the reference picture first; H, W multiples of `multiple`.

        Returns:
            The embedding image before quantisation, (B, c, H/scale, W/scale), roughly in 0..1.
        """
        if self.relation is not None:
            x = self.relation.forw_rel(x)
        y: Tensor = self.channel_squeeze(self.couplings(self.downscaling(x)))
        return y

    def restore(self, y: Tensor) -> Tensor:
        """Restore the pictures, (B, 3N, H, W), not clamped, from the quantised embedding image."""
        x = self.couplings.inverse(self.channel_squeeze.expand(y))
        x = self.downscaling.inverse(x)
        return x if self.relation is None else cast(Tensor, self.relation.back_rel(x))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both ways, for training: (embedding image before quantisation, restored pictures)."""
        embedding = self.embed(x)
        return embedding, self.restore(self.quantisation(embedding))


def _downscaling(config: IICNetConfig) -> Sequence:
    if config.downscale == "none":
        return Sequence()
    operations: list[Invertible] = [
        Haar(config.in_channels, config.order)
        if config.downscale == "haar"
        else Squeeze(config.order)
    ]
    if config.conv1x1:
        operations.append(Mix(config.coupling_channels))
    return Sequence(operations)


def _coupling(config: IICNetConfig) -> SeparateAffineCoupling:
    first, rest = config.split, config.coupling_channels - config.split
    return SeparateAffineCoupling(
        first, f=DenseBlock(rest, first), g=DenseBlock(first, rest), h=DenseBlock(first, rest)
    )


def _reach(config: IICNetConfig) -> int:
    """Two dense blocks in a row per coupling; a cell's pixels reach one further."""
    couplings = 2 * DenseBlock.REACH * config.blocks
    relation = PictureRelation.REACH if config.relation else 0
    return config.scale * couplings + (config.scale - 1) + relation
