"""A learned invertible mixing of channels."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iiccli.networks.invertible.base import Invertible


class Mix(Invertible):
    """An invertible 1×1 convolution (Glow, Kingma & Dhariwal 2018, section 3.2).

    The inverse matrix is computed in double precision. In eval mode, where no gradient needs
    it, it is computed once and kept until the weight changes: by training, loading, an in-place
    edit or a move to another device or precision.

    Attributes:
        weight: the (C, C) matrix; its rows are the outputs.
    """

    def __init__(self, start: int | Tensor) -> None:
        """Start from a (C, C) matrix, or from the identity over `start` channels."""
        super().__init__()
        matrix = torch.eye(start) if isinstance(start, int) else start.detach().clone()
        self.weight = nn.Parameter(matrix)
        self._cached: tuple[object, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Multiply every pixel's channel vector by the weight."""
        return F.conv2d(x, self.weight[:, :, None, None])

    def inverse(self, y: Tensor) -> Tensor:
        """Multiply every pixel's channel vector by the weight's inverse."""
        return F.conv2d(y, self.inverse_weight()[:, :, None, None])

    def inverse_weight(self) -> Tensor:
        """The inverse of the weight, (C, C); cached in eval mode."""
        if self.training or (torch.is_grad_enabled() and self.weight.requires_grad):
            return self._invert()
        key = self._weight_state()
        if self._cached is None or self._cached[0] != key:
            # Leaving inference mode makes the cached matrix usable under autograd later on.
            with torch.inference_mode(False), torch.no_grad():
                self._cached = (key, self._invert())
        return self._cached[1]

    def train(self, mode: bool = True) -> Mix:
        """Switch the mode, and forget the cached inverse."""
        self._cached = None
        super().train(mode)
        return self

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._cached = None  # weights move between devices and precisions through here
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._cached = None
        super()._load_from_state_dict(*args, **kwargs)

    def _weight_state(self) -> tuple[object, ...]:
        """What changes when the weight is replaced or edited in place."""
        weight = self.weight
        version = 0 if weight.is_inference() else weight._version
        return (version, weight.data_ptr(), weight.device, weight.dtype)

    def _invert(self) -> Tensor:
        weight = self.weight
        # MPS knows no double precision; the matrix is small.
        on_host = weight.cpu() if weight.device.type == "mps" else weight
        inverse: Tensor = torch.linalg.inv(on_host.double())
        return inverse.to(weight)
