"""From a pass phrase and a salt to keys, and what they are used for."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from iiccli.carrier.lock import CHECK, TAG
from iiccli.locking.uniform import uniform
from iiccli.room import room

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**16, 8, 1
"""64 MiB and about a fifth of a second for each guess (RFC 7914); part of the carrier format."""

_KEY = 32


class Key:
    """What one pass phrase and one salt give. Making one takes about a fifth of a second.

    Args:
        phrase: the pass phrase, any bytes.
        salt: 16 random bytes.
    """

    def __init__(self, phrase: bytes, salt: bytes) -> None:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        derive = Scrypt(salt=salt, length=_KEY, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
        self.salt = salt
        self._master = derive.derive(phrase)

    def check(self, nonce: bytes) -> bytes:
        """8 bytes that no other key gives for this nonce, but by chance."""
        return hmac.digest(self._subkey("check"), nonce, sha256)[:CHECK]

    def tag(self, nonce: bytes, *parts: bytes | memoryview) -> bytes:
        """16 bytes of HMAC-SHA256 over nonce and parts, one after the other."""
        digest = hmac.new(self._subkey("tag"), nonce, sha256)
        for part in parts:
            digest.update(part)
        return digest.digest()[:TAG]

    def pad(
        self, nonce: bytes, shape: tuple[int, int, int], moduli: Sequence[int]
    ) -> npt.NDArray[np.uint8]:
        """What is added to the digits of a carrier.

        Args:
            nonce: of the carrier.
            shape: (h, w, c) of the carrier.
            moduli: of the c channels.

        Returns:
            (h, w, c), uniform in 0..q-1.
        """
        pad = room(shape, np.uint8)
        for channel, q in enumerate(moduli):
            stream = self._stream(f"digits {channel}", nonce)
            pad[..., channel] = uniform(stream, shape[0] * shape[1], q).reshape(shape[:2])
        return pad

    def veil(self, nonce: bytes, length: int) -> bytes:
        """Bytes that a header in the pixels is combined with (XOR) where nobody is to see it."""
        return self._stream("veil", nonce)(length)

    def _stream(self, purpose: str, nonce: bytes) -> Callable[[int], bytes]:
        """The bytes of ChaCha20 (RFC 8439), from block 0 on."""
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

        algorithm = ChaCha20(self._subkey(purpose), bytes(4) + nonce)
        encryptor = Cipher(algorithm, mode=None).encryptor()
        return lambda count: encryptor.update(bytes(count))

    def _subkey(self, purpose: str) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

        return HKDFExpand(SHA256(), _KEY, f"iic {purpose}".encode()).derive(self._master)
