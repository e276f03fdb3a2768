"""Mirrored and transposed pictures, to learn more from the same."""

from __future__ import annotations

from torch import Tensor

from iiccli.training.chance import Chance
from iiccli.training.recipes.schema import Turns

_POSSIBLE: dict[Turns, tuple[bool, bool, bool]] = {
    "none": (False, False, False),
    "vertical": (False, True, False),
    "flips": (True, True, False),
    "all": (True, True, True),
}
"""Left to right, upside down, transposed."""


def turn_of(turns: Turns, chance: Chance) -> tuple[bool, bool, bool]:
    """One of the possible turns."""
    across, down, transposed = (possible and bool(chance.below(2)) for possible in _POSSIBLE[turns])
    return across, down, transposed


def turned(x: Tensor, turn: tuple[bool, bool, bool]) -> Tensor:
    """(…, H, W) mirrored and transposed."""
    x = x.flip(-1) if turn[0] else x
    x = x.flip(-2) if turn[1] else x
    return x.mT if turn[2] else x
