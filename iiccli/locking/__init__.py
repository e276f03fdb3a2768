"""Locking what a carrier holds with a pass phrase.

The message of a carrier is whole numbers mod q. To each a number is added, mod q, from a stream
that only the pass phrase gives; uniform numbers plus anything are uniform, so without it the
message is noise. What this protects from, and what not: docs/keys.md. The primitives (scrypt,
HKDF, ChaCha20, HMAC-SHA256) are those of the library `cryptography` and of Python.
"""

from iiccli.locking.phrase import Phrase
from iiccli.locking.seal import KeyedLock

__all__ = ["KeyedLock", "Phrase"]
