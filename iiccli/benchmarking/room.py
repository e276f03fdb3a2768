"""The classical way to hide bytes in a picture: digits in the lowest bits, at any wanted PSNR.

A sample is replaced by the nearest number that has a given remainder mod q. For q = 3 that is
ternary embedding, ±1, log2 3 bits a sample; for q = 2^k it is k-bit LSB with the nearest value.
Odd q move a sample by ±(q - 1) / 2 at most and hold the most for what they cost, 2.05 bits at the
PSNR at which two-bit LSB holds 2, so these are taken, two neighbours of them in one picture.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from iiccli.coding.digits import capacity, from_digits, to_digits
from iiccli.errors import DamagedCarrierError
from iiccli.evaluation.metrics import Pixels
from iiccli.networks.invertible.quantise import LEVELS, embed_modulo

_MOST = 63
"""The largest modulus: at 23 dB nobody would call it hidden any more."""
_LENGTH = 4
"""Bytes of the field that says how long a message is."""

Numbers = npt.NDArray[np.int64]


class Room:
    """What the samples of a cover may hold so that its PSNR comes out as wanted.

    Sender and receiver know the shape and the PSNR; which samples come first follows from a seed.

    Attributes:
        moduli: the two that the samples have; 1 holds nothing and changes nothing.
        bytes: how long a message may be.
    """

    def __init__(self, shape: tuple[int, ...], psnr: float, seed: int = 0) -> None:
        """Share the samples out.

        Args:
            shape: of the cover, (h, w, 3) or (h, w).
            psnr: what the carrier shall have against the cover, in dB.
            seed: of the order of samples, and of what fills up.
        """
        count = math.prod(shape)
        error = LEVELS**2 / 10 ** (psnr / 10)
        small = max(q for q in range(1, _MOST, 2) if q == 1 or _error(q) <= error)
        self.moduli = (small, small + 2)
        share = (error - _error(small)) / (_error(small + 2) - _error(small))
        random = np.random.default_rng(seed)
        order = random.permutation(count)
        cut = round(min(share, 1.0) * count)
        self._places = {small: order[cut:], small + 2: order[:cut]}
        self._shape = shape
        self._seed = seed
        bits = sum(capacity(len(p), q) for q, p in self._places.items() if q > 1)
        self.bytes = max(0, bits // 8 - _LENGTH)

    def put(self, cover: Pixels, message: bytes) -> Pixels:
        """Write a message into a cover; what is left of the room is filled at random.

        Args:
            cover: uint8, of the shape told.
            message: at most `bytes` long.

        Returns:
            The carrier, as `cover`.
        """
        if len(message) > self.bytes:
            raise ValueError(f"{len(message)} bytes do not fit into {self.bytes}")
        random = np.random.default_rng(self._seed + 1)
        whole = len(message).to_bytes(_LENGTH, "big") + message
        bits = np.unpackbits(np.frombuffer(whole, np.uint8))
        total = sum(capacity(len(p), q) for q, p in self._places.items() if q > 1)
        bits = np.concatenate((bits, random.integers(0, 2, total - len(bits), dtype=np.uint8)))
        samples = np.ascontiguousarray(cover).reshape(-1).copy()
        begin = 0
        for q, places in self._ordered():
            end = begin + capacity(len(places), q)
            digits = to_digits(bits[begin:end], len(places), q)
            near = torch.from_numpy(samples[places]).float()
            found = embed_modulo(near, torch.from_numpy(digits), q)
            samples[places] = found.round().to(torch.uint8).numpy()
            begin = end
        return samples.reshape(self._shape)

    def take(self, carrier: Pixels) -> bytes:
        """Read the message back.

        Raises:
            DamagedCarrierError: the length that it begins with is impossible.
        """
        if carrier.shape != self._shape:
            raise DamagedCarrierError("Its size is another: no bit is where it was.")
        samples = np.ascontiguousarray(carrier).reshape(-1)
        parts = [from_digits(samples[p].astype(np.int64) % q, q) for q, p in self._ordered()]
        found = np.packbits(np.concatenate(parts)).tobytes() if parts else b""
        length = int.from_bytes(found[:_LENGTH], "big")
        if not parts or length > self.bytes:
            raise DamagedCarrierError(
                f"The length field says {length} bytes, and {self.bytes} fit: it is damaged."
            )
        return found[_LENGTH : _LENGTH + length]

    def _ordered(self) -> list[tuple[int, Numbers]]:
        """The larger modulus first: where there is little room, the length is still in it."""
        return [(q, self._places[q]) for q in sorted(self._places, reverse=True) if q > 1]


def _error(q: int) -> float:
    """Mean squared error of a sample that gets a random remainder mod odd q."""
    return (q * q - 1) / 12
