"""Locking a carrier's header, and opening it."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from iiccli.carrier import Header, Pixels, reserved_samples
from iiccli.carrier.header import LOCKED_VERSION
from iiccli.carrier.lock import NONCE, TAG, Lock
from iiccli.errors import PhraseError
from iiccli.locking.key import Key
from iiccli.locking.phrase import Phrase
from iiccli.room import copied


@dataclass(frozen=True)
class KeyedLock:
    """A lock, and the key that turns it.

    Attributes:
        key: see there.
        lock: what the carrier says of it.
    """

    key: Key
    lock: Lock

    @classmethod
    def new(cls, phrase: Phrase) -> KeyedLock:
        """A lock for one new carrier, still without its tag."""
        key, nonce = phrase.new_key(), os.urandom(NONCE)
        return cls(key, Lock(salt=key.salt, nonce=nonce, check=key.check(nonce), tag=bytes(TAG)))

    @classmethod
    def opened(cls, name: str, lock: Lock, phrase: Phrase | None) -> KeyedLock:
        """Open the lock of a carrier.

        Args:
            name: of the carrier, for people.
            lock: what it says of it.
            phrase: the user's, if any.

        Raises:
            PhraseError: there is none, or it is the wrong one.
        """
        if phrase is None:
            raise PhraseError(
                f"{name} is locked with a pass phrase.",
                "Give it: --key, --key-file FILE or IIC_KEY.",
            )
        key = phrase.key_for(lock)
        if key is None:
            raise PhraseError(
                f"The pass phrase does not open {name}.", "Check it: case and blanks count."
            )
        return cls(key, lock)

    def pad(self, shape: tuple[int, int, int], moduli: Sequence[int]) -> Pixels:
        """What is added to the digits of the carrier, see `Key.pad`."""
        return self.key.pad(self.lock.nonce, shape, moduli)

    def sealed(self, header: Header, pixels: Pixels) -> Header:
        """The header of the locked carrier, with an authentication tag over both.

        Args:
            header: of the carrier.
            pixels: (h, w, 3) or (h, w); what the reserved samples hold does not matter.
        """
        header = replace(header, version=LOCKED_VERSION, lock=self.lock)
        return replace(header, lock=replace(self.lock, tag=self._tag(header, pixels)))

    def is_whole(self, header: Header, pixels: Pixels) -> bool:
        """Tell whether header and pixels are those that were sealed."""
        return hmac.compare_digest(self._tag(header, pixels), self.lock.tag)

    def _tag(self, header: Header, pixels: Pixels) -> bytes:
        # Of the header what the pixels keep, too: it is the same when the metadata is gone.
        kept = copied(pixels)
        height, width = kept.shape[:2]
        channels = 1 if kept.ndim == 2 else 3
        kept[reserved_samples(height, width, channels, locked=True).reshape(kept.shape)] = 0
        shape = b"".join(n.to_bytes(4, "big") for n in (height, width, channels))
        return self.key.tag(
            self.lock.nonce, self.lock.salt, header.to_bytes()[:-4], shape, kept.data
        )
