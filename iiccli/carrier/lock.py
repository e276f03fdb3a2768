"""What a locked carrier says about its lock; see `iiccli.locking` for what opens it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

from iiccli.errors import DamagedCarrierError

SALT: Final = 16
NONCE: Final = 12
CHECK: Final = 8
TAG: Final = 16
LOCK_LENGTH: Final = SALT + NONCE + CHECK + TAG + 4
"""Length of `Lock.to_bytes`, the CRC included."""

_FIELDS: Final = {"salt": SALT, "nonce": NONCE, "check": CHECK, "tag": TAG}


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The public part of a lock. All four are uniform noise for whoever has no pass phrase.

    Attributes:
        salt: 16 bytes, random; the key is derived from it and the pass phrase.
        nonce: 12 bytes, random, of one carrier alone.
        check: 8 bytes that the right key gives; tells a wrong pass phrase.
        tag: 16 bytes of authentication over header and pixels.

    Raises:
        ValueError: a field is of another length.
    """

    salt: bytes
    nonce: bytes
    check: bytes
    tag: bytes

    def __post_init__(self) -> None:
        """Check the lengths."""
        for name, length in _FIELDS.items():
            value = getattr(self, name)
            if not isinstance(value, bytes) or len(value) != length:
                raise ValueError(f"lock.{name} is not {length} bytes")

    def to_json(self) -> dict[str, str]:
        """Give the fields in hex."""
        return {name: getattr(self, name).hex() for name in _FIELDS}

    @classmethod
    def from_json(cls, value: Any) -> Lock:
        """Read what `to_json` gave.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(value, dict):
            raise ValueError("lock is not an object")
        try:
            fields = {name: bytes.fromhex(value[name]) for name in _FIELDS}
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("lock is not valid") from error
        return cls(**fields)

    def to_bytes(self) -> bytes:
        """Give `LOCK_LENGTH` bytes that end with their CRC-32."""
        body = self.salt + self.nonce + self.check + self.tag
        return body + zlib.crc32(body).to_bytes(4, "big")

    @classmethod
    def from_bytes(cls, data: bytes, *, checked: bool = True) -> Lock:
        """Read what `to_bytes` gave.

        Args:
            data: `LOCK_LENGTH` bytes.
            checked: whether the CRC has to fit; in a veiled carrier it is noise.

        Raises:
            DamagedCarrierError: the length or the CRC is wrong.
        """
        body, crc = data[:-4], data[-4:]
        fits = not checked or zlib.crc32(body) == int.from_bytes(crc, "big")
        if len(data) != LOCK_LENGTH or not fits:
            raise DamagedCarrierError(
                "The carrier's lock is damaged: no pass phrase opens it any more.",
                "Restore from the original carrier file, if you still have it.",
            )
        parts, at = {}, 0
        for name, length in _FIELDS.items():
            parts[name] = body[at : at + length]
            at += length
        return cls(**parts)
