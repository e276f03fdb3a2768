"""Pictures that were turned by quarters or mirrored, which moves pixels and changes none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Turn:
    """How a picture was turned.

    Attributes:
        words: what was done to it.
        mirrored: undone first: left and right are exchanged.
        quarters: and then so many quarters of a turn, counter-clockwise.
    """

    words: str
    mirrored: bool
    quarters: int

    def undone(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The picture as it was: a view of (H, W) or (H, W, channels), nothing is copied."""
        return np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.quarters)


TURNS: Final = (
    Turn("turned clockwise by 90°", False, 1),
    Turn("turned by 180°", False, 2),
    Turn("turned counter-clockwise by 90°", False, 3),
    Turn("mirrored", True, 0),
    Turn("turned upside down and mirrored", True, 2),
    Turn("mirrored and turned by 90°", True, 1),
    Turn("mirrored and turned by 90°", True, 3),
)
"""All ways but leaving it as it is."""


def turned_back(pixels: NDArray[Any]) -> Iterator[tuple[Turn, NDArray[Any]]]:
    """Give what a picture may have been before it was turned, with how."""
    for turn in TURNS:
        yield turn, turn.undone(pixels)
