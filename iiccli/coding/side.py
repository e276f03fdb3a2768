"""A block's side information: small whole numbers near one another.

Frame-of-reference coding: the smallest value, the width that the differences need, the
differences. Flat places cost next to nothing, and nothing depends on a neighbouring block.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints, Reader, Writer

Small = npt.NDArray[np.int16]


def write_group(writer: Writer, values: Small, low: int, bits: int) -> None:
    """Append numbers that lie in low .. low + 2^bits - 1."""
    numbers: Ints = values.astype(np.int64).ravel() - low
    base = int(numbers.min())
    width = int(numbers.max() - base).bit_length()
    writer.add(base, bits)
    writer.add(width, (bits + 1).bit_length())
    writer.extend(numbers - base, width)


def read_group(reader: Reader, shape: tuple[int, ...], low: int, bits: int) -> Small:
    """Read what `write_group` wrote; damaged input gives numbers in range all the same."""
    base = reader.take(bits)
    width = min(reader.take((bits + 1).bit_length()), bits)
    count = int(np.prod(shape))
    numbers = np.minimum(base + reader.take_many(count, width), 2**bits - 1) + low
    result: Small = numbers.astype(np.int16).reshape(shape)
    return result
