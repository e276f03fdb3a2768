"""All chance of a training: by number, so that it can be repeated from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import torch

T = TypeVar("T")

_MASK = (1 << 63) - 1


class Chance:
    """The chance that belongs to one drawing.

    It depends on seed and number alone: a training that goes on, or is shared out over several
    processes, draws what it would have drawn otherwise.

    Attributes:
        number: of the drawing, from 0.
        generator: for all that is random in it.
    """

    def __init__(self, seed: int, number: int) -> None:
        self.seed = seed
        self.number = number
        self.generator = torch.Generator().manual_seed(_mixed(seed, number))

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1; 0 for limits below 1."""
        return int(torch.randint(max(limit, 1), (), generator=self.generator))

    def pick(self, items: Sequence[T], each: int = 1) -> list[T]:
        """So many of `items`, in an order in which each comes up once before any comes again.

        Raises:
            IndexError: there are fewer.
        """
        rounds = len(items) // each
        if not rounds:
            raise IndexError(f"{each} of {len(items)}")
        turn, place = divmod(self.number, rounds)
        order = _order(self.seed, turn, len(items))
        return [items[i] for i in order[place * each : (place + 1) * each]]

    def one(self, items: Sequence[T]) -> T:
        """One of `items`; see `pick`."""
        return self.pick(items)[0]


@lru_cache(maxsize=16)
def _order(seed: int, turn: int, length: int) -> tuple[int, ...]:
    generator = torch.Generator().manual_seed(_mixed(seed ^ 0x5DEECE66D, turn))
    return tuple(torch.randperm(length, generator=generator).tolist())


def _mixed(seed: int, number: int) -> int:
    """Neighbouring numbers far apart (the finaliser of SplitMix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + number + 1) & ((1 << 64) - 1)
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & ((1 << 64) - 1)
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & ((1 << 64) - 1)
    return (x ^ (x >> 31)) & _MASK
