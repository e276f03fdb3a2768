"""Affine coupling: each half of the channels is changed by what the other half says.

    y1 = x1 + F(x2),   y2 = x2 · exp(tanh(t/2)) + g,   with (t, g) computed from y1.

The factor lies between 1/e and e, so both directions are well conditioned. (IICNet, section 3.3,
writes the exponent as 2·sigmoid(t) − 1, which is the same number.)
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from iiccli.networks.invertible.base import Invertible


class AffineCoupling(Invertible):
    """The coupling itself; a subclass says which networks give (t, g).

    Channels are split into the first `split` and the rest; shapes stay as they are.
    """

    def __init__(self, split: int, f: nn.Module) -> None:
        super().__init__()
        self.split = split
        self.F = f

    @abstractmethod
    def scale_and_shift(self, y1: Tensor) -> tuple[Tensor, Tensor]:
        """(t, g) for the second part, each (B, C − split, H, W), from y1, (B, split, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Change x1 by x2, then x2 by the changed x1."""
        x1, x2 = x[:, : self.split], x[:, self.split :]
        y1 = x1 + self.F(x2)
        t, g = self.scale_and_shift(y1)
        return torch.cat((y1, x2 * torch.exp(torch.tanh(t / 2)) + g), dim=1)

    def inverse(self, y: Tensor) -> Tensor:
        """Undo the change of x2, which y1 tells, then that of x1."""
        y1, y2 = y[:, : self.split], y[:, self.split :]
        t, g = self.scale_and_shift(y1)
        x2 = (y2 - g) * torch.exp(-torch.tanh(t / 2))
        return torch.cat((y1 - self.F(x2), x2), dim=1)


class SeparateAffineCoupling(AffineCoupling):
    """IICNet's coupling (section 3.3): H gives the exponent t, G the shift g."""

    def __init__(self, split: int, f: nn.Module, g: nn.Module, h: nn.Module) -> None:
        super().__init__(split, f)
        self.G = g
        self.H = h

    def scale_and_shift(self, y1: Tensor) -> tuple[Tensor, Tensor]:
        """(H(y1), G(y1))."""
        return self.H(y1), self.G(y1)


class SharedAffineCoupling(AffineCoupling):
    """The fast coupling: one network G with twice the outputs gives t and g at once."""

    def __init__(self, split: int, f: nn.Module, g: nn.Module) -> None:
        super().__init__(split, f)
        self.G = g

    def scale_and_shift(self, y1: Tensor) -> tuple[Tensor, Tensor]:
        """The two halves of G(y1)."""
        t, g = self.G(y1).chunk(2, dim=1)
        return t, g
