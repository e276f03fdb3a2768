"""A pass phrase, as the user gave it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from iiccli.carrier.lock import SALT, Lock
from iiccli.errors import InputError, UsageError
from iiccli.locking.key import Key

SHORT = 10
"""A pass phrase of fewer characters is worth a remark."""

MAX_FILE = 1 << 20
"""Bytes of a key file."""


class Phrase:
    """A pass phrase, which gives keys: for new carriers, and for carriers that are there.

    Args:
        secret: text, or any bytes. Text counts in Unicode's composed form, in UTF-8, so that it
            does not matter on which keyboard it was typed.

    Raises:
        UsageError: it is empty.
    """

    def __init__(self, secret: str | bytes) -> None:
        if isinstance(secret, str):
            secret = unicodedata.normalize("NFC", secret).encode("utf-8", "surrogateescape")
        if not secret:
            raise UsageError("The pass phrase is empty.", "Give one that nobody guesses.")
        self._secret = secret
        self._keys: dict[bytes, Key] = {}
        self._salt: bytes | None = None

    @classmethod
    def from_file(cls, path: Path) -> Phrase:
        """Take all of a file but the end of its last line.

        Raises:
            InputError: it cannot be read, or is far too large.
            UsageError: it is empty.
        """
        try:
            with path.open("rb") as file:
                secret = file.read(MAX_FILE + 1)
        except OSError as error:
            raise InputError(f"The key file {path} cannot be read: {error.strerror}.") from error
        if len(secret) > MAX_FILE:
            raise InputError(f"{path} is too large for a key file.", "At most 1 MiB.")
        secret = secret.removesuffix(b"\n").removesuffix(b"\r")
        try:
            return cls(secret.decode())
        except UnicodeDecodeError:
            return cls(secret)

    @property
    def short(self) -> bool:
        """Whether it is so short that trying all of them is no great work."""
        return len(self._secret) < SHORT

    def new_key(self) -> Key:
        """The key for new carriers; all that this object makes share a salt, not a nonce."""
        if self._salt is None:
            self._salt = os.urandom(SALT)
        return self.key(self._salt)

    def key(self, salt: bytes) -> Key:
        """The key for a salt, derived once."""
        if salt not in self._keys:
            self._keys[salt] = Key(self._secret, salt)
        return self._keys[salt]

    def key_for(self, lock: Lock) -> Key | None:
        """The key that opens a lock; None where this is not the right pass phrase."""
        key = self.key(lock.salt)
        return key if key.check(lock.nonce) == lock.check else None

    def veil(self, lock: Lock, length: int) -> bytes | None:
        """What a veiled header is combined with; None where this is not the right phrase."""
        key = self.key_for(lock)
        return None if key is None else key.veil(lock.nonce, length)

    def __repr__(self) -> str:
        """Never the phrase itself."""
        return "Phrase(…)"
