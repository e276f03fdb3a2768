"""Bytes of which some may get lost: a head and a content behind Reed-Solomon codes.

What is lost of a picture is lost in one place. So the bytes of a codeword lie all over it, on a
lattice: every place takes about as little from each of them.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from reedsolo import ReedSolomonError, RSCodec

from iiccli.coding.bits import Ints

HEAD = 64
"""Bytes of the head with its parity."""
HEAD_DATA = 18
"""Of these so many are its own; it survives 23 wrong bytes."""
OWN = HEAD_DATA - 9
"""Of these so many are the caller's; the rest says how the content is kept."""
LONGEST = 255
"""Bytes of a codeword at most."""
LEAST_PARITY = 20
"""At least one byte in so many of a codeword is parity; half as much may be wrong."""
MOST_PARITY = 32
"""Bytes of parity in a codeword at most, and half of it: more would take long."""
SMALLEST = HEAD + 16
"""Bytes that a picture has to hold."""


class BeyondRepairError(Exception):
    """More is wrong than the codes can tell."""


@dataclass(frozen=True)
class Recovered:
    """What was read.

    Attributes:
        head: `OWN` bytes.
        content: as it was.
        repaired: how many bytes were wrong.
    """

    head: bytes
    content: bytes
    repaired: int


class Protection:
    """Puts a head and a content into a fixed number of bytes, and gets them out again.

    The head's bytes lie at even distance; so do those of each codeword of the content.

    Args:
        rows: for each byte of the message, the row of the picture it is in, (size,).
    """

    def __init__(self, rows: Ints) -> None:
        self.size = len(rows)
        if self.size < SMALLEST:
            raise ValueError(f"{self.size} bytes are too few")
        self._head = (2 * np.arange(HEAD) + 1) * self.size // (2 * HEAD)
        body = np.setdiff1d(np.arange(self.size), self._head, assume_unique=True)
        self._count = -(-len(body) // LONGEST)
        self._length = len(body) // self._count
        self._body = body[self._lattice(rows[body])]

    def _lattice(self, rows: Ints) -> Ints:
        """The order in which the body's bytes make up codewords, one after the other.

        Codeword number c takes bytes i of row y with (i + s · y) mod (codewords) near c, with an s
        that makes each row begin at another one, as far as can be from those of the rows above.
        """
        count = self._count
        in_row = len(rows) // (int(rows[-1] - rows[0]) + 1)
        step = ((count * 618034 + 500000) // 1000000 - in_row) % count
        return np.argsort((np.arange(len(rows)) + step * rows) % count, kind="stable")

    @property
    def room(self) -> int:
        """Bytes that the content may have."""
        return self._count * (self._length - self._least)

    @property
    def _least(self) -> int:
        """Bytes of parity in a codeword at least, an even number."""
        return 2 * -(-self._length // (2 * LEAST_PARITY))

    @property
    def _most(self) -> int:
        return min(MOST_PARITY, self._length // 2)

    def write(self, head: bytes, content: bytes) -> bytes:
        """Give the message.

        Args:
            head: `OWN` bytes.
            content: at most `room` bytes.
        """
        spare = self._length - -(-len(content) // self._count)
        parity = min(self._most, spare) // 2 * 2
        room = self._count * (self._length - parity)
        # What fills up looks like noise, as all else does.
        filler = hashlib.shake_128(content).digest(self.size)
        coder = RSCodec(parity, nsize=self._length)
        words = coder.encode(content + filler[: room - len(content)])
        own = head + bytes([parity]) + len(content).to_bytes(4, "big")
        own += zlib.crc32(content).to_bytes(4, "big")
        message = np.frombuffer(filler, np.uint8).copy()
        message[self._head] = np.frombuffer(_head_coder().encode(own), np.uint8)
        message[self._body[: len(words)]] = np.frombuffer(words, np.uint8)
        return message.tobytes()

    def read(self, message: bytes) -> Recovered:
        """Undo `write`, as far as what is wrong can be put right. Nothing is trusted.

        Raises:
            BeyondRepairError: it cannot.
        """
        array = np.frombuffer(message, np.uint8)
        own, wrong = self._read_head(array)
        parity, length = own[OWN], int.from_bytes(own[OWN + 1 : OWN + 5], "big")
        check = int.from_bytes(own[OWN + 5 :], "big")
        inside = self._least <= parity <= self._most
        if not inside or length > self._count * (self._length - parity):
            raise BeyondRepairError("a head that makes no sense")
        words = array[self._body[: self._count * self._length]].tobytes()
        repaired = wrong
        content = _data_of(words, self._length, parity)[:length]
        if zlib.crc32(content) != check:
            try:
                data, _, places = RSCodec(parity, nsize=self._length).decode(words)
            except ReedSolomonError as error:
                raise BeyondRepairError("the content") from error
            content, repaired = bytes(data[:length]), repaired + len(places)
            if zlib.crc32(content) != check:
                raise BeyondRepairError("the content")
        return Recovered(own[:OWN], content, repaired)

    def has_head(self, message: bytes) -> bool:
        """Tell whether a message has a head that can be read, which chance has not."""
        try:
            self._read_head(np.frombuffer(message, np.uint8))
        except BeyondRepairError:
            return False
        return True

    def _read_head(self, message: npt.NDArray[np.uint8]) -> tuple[bytes, int]:
        """The head, and how many of its bytes were wrong.

        Raises:
            BeyondRepairError: too many were.
        """
        try:
            own, _, wrong = _head_coder().decode(message[self._head].tobytes())
        except ReedSolomonError as error:
            raise BeyondRepairError("the head") from error
        return bytes(own), len(wrong)


def _head_coder() -> RSCodec:
    return RSCodec(HEAD - HEAD_DATA, nsize=HEAD)


def _data_of(words: bytes, length: int, parity: int) -> bytes:
    """The codewords' own bytes as they are, without a look at the parity."""
    table = np.frombuffer(words, np.uint8).reshape(-1, length)
    return table[:, : length - parity].tobytes()
