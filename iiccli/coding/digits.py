"""A run of bits as whole numbers mod q, for any q, and back.

Where q is no power of two, several digits together hold as many bits as fit: twelve digits mod 3
hold 19 bits, as 3^12 is a little more than 2^19.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from iiccli.coding.bits import Bits, Ints

_MOST_DIGITS = 24


@cache
def grouping(q: int) -> tuple[int, int]:
    """How many digits mod q go together, and how many bits they hold: the best that is short.

    Raises:
        ValueError: q is not in 2..256.
    """
    if not 2 <= q <= 256:
        raise ValueError(f"no modulus {q}")
    choices = [
        (digits, int(digits * math.log2(q) + 1e-9))
        for digits in range(1, _MOST_DIGITS + 1)
        if q**digits < 2**62
    ]
    return max(choices, key=lambda c: (round(c[1] / c[0], 9), -c[0]))


def capacity(count: int, q: int) -> int:
    """Bits that `count` digits hold."""
    digits, bits = grouping(q)
    return count // digits * bits


def to_digits(bits: Bits, count: int, q: int) -> Ints:
    """Write `capacity(count, q)` bits as `count` digits; those left over are 0."""
    digits, width = grouping(q)
    groups = count // digits
    weights = 1 << np.arange(width - 1, -1, -1, dtype=np.int64)
    value = bits.reshape(groups, width).astype(np.int64) @ weights
    result = np.zeros(count, np.int64)
    for i in range(digits):
        value, result[i : groups * digits : digits] = np.divmod(value, q)
    return result


def from_digits(numbers: Ints, q: int) -> Bits:
    """Undo `to_digits`; digits that no run of bits gives lose their highest bits."""
    digits, width = grouping(q)
    groups = len(numbers) // digits
    value = np.zeros(groups, np.int64)
    for i in range(digits - 1, -1, -1):
        value = value * q + numbers[i : groups * digits : digits]
    shifts = np.arange(width - 1, -1, -1, dtype=np.int64)
    return (value[:, None] >> shifts & 1).astype(np.uint8).reshape(-1)
