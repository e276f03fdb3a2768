"""In which order pictures are coded, and from which of them each is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A picture's place in a sequence.

    Attributes:
        picture: its number among those that are coded.
        anchor: the place of the picture that stands for the cover; None: the cover itself.
        before: the place of the picture that it follows, if any.
    """

    picture: int
    anchor: int | None
    before: int | None


def links(pictures: int, *, covered: bool = False) -> tuple[Link, ...]:
    """The sequence of pictures that lie around their cover in order of time.

    From the one just before the middle back to the first; then from the one after the middle to
    the last.

    Args:
        pictures: how many are coded.
        covered: the first of them is the one that the cover shows; it comes before all others.
    """
    if covered:
        others = links(pictures - 1) if pictures > 1 else ()
        moved = (Link(o.picture + 1, 0, None if o.before is None else o.before + 1) for o in others)
        return (Link(0, None, None), *moved)
    half = max(1, pictures // 2)
    earlier = [Link(half - 1 - i, None, i - 1 if i else None) for i in range(half)]
    later = [Link(i, None, 0 if i == half else i - 1) for i in range(half, pictures)]
    return (*earlier, *later)


def followers(sequence: Sequence[Link]) -> list[int]:
    """The places of those that follow another picture."""
    return [place for place, link in enumerate(sequence) if link.before is not None]
