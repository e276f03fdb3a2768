"""The two ways from the trunk's channels through an 8-bit carrier and back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from iiccli.networks.fast.config import FastConfig
from iiccli.networks.fast.convnet import ConvNet
from iiccli.networks.fast.start import message_range
from iiccli.networks.invertible import Reverse, Sequence, Squeeze
from iiccli.networks.invertible.quantise import (
    LEVELS,
    embed_modulo,
    extract_modulo,
    round_to_8bit,
    straight_through_round,
)


class Head(nn.Module, ABC):
    """A quantiser, and the guess of what it dropped."""

    @abstractmethod
    def embed(self, z: Tensor, cover: Tensor) -> Tensor:
        """The carrier, (B, c, h, w), on the 8-bit grid in 0..1.

        Args:
            z: the trunk's channels, (B, C', h, w).
            cover: the picture to look like, (B, c, h, w) in 0..1.
        """

    @abstractmethod
    def recover(self, carrier: Tensor) -> Tensor:
        """An estimate of the trunk's channels, (B, C', h, w), from the carrier alone."""

    def forward(self, z: Tensor, cover: Tensor) -> tuple[Tensor, Tensor]:
        """Both ways, with straight-through gradients: (carrier, estimate of z)."""
        carrier = self.embed(z, cover)
        return carrier, self.recover(carrier)


class Predictor(nn.Module):
    """A small network at the couplings' size; zeros until it is trained."""

    CONVS = 3

    def __init__(self, inputs: int, outputs: int, width: int, scale: int) -> None:
        super().__init__()
        cells = Squeeze() if scale == 1 else Sequence()
        area = 4 if scale == 1 else 1
        self.enter = cells
        self.net = ConvNet(area * inputs, area * outputs, width, self.CONVS)
        self.leave = Reverse(cells)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) → (B, outputs, h, w)."""
        y: Tensor = self.leave(self.net(self.enter(x)))
        return y


class PlainHead(Head):
    """The first c channels, clamped and rounded, are the carrier; the others are predicted."""

    WIDTH = 32

    def __init__(self, config: FastConfig) -> None:
        super().__init__()
        self.kept = config.out_channels
        dropped = config.carrier_channels - self.kept
        self.predictor = (
            Predictor(self.kept, dropped, self.WIDTH, config.scale) if dropped else None
        )

    def embed(self, z: Tensor, cover: Tensor) -> Tensor:
        """Clamp and round; the cover is of no use, training makes the channels look like it."""
        return round_to_8bit(z[:, : self.kept])

    def recover(self, carrier: Tensor) -> Tensor:
        """The carrier, and what is likely to have come with it."""
        return _complete(carrier, self.predictor)


class ModuloHead(Head):
    """The carrier is the cover, but for its value modulo q: the message.

    The trunk's first c channels stand for the cover, the next c are the message; the digits of
    the message are read back exactly. From cover and message a network predicts the channels
    that were dropped. (Letting it correct cover and message too measured 0.4 dB worse on video
    after two core minutes: 28.58 instead of 29.00 dB.)

    Attributes:
        slope: steepness of the logistic function per message channel, as a logarithm.
        offset: the value that falls into the middle of the digits, per message channel.
    """

    WIDTH = 48

    def __init__(self, config: FastConfig) -> None:
        super().__init__()
        self.q = config.q
        self.kept = config.out_channels
        centre, spread = message_range(config)
        shape = (self.kept, 1, 1)
        self.slope = nn.Parameter(torch.full(shape, -math.log(spread)))
        self.offset = nn.Parameter(torch.full(shape, centre))
        known = 2 * self.kept
        dropped = config.carrier_channels - known
        self.predictor = Predictor(known, dropped, self.WIDTH, config.scale) if dropped else None

    def digits(self, z: Tensor) -> Tensor:
        """The message, integers 0..q−1 with straight-through gradient, (B, c, h, w)."""
        message = z[:, self.kept : 2 * self.kept]
        level = self.q * torch.sigmoid(self.slope.exp() * (message - self.offset)) - 0.5
        return straight_through_round(level.clamp(-0.49, self.q - 0.51))

    def embed(self, z: Tensor, cover: Tensor) -> Tensor:
        """The integers nearest to the cover that are congruent to the message."""
        return embed_modulo(LEVELS * cover, self.digits(z), self.q) / LEVELS

    def recover(self, carrier: Tensor) -> Tensor:
        """Read the message, exactly, and predict the rest from it and the cover."""
        digits = extract_modulo(LEVELS * carrier, self.q)
        return self._expand(carrier, digits.to(carrier))

    def forward(self, z: Tensor, cover: Tensor) -> tuple[Tensor, Tensor]:
        """As the base does, but the gradient goes through the digits: the carrier has none."""
        digits = self.digits(z)
        carrier = embed_modulo(LEVELS * cover.detach(), digits.detach(), self.q) / LEVELS
        return carrier, self._expand(carrier, digits)

    def _expand(self, carrier: Tensor, digits: Tensor) -> Tensor:
        message = torch.logit((digits + 0.5) / self.q) / self.slope.exp() + self.offset
        return _complete(torch.cat((carrier, message), dim=1), self.predictor)


def _complete(known: Tensor, predictor: Predictor | None) -> Tensor:
    """The known channels, and what is likely to have come with them, if any was dropped."""
    return known if predictor is None else torch.cat((known, predictor(known)), dim=1)
