"""The one contract of this package: forward and inverse, side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn


class Invertible(nn.Module, ABC):
    """A map of (B, C, H, W) tensors with an inverse: ``inverse(forward(x)) == x``."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Map x, (B, C, H, W), to y; the number of values stays the same."""

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """Map y back to the x that `forward` made it from."""


class Sequence(Invertible):
    """Invertible modules one after the other; its parameters are named ``operations.i``."""

    def __init__(self, operations: Iterable[Invertible] = ()) -> None:
        super().__init__()
        self.operations = nn.ModuleList(operations)

    def forward(self, x: Tensor) -> Tensor:
        """Apply all operations, first to last."""
        for operation in self.operations:
            x = operation(x)
        return x

    def inverse(self, y: Tensor) -> Tensor:
        """Undo all operations, last to first."""
        for operation in reversed(self.operations):
            y = cast(Invertible, operation).inverse(y)
        return y


class Reverse(Invertible):
    """Another invertible module with forward and inverse exchanged."""

    def __init__(self, operation: Invertible) -> None:
        super().__init__()
        self.operation = operation

    def forward(self, x: Tensor) -> Tensor:
        """The operation's inverse."""
        return self.operation.inverse(x)

    def inverse(self, y: Tensor) -> Tensor:
        """The operation's forward."""
        x: Tensor = self.operation(y)
        return x
