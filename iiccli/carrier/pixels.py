"""The header in the pixels: least significant bits along the border.

Three copies follow one another around the border, each on a third of it. So the same bit of
two copies is always a third of the border apart: what one scratch destroys, the majority
repairs, and a damaged corner leaves at least one copy untouched.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from iiccli.carrier.header import (
    BINARY_LENGTH,
    CODEC_VERSION,
    FORMAT_VERSION,
    MAGIC,
    Header,
    NewerCarrierError,
)
from iiccli.errors import DamagedCarrierError

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) RGB or (H, W) gray, 0..255."""

STAMP_LENGTH: Final = BINARY_LENGTH + 4
"""Bytes of one copy: the binary header and a CRC-32 of all the other pixels."""
COPIES: Final = 3
SHARE: Final = 8
"""The header takes at most one sample in so many."""
_BITS: Final = STAMP_LENGTH * 8
_TRACES: Final = tuple(MAGIC + bytes([v]) for v in (FORMAT_VERSION, CODEC_VERSION))
"""What shows that a header was here, even where the rest of it is unreadable."""


@dataclass(frozen=True)
class Stamp:
    """What the pixels say about themselves.

    Attributes:
        header: the essentials (see `Header` for what is missing from them).
        intact: whether all copies agree and no other pixel has changed since stamping.
    """

    header: Header
    intact: bool


def check_pixels(pixels: NDArray[Any]) -> None:
    """Refuse what is no carrier's pixels.

    Raises:
        ValueError: `pixels` is not uint8 of shape (H, W, 3) or (H, W) with H, W >= 1.
    """
    shape = pixels.shape
    fits = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or not pixels.size:
        raise ValueError(f"a carrier is (H, W, 3) or (H, W) uint8, not {shape} {pixels.dtype}")


def checksum(pixels: Pixels) -> str:
    """Give the sha256 over the shape and the bytes of `pixels`, as 64 hex digits."""
    digest = hashlib.sha256(repr(tuple(int(side) for side in pixels.shape)).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def header_samples(height: int, width: int, channels: int) -> NDArray[np.bool_]:
    """Tell which samples the header occupies: (height, width, channels), true where it does.

    It depends on nothing but the shape, so that a network can leave these samples without
    message. All false where the picture is too small to spare them.
    """
    mask = np.zeros(height * width * channels, dtype=np.bool_)
    mask[_positions(height, width, channels)] = True
    return mask.reshape(height, width, channels)


def stamp(pixels: Pixels, header: Header, target: NDArray[Any] | None = None) -> Pixels:
    """Put the essentials of `header` into the least significant bits along the border.

    Args:
        pixels: the carrier. It is not changed.
        header: what to write; its `pixels_sha256` does not matter here.
        target: the cover that the carrier should look like, of the same shape and in 0..255
            (uint8 or float). Where a sample must change, it moves by 1 towards it.

    Returns:
        The carrier with its header; no sample differs by more than 1. A copy of `pixels`
        where the picture is too small for a header.

    Raises:
        ValueError: the shapes do not fit, or `pixels` is not a carrier's.
    """
    check_pixels(pixels)
    if target is not None and target.shape != pixels.shape:
        raise ValueError(f"target is {target.shape}, pixels are {pixels.shape}")
    result = np.array(pixels, order="C")
    positions = _positions(*_shape(pixels))
    if not positions.size:
        return result
    content = header.to_bytes() + _content_crc(pixels, positions).to_bytes(4, "big")
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8))
    wanted = np.tile(bits, positions.size // _BITS)
    flat = result.reshape(-1)
    values = flat[positions].astype(np.int16)
    wrong = (values & 1) != wanted
    step = 1 - 2 * (values & 1)  # to the other value of the same pair: never leaves 0..255
    if target is not None:
        distance = np.asarray(target).reshape(-1)[positions].astype(np.float64) - values
        step = np.where(distance > 0, 1, np.where(distance < 0, -1, step))
        step = np.where(values == 0, 1, np.where(values == 255, -1, step))
    flat[positions] = (values + np.where(wrong, step, 0)).astype(np.uint8)
    return result


def read_stamp(pixels: Pixels) -> Stamp | None:
    """Read what `stamp` wrote, by majority of the copies and from each copy alone.

    Returns:
        None where the pixels hold no header.

    Raises:
        DamagedCarrierError: there is a header, but no copy of it is readable.
        NewerCarrierError: the header is of a newer iic.
        ValueError: `pixels` is not a carrier's.
    """
    check_pixels(pixels)
    positions = _positions(*_shape(pixels))
    if not positions.size:
        return None
    copies = (np.ascontiguousarray(pixels).reshape(-1)[positions] & 1).reshape(-1, _BITS)
    majority = (copies.sum(axis=0) * 2 > len(copies)).astype(np.uint8)
    damage: DamagedCarrierError | None = None
    for bits in (majority, *copies):
        content = np.packbits(bits).tobytes()
        try:
            header = Header.from_bytes(content[:BINARY_LENGTH])
        except NewerCarrierError:
            raise
        except DamagedCarrierError as error:
            if content.startswith(_TRACES):
                damage = error
            continue
        crc = int.from_bytes(content[BINARY_LENGTH:], "big")
        agree = bool((copies == bits).all())
        return Stamp(header, agree and crc == _content_crc(pixels, positions))
    if damage is not None:
        raise damage
    return None


def _shape(pixels: Pixels) -> tuple[int, int, int]:
    height, width = pixels.shape[:2]
    return height, width, 1 if pixels.ndim == 2 else pixels.shape[2]


def _content_crc(pixels: Pixels, positions: NDArray[np.intp]) -> int:
    """CRC-32 of all samples, those of the header counted as 0."""
    flat = np.array(pixels, order="C").reshape(-1)
    flat[positions] = 0
    return zlib.crc32(flat.data)


@lru_cache(maxsize=8)
def _positions(height: int, width: int, channels: int) -> NDArray[np.intp]:
    """Flat indices of the header's samples: copy after copy, bit after bit; maybe none.

    As many rings as needed, from the border inwards, are merged by how far around each
    sample lies; from this sequence the samples are taken at even distance.
    """
    spare = height * width * channels // SHARE
    copies = COPIES if spare >= COPIES * _BITS else 1 if spare >= _BITS else 0
    need = copies * _BITS
    rings: list[NDArray[np.intp]] = []
    around: list[NDArray[np.float64]] = []
    found = 0
    while found < need:
        ring = _ring(height, width, len(rings))
        rings.append(ring)
        around.append(np.arange(ring.size) / ring.size)
        found += ring.size * channels
    if not rings:
        return np.zeros(0, dtype=np.intp)
    order = np.argsort(np.concatenate(around), kind="stable")
    pixels = np.concatenate(rings)[order]
    samples = (pixels[:, None] * channels + np.arange(channels)).reshape(-1)
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
