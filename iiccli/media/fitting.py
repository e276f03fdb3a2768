"""Fitting a picture to another's size so that it comes back at its own.

What was done is kept in four bytes, as it has to travel where there is hardly any room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from iiccli.errors import UsageError
from iiccli.media.resize import Pixels, resize, resize_back

Rule = Literal["stretch", "crop", "pad"]
"""`stretch` changes the proportions, `crop` cuts what is too much on both sides, `pad` leaves the
picture whole and fills up around it. The first and the last are undone."""

RULES: tuple[Rule, ...] = get_args(Rule)
MAX_SIDE = 0x7FFF
FIT_BYTES = 4
_FLAG = 0x8000


@dataclass(frozen=True)
class Fit:
    """How a picture was fitted.

    Attributes:
        size: its own width and height, 1..`MAX_SIDE` each; after cropping, of what was left.
        turned: it was turned by 90°.
        padded: it was filled up around.
    """

    size: tuple[int, int]
    turned: bool = False
    padded: bool = False

    def __post_init__(self) -> None:
        """Refuse what four bytes cannot say.

        Raises:
            ValueError: a side is out of range.
        """
        if not all(1 <= side <= MAX_SIDE for side in self.size):
            raise ValueError(f"{self.size} is not within 1..{MAX_SIDE}")

    def to_bytes(self) -> bytes:
        """Width and height in 16 bits each; their top bits say `turned` and `padded`."""
        width, height = self.size
        width |= _FLAG if self.turned else 0
        height |= _FLAG if self.padded else 0
        return width.to_bytes(2, "big") + height.to_bytes(2, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> Fit | None:
        """Read what `to_bytes` wrote; None where that says nothing."""
        width, height = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
        size = (width & ~_FLAG, height & ~_FLAG)
        if len(data) < FIT_BYTES or not all(size):
            return None
        return cls(size, turned=bool(width & _FLAG), padded=bool(height & _FLAG))

    @classmethod
    def to(
        cls,
        size: tuple[int, int],
        own: tuple[int, int],
        *,
        padded: bool = False,
        turning: bool = True,
    ) -> Fit:
        """How a picture of size `own` is fitted to `size`, (width, height) both."""
        return cls(own, turned=turning and _lie_across(own, size), padded=padded)

    @property
    def turned_size(self) -> tuple[int, int]:
        """Width and height after turning."""
        return (self.size[1], self.size[0]) if self.turned else self.size

    def inner(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Where the picture lies in the fitted one of that size: left, top, width, height."""
        return inner(self.turned_size, size) if self.padded else (0, 0, *size)


def inner(own: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a picture of size `own` lies whole in one of `size`: left, top, width, height."""
    if own[0] * size[1] >= own[1] * size[0]:
        inside = (size[0], _scaled(own[1], size[0], own[0]))
    else:
        inside = (_scaled(own[0], size[1], own[1]), size[1])
    return (size[0] - inside[0]) // 2, (size[1] - inside[1]) // 2, *inside


def fit(
    pixels: Pixels, size: tuple[int, int], rule: Rule = "stretch", *, turning: bool = True
) -> tuple[Pixels, Fit]:
    """Fit a picture to a size: turned first, if one lies across the other, then resized.

    Args:
        pixels: (h, w, 3) uint8.
        size: width and height wanted.
        rule: see `Rule`.
        turning: whether a portrait may be turned to lie in a landscape.

    Returns:
        The picture at that size, and how to undo it.

    Raises:
        UsageError: there is no such rule, or the picture is too large for `Fit`.
    """
    if rule not in RULES:
        raise UsageError(f"There is no rule {rule!r}.", f"Choose one of: {', '.join(RULES)}.")
    if rule == "crop":
        pixels = cropped(pixels, size, turning=turning)
    height, width = pixels.shape[:2]
    if max(width, height) > MAX_SIDE:
        raise UsageError(
            f"A picture of {width}×{height} pixels cannot be fitted: at most {MAX_SIDE} a side.",
            "Shrink it first.",
        )
    how = Fit.to(size, (width, height), padded=rule == "pad", turning=turning)
    if how.turned:
        pixels = np.ascontiguousarray(np.rot90(pixels))
    left, top, *inside = how.inner(size)
    small = resize(pixels, (inside[0], inside[1]))
    right, bottom = size[0] - left - inside[0], size[1] - top - inside[1]
    if not any((top, left, right, bottom)):
        return small, how
    # Borders that go on as the picture ends cost least to hide.
    return np.pad(small, ((top, bottom), (left, right), (0, 0)), mode="edge"), how


def unfit(pixels: Pixels, how: Fit) -> Pixels:
    """Undo `fit`: the picture at its own size and upright again."""
    height, width = pixels.shape[:2]
    left, top, *inside = how.inner((width, height))
    picture = pixels[top : top + inside[1], left : left + inside[0]]
    picture = resize_back(picture, how.turned_size)
    return np.ascontiguousarray(np.rot90(picture, -1)) if how.turned else picture


def cropped(pixels: Pixels, size: tuple[int, int], *, turning: bool = True) -> Pixels:
    """The middle of a picture that has the proportions of `size`, perhaps turned by 90°."""
    height, width = pixels.shape[:2]
    if turning and _lie_across((width, height), size):
        size = (size[1], size[0])
    if width * size[1] > height * size[0]:
        inside = (_scaled(size[0], height, size[1]), height)
    else:
        inside = (width, _scaled(size[1], width, size[0]))
    left, top = (width - inside[0]) // 2, (height - inside[1]) // 2
    return pixels[top : top + inside[1], left : left + inside[0]]


def _lie_across(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether one is a portrait and the other a landscape."""
    return (one[0] - one[1]) * (other[0] - other[1]) < 0


def _scaled(side: int, to: int, of: int) -> int:
    """`side` · `to` / `of` to the nearest whole number, at least 1."""
    return max(1, (2 * side * to + of) // (2 * of))
