"""The options of an IICNet, and the sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from iiccli.networks.invertible.order import BANDS, COLOURS, Order

Downscale = Literal["none", "haar", "squeeze"]


@dataclass(frozen=True)
class IICNetConfig:
    """Everything that decides an IICNet's shape.

    Attributes:
        pictures: how many RGB pictures go in, the reference first.
        blocks: coupling blocks.
        relation: whether a relation module stands at both ends.
        relation_features: its width nf.
        downscale: how the coupling blocks come to half the size, if at all.
        conv1x1: whether an invertible 1×1 follows the downscaling (without it: no effect).
        order: channel order after the downscaling (without it: no effect).
        out_channels: channels of the embedding image, 3 or 1.
    """

    pictures: int
    blocks: int
    relation: bool = True
    relation_features: int = 64
    downscale: Downscale = "none"
    conv1x1: bool = True
    order: Order = "ref"
    out_channels: int = COLOURS

    def __post_init__(self) -> None:
        if self.pictures < 1 or self.blocks < 0 or self.relation_features < 1:
            raise ValueError("pictures and relation features must be ≥ 1, blocks ≥ 0")
        if self.downscale not in ("none", "haar", "squeeze") or self.order not in ("hl", "ref"):
            raise ValueError(f"no such downscaling or order: {self.downscale}, {self.order}")
        if self.out_channels < 1 or self.coupling_channels % self.out_channels:
            raise ValueError(
                f"{self.coupling_channels} channels are no multiple of {self.out_channels}"
            )
        if not 0 < self.split < self.coupling_channels:
            raise ValueError(
                f"a split after {self.split} of {self.coupling_channels} channels leaves nothing "
                "to couple"
            )

    @property
    def in_channels(self) -> int:
        """Channels of the pictures together, 3N."""
        return COLOURS * self.pictures

    @property
    def coupling_channels(self) -> int:
        """Channels inside the coupling blocks."""
        return self.in_channels * (1 if self.downscale == "none" else BANDS)

    @property
    def split(self) -> int:
        """Channels in the first part of a coupling (``split_len1`` in the official options)."""
        if self.downscale == "none":
            return self.out_channels
        return BANDS * self.out_channels if self.order == "ref" else self.in_channels

    @property
    def scale(self) -> int:
        """The embedding image is this many times smaller than the pictures."""
        return 1 if self.downscale == "none" else 2
