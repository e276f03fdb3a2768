"""Averaged weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of a module's parameters; with a decay of 0, the parameters.

    Attributes:
        values: the averages, by the parameters' names.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the present weights; faster at first, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step)) if self.decay else 0.0
        present = [parameter.detach() for _, parameter in module.named_parameters()]
        torch._foreach_lerp_(list(self.values.values()), present, 1 - decay)

    def load(self, values: dict[str, Tensor]) -> None:
        """Take over a checkpoint's averages, onto the device where the module is."""
        self.values = {name: values[name].to(own.device) for name, own in self.values.items()}

    @torch.no_grad()
    def exchange(self, module: nn.Module) -> None:
        """Swap the module's weights and the averages; twice leaves all as it was."""
        for name, parameter in module.named_parameters():
            kept = parameter.detach().clone()
            parameter.copy_(self.values[name])
            self.values[name].copy_(kept)
