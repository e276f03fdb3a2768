"""The invertible part of the fast network: from the pictures to ordered channels, and back."""

from __future__ import annotations

from iiccli.networks.fast.config import FastConfig
from iiccli.networks.fast.convnet import ConvNet
from iiccli.networks.fast.start import start_matrix
from iiccli.networks.invertible import (
    Invertible,
    Mix,
    Reverse,
    Sequence,
    SharedAffineCoupling,
    Squeeze,
    haar_matrix,
)


class Trunk(Sequence):
    """(B, 3N, H, W) ↔ (B, C', H/scale, W/scale): the carrier's channels first.

    Space to depth; blocks of a mix and a coupling, between a mix that starts as the orthonormal
    Haar transform and one that starts as its inverse; back to the carrier's size; and a last mix
    that starts as the task's best linear guess. Untrained, all of it is that guess.
    """

    def __init__(self, config: FastConfig) -> None:
        haar = haar_matrix(config.in_channels, config.levels)
        channels = len(haar)
        operations: list[Invertible] = [Squeeze() for _ in range(config.levels)]
        for block in range(config.blocks):
            operations += [Mix(channels if block else haar), _coupling(channels, config)]
        operations.append(Mix(haar.T))
        if config.scale == 1:
            operations.append(Reverse(Squeeze()))
        operations.append(Mix(start_matrix(config)))
        super().__init__(operations)

    @staticmethod
    def reach(config: FastConfig) -> int:
        """How far a change spreads each way, in cells of the couplings' size."""
        return 2 * config.convs * config.blocks


def _coupling(channels: int, config: FastConfig) -> SharedAffineCoupling:
    first = channels // 2
    rest = channels - first
    return SharedAffineCoupling(
        first,
        f=ConvNet(rest, first, config.width, config.convs),
        g=ConvNet(first, 2 * rest, config.width, config.convs),
    )
