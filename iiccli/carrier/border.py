"""Where in the pixels a carrier keeps its header, and a locked one its lock.

Three copies follow one another around the border, each on a third of it. So the same bit of
two copies is always a third of the border apart: what one scratch destroys, the majority
repairs, and a damaged corner leaves at least one copy untouched. The lock lies likewise, in
between and further in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iiccli.carrier.header import BINARY_LENGTH
from iiccli.carrier.lock import LOCK_LENGTH
from iiccli.room import room

STAMP_LENGTH: Final = BINARY_LENGTH + 4
"""Bytes of one copy: the binary header and a CRC-32 of all the other pixels."""
STAMP_BITS: Final = STAMP_LENGTH * 8
LOCK_BITS: Final = LOCK_LENGTH * 8
COPIES: Final = 3
SHARE: Final = 8
"""Header and lock take at most one sample in so many."""


def header_samples(height: int, width: int, channels: int) -> NDArray[np.bool_]:
    """Tell which samples the header occupies: (height, width, channels), true where it does.

    It depends on nothing but the shape, so that a network can leave these samples without
    message. All false where the picture is too small to spare them.
    """
    return _mask((height, width, channels), header_places(height, width, channels))


def reserved_samples(height: int, width: int, channels: int, *, locked: bool) -> NDArray[np.bool_]:
    """Tell which samples carry no message: those of the header, and of the lock of a locked one.

    Returns:
        (height, width, channels), see `header_samples`.
    """
    mask = header_samples(height, width, channels)
    if locked:
        mask.reshape(-1)[lock_places(height, width, channels)] = True
    return mask


def free_samples(height: int, width: int, channels: int, *, locked: bool) -> NDArray[np.bool_]:
    """Tell which samples may carry message, (height, width, channels): all but the reserved."""
    free = reserved_samples(height, width, channels, locked=locked)
    return np.logical_not(free, out=free)


def can_be_veiled(height: int, width: int, channels: int) -> bool:
    """Tell whether a picture is large enough for a header and a lock in its pixels alone."""
    return bool(lock_places(height, width, channels).size)


@lru_cache(maxsize=8)
def header_places(height: int, width: int, channels: int) -> NDArray[np.intp]:
    """Flat indices of the header's samples: copy after copy, bit after bit; maybe none."""
    spare = height * width * channels // SHARE
    copies = COPIES if spare >= COPIES * STAMP_BITS else 1 if spare >= STAMP_BITS else 0
    nothing = np.zeros(0, dtype=np.intp)
    return _around((height, width, channels), copies * STAMP_BITS, nothing)


@lru_cache(maxsize=8)
def lock_places(height: int, width: int, channels: int) -> NDArray[np.intp]:
    """The same of the lock's samples, which are none of the header's."""
    both = STAMP_BITS + LOCK_BITS
    spare = height * width * channels // SHARE
    copies = COPIES if spare >= COPIES * both else 1 if spare >= both else 0
    header = header_places(height, width, channels)
    return _around((height, width, channels), copies * LOCK_BITS, header)


def _around(shape: tuple[int, int, int], need: int, taken: NDArray[np.intp]) -> NDArray[np.intp]:
    """Flat indices of that many samples that are not taken.

    As many rings as hold both, from the border inwards, are merged by how far around each sample
    lies; from this sequence the samples are taken at even distance.
    """
    height, width, channels = shape
    rings: list[NDArray[np.intp]] = []
    found = 0
    while need and found < need + taken.size:
        rings.append(_ring(height, width, len(rings)))
        found += rings[-1].size * channels
    if not rings:
        return np.zeros(0, dtype=np.intp)
    around = [np.arange(ring.size) / ring.size for ring in rings]
    order = np.argsort(np.concatenate(around), kind="stable")
    pixels = np.concatenate(rings)[order]
    samples = (pixels[:, None] * channels + np.arange(channels)).reshape(-1)
    samples = samples[np.isin(samples, taken, invert=True)]
    result = samples[np.arange(need) * samples.size // need]
    result.flags.writeable = False  # it is shared by all callers
    return result


def _ring(height: int, width: int, depth: int) -> NDArray[np.intp]:
    """Flat pixel indices at `depth` pixels from the border, clockwise from the top left."""
    top, left, bottom, right = depth, depth, height - 1 - depth, width - 1 - depth
    sides = [top * width + np.arange(left, right + 1)]
    sides.append(np.arange(top + 1, bottom + 1) * width + right)
    if bottom > top:
        sides.append(bottom * width + np.arange(right - 1, left - 1, -1))
    if right > left:
        sides.append(np.arange(bottom - 1, top, -1) * width + left)
    return np.concatenate(sides).astype(np.intp)


def _mask(shape: tuple[int, int, int], positions: NDArray[np.intp]) -> NDArray[np.bool_]:
    mask = room(shape, np.bool_)
    mask[...] = False
    mask.reshape(-1)[positions] = True
    return mask
