"""The options of a fast network, and the sizes that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from iiccli.networks.invertible.order import COLOURS

Quantiser = Literal["plain", "modulo"]
Start = Literal["video", "stereo", "gray", "rescale", "hide", "identity"]


@dataclass(frozen=True)
class FastConfig:
    """Everything that decides a fast network's shape and its start.

    Attributes:
        pictures: how many RGB pictures go in, the reference first, the others in time order.
        out_channels: channels c of the carrier.
        scale: the carrier is this many times smaller than the pictures: 1, 2 or 4.
        width: features of the networks in the couplings.
        blocks: how many pairs of mix and coupling.
        convs: 3×3 convolutions in each of these networks, 2 or 3.
        quantiser: ``plain``: the carrier is learned; ``modulo``: it is the cover, but for its
            value modulo q, which is the message.
        q: the modulus; without effect on the plain quantiser.
        start: the best linear guess of a task, from which training starts (see `start`).
    """

    pictures: int
    out_channels: int = COLOURS
    scale: int = 1
    width: int = 96
    blocks: int = 4
    convs: int = 2
    quantiser: Quantiser = "modulo"
    q: int = 8
    start: Start = "video"

    def __post_init__(self) -> None:
        if self.pictures < 1 or self.blocks < 1 or self.width < 1:
            raise ValueError("pictures, blocks and width must be at least 1")
        if self.convs not in (2, 3) or self.scale not in (1, 2, 4):
            raise ValueError(f"convs must be 2 or 3, scale 1, 2 or 4: {self.convs}, {self.scale}")
        if self.quantiser not in get_args(Quantiser) or self.start not in get_args(Start):
            raise ValueError(f"no such quantiser or start: {self.quantiser}, {self.start}")
        if not 2 <= self.q <= 64:
            raise ValueError(f"q must be in 2..64, not {self.q}")
        if (self.scale > 1) != (self.start == "rescale"):
            raise ValueError("the start 'rescale' goes with a scale above 1, the others with 1")
        if self.start in ("video", "stereo") and self.pictures < 2:
            raise ValueError(f"the start '{self.start}' is for two pictures or more")
        if self.start == "gray" and (self.pictures, self.out_channels) != (1, 1):
            raise ValueError("the start 'gray' is for one picture and a carrier of one channel")
        messages = self.out_channels if self.quantiser == "modulo" else 0
        if not 1 <= self.out_channels <= self.carrier_channels - messages:
            raise ValueError(
                f"{self.carrier_channels} channels do not hold {self.out_channels} of the cover "
                f"and {messages} of a message"
            )

    @property
    def in_channels(self) -> int:
        """Channels of the pictures together, C = 3N."""
        return COLOURS * self.pictures

    @property
    def carrier_channels(self) -> int:
        """Channels that the pictures have at the carrier's size."""
        return self.in_channels * self.scale**2

    @property
    def levels(self) -> int:
        """How many times the couplings' size is half the pictures' size."""
        return 2 if self.scale == 4 else 1
