"""The learning rate over the budget."""

from __future__ import annotations

import math

from iiccli.training.recipes import Optimiser

_END = 0.01
"""Warm-up starts, and a cosine ends, at this part of the highest rate."""


def factor_at(share: float, optimiser: Optimiser) -> float:
    """What the highest rate is multiplied by.

    Args:
        share: of the budget that is used up, 0..1.
        optimiser: see there.
    """
    if share < optimiser.warmup:
        return max(share / optimiser.warmup, _END)
    if optimiser.decay == "multi-step":
        return float(optimiser.factor ** sum(share >= m for m in optimiser.milestones))
    if optimiser.decay == "constant":
        return 1.0
    rest = (share - optimiser.warmup) / (1 - optimiser.warmup)
    return _END + (1 - _END) * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))
