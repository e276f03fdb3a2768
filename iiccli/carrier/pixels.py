"""The header in the pixels: least significant bits along the border (where, see `border`).

A locked carrier has a second record, of its lock. A veiled one shows neither.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from iiccli.carrier.border import (
    COPIES,
    LOCK_BITS,
    STAMP_BITS,
    STAMP_LENGTH,
    header_places,
    lock_places,
)
from iiccli.carrier.header import (
    BINARY_LENGTH,
    CODEC_VERSION,
    FORMAT_VERSION,
    LOCKED_VERSION,
    MAGIC,
    Header,
    NewerCarrierError,
)
from iiccli.carrier.lock import LOCK_LENGTH, Lock
from iiccli.errors import DamagedCarrierError
from iiccli.room import copied, strips

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) RGB or (H, W) gray, 0..255."""

Unveil: TypeAlias = Callable[[Lock, int], "bytes | None"]
"""Gives the veil for a lock, so many bytes of it; None where the pass phrase does not open it."""

VEIL_LENGTH: Final = COPIES * STAMP_LENGTH
"""Bytes that veil all copies of a header."""
_VERSIONS: Final = (FORMAT_VERSION, CODEC_VERSION, LOCKED_VERSION)
_TRACES: Final = tuple(MAGIC + bytes([v]) for v in _VERSIONS)
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


def is_gray(pixels: Pixels) -> bool:
    """Tell whether red, green and blue, (H, W, 3), are the same everywhere."""
    return all((pixels[rows] == pixels[rows, :, :1]).all() for rows in strips(pixels))


def checksum(pixels: Pixels) -> str:
    """Give the sha256 over the shape and the bytes of `pixels`, as 64 hex digits."""
    digest = hashlib.sha256(repr(tuple(int(side) for side in pixels.shape)).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def stamp(
    pixels: Pixels,
    header: Header,
    target: NDArray[Any] | None = None,
    veil: bytes | None = None,
) -> Pixels:
    """Put the essentials of `header` into the least significant bits along the border.

    Args:
        pixels: the carrier. It is not changed.
        header: what to write; its `pixels_sha256` does not matter here.
        target: the cover that the carrier should look like, of the same shape and in 0..255
            (uint8 or float). Where a sample must change, it moves by 1 towards it.
        veil: `VEIL_LENGTH` bytes that only the pass phrase gives: what is written is combined
            with them (XOR), so that all of it is noise. Only for a locked carrier.

    Returns:
        The carrier with its header; no sample differs by more than 1. A copy of `pixels`
        where the picture is too small for a header.

    Raises:
        ValueError: the shapes do not fit, or `pixels` is not a carrier's.
    """
    check_pixels(pixels)
    if target is not None and target.shape != pixels.shape:
        raise ValueError(f"target is {target.shape}, pixels are {pixels.shape}")
    shape = _shape(pixels)
    places = [header_places(*shape)]
    if header.lock is not None:
        places.append(lock_places(*shape))
    content = header.to_bytes() + _content_crc(pixels, places).to_bytes(4, "big")
    wanted = [_bits(content * (places[0].size // STAMP_BITS), veil)]
    if header.lock is not None:
        copies = places[1].size // LOCK_BITS
        record = header.lock.to_bytes()
        if veil is not None:  # copies that agree would show: one, without its CRC, and noise
            record = record[:-4] + os.urandom((copies - 1) * LOCK_LENGTH + 4)
            copies = 1
        wanted.append(_bits(record * copies, None))
    flat = copied(pixels).reshape(-1)
    towards = None if target is None else np.asarray(target).reshape(-1)
    for positions, bits in zip(places, wanted, strict=True):
        _write(flat, positions, bits, towards)
    return flat.reshape(pixels.shape)


def read_stamp(pixels: Pixels, unveil: Unveil | None = None) -> Stamp | None:
    """Read what `stamp` wrote, by majority of the copies and from each copy alone.

    Args:
        pixels: of the carrier.
        unveil: see there. Given, only what is veiled is found.

    Returns:
        None where the pixels hold no header.

    Raises:
        DamagedCarrierError: there is a header, but no copy of it is readable.
        NewerCarrierError: the header is of a newer iic.
        ValueError: `pixels` is not a carrier's.
    """
    check_pixels(pixels)
    positions = header_places(*_shape(pixels))
    copies = _read(pixels, positions, STAMP_BITS)
    lock = None
    if unveil is not None:
        records = _read(pixels, lock_places(*_shape(pixels)), LOCK_BITS)
        if not len(records):
            return None
        lock = Lock.from_bytes(np.packbits(records[0]).tobytes(), checked=False)
        veil = unveil(lock, VEIL_LENGTH)
        if veil is None:
            return None
        noise = np.unpackbits(np.frombuffer(veil, np.uint8))[: copies.size]
        copies = copies ^ noise.reshape(copies.shape)
    damage: DamagedCarrierError | None = None
    for bits in _versions(copies):
        content = np.packbits(bits).tobytes()
        try:
            header = Header.from_bytes(content[:BINARY_LENGTH])
        except NewerCarrierError:
            raise
        except DamagedCarrierError as error:
            if content.startswith(_TRACES):
                damage = error
            continue
        places = [positions]
        if header.version == LOCKED_VERSION:
            header = replace(header, lock=lock or _read_lock(pixels))
            places.append(lock_places(*_shape(pixels)))
        crc = int.from_bytes(content[BINARY_LENGTH:], "big")
        agree = bool((copies == bits).all())
        return Stamp(header, agree and crc == _content_crc(pixels, places))
    if damage is not None:
        raise damage
    return None


def _read_lock(pixels: Pixels) -> Lock:
    """The lock in the pixels, by majority of its copies and from each alone.

    Raises:
        DamagedCarrierError: no copy is readable, or there is none.
    """
    records = _read(pixels, lock_places(*_shape(pixels)), LOCK_BITS)
    candidates = [np.packbits(bits).tobytes() for bits in _versions(records)] or [b""]
    for candidate in candidates[:-1]:
        try:
            return Lock.from_bytes(candidate)
        except DamagedCarrierError:
            continue
    return Lock.from_bytes(candidates[-1])


def _read(pixels: Pixels, positions: NDArray[np.intp], length: int) -> NDArray[np.uint8]:
    """Least significant bits, (copies, length)."""
    samples: NDArray[np.uint8] = pixels[np.unravel_index(positions, pixels.shape)]  # of any view
    return (samples & np.uint8(1)).reshape(-1, length)


def _versions(copies: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """What the copies may say: their majority, then each alone; nothing where there is none."""
    if not len(copies):
        return []
    return [(copies.sum(axis=0) * 2 > len(copies)).astype(np.uint8), *copies]


def _bits(content: bytes, veil: bytes | None) -> NDArray[np.uint8]:
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8))
    if veil is None:
        return bits
    return bits ^ np.unpackbits(np.frombuffer(veil, np.uint8))[: bits.size]


def _write(
    flat: NDArray[np.uint8],
    positions: NDArray[np.intp],
    bits: NDArray[np.uint8],
    target: NDArray[Any] | None,
) -> None:
    """Set the least significant bits of some samples, by steps of 1 towards the target."""
    values = flat[positions].astype(np.int16)
    wrong = (values & 1) != bits
    step = 1 - 2 * (values & 1)  # to the other value of the same pair: never leaves 0..255
    if target is not None:
        distance = target[positions].astype(np.float64) - values
        step = np.where(distance > 0, 1, np.where(distance < 0, -1, step))
        step = np.where(values == 0, 1, np.where(values == 255, -1, step))
    flat[positions] = (values + np.where(wrong, step, 0)).astype(np.uint8)


def _shape(pixels: Pixels) -> tuple[int, int, int]:
    height, width = pixels.shape[:2]
    return height, width, 1 if pixels.ndim == 2 else pixels.shape[2]


def _content_crc(pixels: Pixels, places: list[NDArray[np.intp]]) -> int:
    """CRC-32 of all samples, those of the header and the lock counted as 0."""
    flat = copied(pixels).reshape(-1)
    for positions in places:
        flat[positions] = 0
    return zlib.crc32(flat.data)
