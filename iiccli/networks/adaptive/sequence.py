"""Pictures one after the other: each is predicted from the cover and from one decoded before it.

Of pictures in order of time that lie around the cover, the nearest come first, and each follows
its neighbour (`links`). Where the carrier is smaller, the picture that it shows comes before all
others, which are predicted from that in its place. What a prediction is worth differs from place
to place: moving things keep what is coarse, grain keeps nothing. So each cell names a *mode*, which
tells for every frequency how much of either prediction is taken; the weights are fitted (least
squares: N. Wiener, Extrapolation, interpolation and smoothing of stationary time series, 1949).
"""

from __future__ import annotations

import torch
from torch import Tensor

from iiccli.networks.adaptive.net import AdaptiveNet


class Weighing:
    """Predictions of one picture in a network's modes.

    Args:
        net: with modes.
        place: of the picture in the sequence.
    """

    def __init__(self, net: AdaptiveNet, place: int) -> None:
        self._gains = net.gains
        ranks = slice(3 * place, 3 * place + 3)
        self._mixes = net.transform.mixes[:, ranks, ranks]
        self._transform = net.transform

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self._gains.device

    def spectrum(self, planes: Tensor) -> Tensor:
        """A picture (3, H, W) in frequencies, gray being 0: (cell², 3, cells)."""
        return self._transform.spectrum(planes - 0.5).transpose(1, 2)

    def planes(self, spectrum: Tensor, height: int, width: int) -> Tensor:
        """Undo `spectrum`."""
        return self._transform.planes(spectrum.transpose(1, 2), height, width) + 0.5

    def predicted(self, cover: Tensor, before: Tensor, modes: Tensor) -> Tensor:
        """What is predicted of a picture's spectrum.

        Args:
            cover: (cell², 3, cells), what the cover tells.
            before: likewise, what the picture before tells.
            modes: (cells,) int64.

        Returns:
            (cell², 3, cells).
        """
        gains = self._gains.permute(1, 2, 3, 0)[..., modes]
        return torch.addcmul(gains[0] * cover, gains[1], before)

    def choose(self, step: float, wanted: Tensor, cover: Tensor, before: Tensor) -> Tensor:
        """The mode of each cell that leaves least to code: (cells,) int64.

        A coefficient is taken to cost log2(1 + |rest| / step) bits.

        Args:
            step: of the quantiser.
            wanted: (cell², 3, cells), the picture's spectrum.
            cover: see `predicted`.
            before: likewise.
        """
        modes, cells = len(self._gains), wanted.shape[-1]
        # All modes at once: (frequencies and colours, modes, cells).
        both = torch.stack((cover, before), 2).view(-1, 2, cells)
        gains = self._gains.permute(2, 3, 0, 1).reshape(-1, modes, 2)
        rest = torch.baddbmm(
            wanted.reshape(-1, 1, cells), gains, both, beta=1 / step, alpha=-1 / step
        )
        terms = rest.abs_().add_(1)
        # A logarithm takes long: one for the product of eight, which stays in range.
        for _ in range(3):
            first, second = terms.chunk(2)
            terms = first.mul_(second)
        return terms.log_().sum(0).argmin(0)

    def mixed(self, spectrum: Tensor) -> Tensor:
        """Principal components over the colours, (cell², 3, cells)."""
        return self._mixes.transpose(1, 2) @ spectrum

    def unmixed(self, components: Tensor) -> Tensor:
        """Undo `mixed`."""
        return self._mixes @ components
