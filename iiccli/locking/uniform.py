"""Uniform numbers mod q out of uniform bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

_DRAW = 1 << 22
"""Most bytes that are drawn at once, so that memory stays small."""


def uniform(stream: Callable[[int], bytes], count: int, q: int) -> npt.NDArray[np.uint8]:
    """Give `count` uniform numbers in 0..q-1.

    By rejection: bytes that do not belong to a whole run of 0..q-1 are passed over, as their
    remainder alone would favour the small numbers. The result depends on the stream alone, not on
    how much is drawn at once.

    Args:
        stream: gives the next so many bytes.
        count: how many numbers.
        q: 2..256.
    """
    limit = 256 - 256 % q
    result = np.empty(count, np.uint8)
    done = 0
    while done < count:
        drawn = np.frombuffer(stream(min(_DRAW, count - done)), np.uint8)
        kept = drawn if limit == 256 else drawn[drawn < limit]
        result[done : done + len(kept)] = kept % q if q < 256 else kept
        done += len(kept)
    return result
