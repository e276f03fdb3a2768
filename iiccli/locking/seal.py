"""Locking a carrier's header, and opening it."""

from __future__ import annotations

import hmac
import os
from dataclasses import replace

import numpy as np

from iiccli.carrier import Header, Pixels, reserved_samples
from iiccli.carrier.header import LOCKED_VERSION
from iiccli.carrier.lock import NONCE, TAG, Lock
from iiccli.errors import PhraseError
from iiccli.locking.key import Key
from iiccli.locking.phrase import Phrase


def new_lock(key: Key) -> Lock:
    """A lock for one carrier, still without its tag."""
    nonce = os.urandom(NONCE)
    return Lock(salt=key.salt, nonce=nonce, check=key.check(nonce), tag=bytes(TAG))


def locked(header: Header, pixels: Pixels, key: Key, lock: Lock) -> Header:
    """The header of a locked carrier, sealed.

    Args:
        header: of the carrier.
        pixels: (h, w, 3) or (h, w), before anything is written into the reserved samples.
        key: gave `lock`.
        lock: see `new_lock`.
    """
    header = replace(header, version=LOCKED_VERSION, lock=lock)
    return replace(header, lock=replace(lock, tag=_tag(header, lock, pixels, key)))


def opened(name: str, lock: Lock, phrase: Phrase | None) -> Key:
    """The key of a locked carrier.

    Args:
        name: of the carrier, for people.
        lock: what it says of its lock.
        phrase: the user's, if any.

    Raises:
        PhraseError: there is none, or it is the wrong one.
    """
    if phrase is None:
        raise PhraseError(
            f"{name} is locked with a pass phrase.", "Give it: --key, --key-file FILE or IIC_KEY."
        )
    key = phrase.key_for(lock)
    if key is None:
        raise PhraseError(
            f"The pass phrase does not open {name}.", "Check it: case and blanks count."
        )
    return key


def is_whole(header: Header, pixels: Pixels, key: Key) -> bool:
    """Tell whether header and pixels are those that were locked."""
    lock = header.lock
    return lock is not None and hmac.compare_digest(_tag(header, lock, pixels, key), lock.tag)


def _tag(header: Header, lock: Lock, pixels: Pixels, key: Key) -> bytes:
    # Of the header what the pixels keep, too: it is the same when the metadata is gone.
    kept = np.array(pixels, order="C")
    height, width = kept.shape[:2]
    channels = 1 if kept.ndim == 2 else 3
    kept[reserved_samples(height, width, channels, locked=True).reshape(kept.shape)] = 0
    shape = b"".join(n.to_bytes(4, "big") for n in (height, width, channels))
    return key.tag(lock.nonce, lock.salt, header.to_bytes()[:-4], shape, kept.data)
