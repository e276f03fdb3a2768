"""A codec in place of a network: the message is an AV1 stream behind Reed-Solomon codes.

It needs no model, and nothing of a carrier is used to predict what it holds. What is damaged
beyond the codes' strength is lost as a whole.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence

from iiccli.coding.protection import SMALLEST, BeyondRepairError, Protection
from iiccli.coding.whole import Whole
from iiccli.errors import DamagedCarrierError, InputError
from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.places import put_digits, take_digits
from iiccli.limits import check_together
from iiccli.media import av1
from iiccli.zoo.modelfile import Card

NAME = "codec"

MODULI: Mapping[tuple[str, int], tuple[tuple[int, int, int], ...]] = {
    ("video", 1): ((3, 3, 3), (4, 4, 4), (4, 4, 8)),
    ("video", 2): ((3, 3, 3), (4, 4, 4), (8, 8, 8)),
    ("mono", 1): ((2, 2, 2), (3, 3, 3), (4, 4, 4)),
    ("dual", 1): ((2, 2, 2), (3, 3, 3), (4, 4, 4)),
    ("hide", 1): ((3, 3, 3), (4, 4, 4), (8, 8, 8)),
    ("layers", 1): ((2, 2, 2), (3, 3, 3), (4, 4, 4)),
}
"""By task and scale, for each quality the moduli of red, green and blue: part of the format.

They are those of the models that ship, so that carriers are as close to their covers.
"""

MOVING = "video"
"""The task whose pictures are predicted from one another."""

_VERSION, _AV1 = 1, 1
_HEAD = struct.Struct(">BBBHBHB")  # version, codec, pictures, width (low, high), height (low, high)
_FULL = 0.93
"""A level that fills so much of the room is good enough: the next finer takes 8 % more."""
_FIRST_LEVEL = 12
_TRIES = 4
"""Levels that are tried to fill the room as well as may be; more only where none fits yet."""


class CodecConverter(Converter):
    """AV1 on the pictures of a task; of any number.

    Args:
        task: of the conversion, a first part of a key of `MODULI`.
        pictures: how many there are, the reference among them.
        scale: the carrier is this many times smaller; then the reference is coded, too.

    Raises:
        KeyError: a task and scale for which the codec is not made.
    """

    def __init__(self, task: str, pictures: int, scale: int = 1) -> None:
        self._moduli = MODULI[task, scale]
        self.card = Card(NAME, task, NAME, {"pictures": pictures, "scale": scale})
        self.scale = scale
        self.qualities = len(self._moduli)

    def embed(
        self,
        pictures: Sequence[Pixels],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Pixels:
        """See `Converter.embed`.

        Raises:
            InputError: the carrier has too little room, ffmpeg has no encoder, or the pictures are
                too many to be restored.
        """
        moduli = self._moduli[quality]
        coded = list(pictures[self.scale == 1 :])
        height, width = pictures[0].shape[:2]
        check_together(len(coded), width, height)
        whole = Whole(free, moduli)
        if whole.size < SMALLEST:
            raise InputError(
                f"A carrier of {free.shape[1]}×{free.shape[0]} pixels is too small for a codec.",
                "Leave out --method, or give larger pictures.",
            )
        protection = Protection(whole.rows)
        stream = b""
        if coded:
            moving = self.card.task == MOVING
            level, stream = fitted(
                lambda level: av1.encode(coded, level, moving=moving),
                protection.room,
                lambda share: progress(0.5 * share),
            )
            better = av1.encode(coded, level, moving=moving, thorough=True)
            stream = better if len(better) <= protection.room else stream
            progress(0.9)
        head = _HEAD.pack(
            *(_VERSION, _AV1, len(coded)),
            *(width & 0xFFFF, width >> 16, height & 0xFFFF, height >> 16),
        )
        numbers, used = whole.write(protection.write(head, stream))
        used = used if pad is None else free
        carrier = put_digits(self.cover(pictures[0]), numbers, used, moduli, pad, scattered=True)
        progress(1.0)
        return carrier

    def restore(
        self,
        carrier: Pixels,
        size: tuple[int, int],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Restored:
        """See `Converter.restore`.

        Raises:
            DamagedCarrierError: the message is damaged beyond repair.
            InputError: ffmpeg cannot be started, or the pictures would be too many.
        """
        moduli = self._moduli[quality]
        whole = Whole(free, moduli)
        if whole.size < SMALLEST:
            raise _inconsistent()
        message = whole.read(take_digits(carrier, moduli, pad))
        try:
            found = Protection(whole.rows).read(message)
        except BeyondRepairError as error:
            raise DamagedCarrierError(
                "More of it is damaged than its error correction can repair, and of a codec's "
                "message all is lost then; the network would have lost only the damaged part.",
                "Look for the original file.",
            ) from error
        progress(0.5)
        version, codec, count, *sides = _HEAD.unpack(found.head)
        if version > _VERSION or codec != _AV1:
            raise DamagedCarrierError(
                "Its pictures are coded in a way that this iic does not know.", "Upgrade iic."
            )
        expected = self.card.pictures - (self.scale == 1)
        if count != expected or size != (sides[0] | sides[1] << 16, sides[2] | sides[3] << 16):
            raise _inconsistent()
        check_together(count, *size)
        try:
            coded = av1.decode(found.content, count, size) if count else []
        except av1.StreamError as error:
            raise _inconsistent() from error
        progress(1.0)
        notes: tuple[str, ...] = ()
        if found.repaired:
            noun = "byte" if found.repaired == 1 else "bytes"
            notes = (f"{found.repaired} {noun} of its message were wrong, and were repaired",)
        shown = [carrier] if self.scale == 1 else []
        return Restored([*shown, *coded], 0.0, notes)

    def holds(self, carrier: Pixels, quality: int, free: Mask) -> bool:
        """See `Converter.holds`."""
        whole = Whole(free, self._moduli[quality])
        if whole.size < SMALLEST:
            return False
        message = whole.read(take_digits(carrier, self._moduli[quality]))
        return Protection(whole.rows).has_head(message)

    def moduli(self, quality: int) -> tuple[int, ...]:
        """See `Converter.moduli`."""
        return self._moduli[quality]


def fitted(
    encode: Callable[[int], bytes], room: int, progress: Progress = no_progress
) -> tuple[int, bytes]:
    """The finest level whose stream fits, or nearly that, and the stream.

    Args:
        encode: gives the stream of a level, 0 (finest, largest) .. `av1.COARSEST`.
        room: bytes.
        progress: told the share of the levels that were tried.

    Raises:
        InputError: even the coarsest does not fit.
    """
    finest, coarsest = -1, av1.COARSEST + 1
    level = _FIRST_LEVEL
    best: bytes | None = None
    tried: dict[int, float] = {}
    while finest + 1 < coarsest and (best is None or len(tried) < _TRIES):
        progress(min(1.0, len(tried) / _TRIES))
        stream = encode(level)
        tried[level] = math.log(len(stream) / room)
        if len(stream) <= room:
            coarsest, best = level, stream
            if len(stream) >= _FULL * room:
                break
        else:
            finest = level
        level = _next(tried, finest, coarsest)
    if best is None:
        raise InputError(
            f"Even at their coarsest the pictures take more than the {room} bytes that the carrier "
            "holds.",
            "Leave out --method, choose --quality content, or give fewer pictures.",
        )
    return coarsest, best


def _next(tried: Mapping[int, float], finest: int, coarsest: int) -> int:
    """The level at which the logarithm of the size should just reach the room."""
    # Sizes go about with the logarithm of the level.
    points = sorted(tried.items(), key=lambda point: abs(point[1]))[:2]
    (x, y), slope = points[0], -0.8
    if len(points) == 2:
        run = math.log(points[1][0] + 2) - math.log(x + 2)
        slope = min(-0.3, (points[1][1] - y) / run)
    guess = math.ceil((x + 2) * math.exp(-y / slope) - 2)
    return max(finest + 1, min(coarsest - 1, guess))


def _inconsistent() -> DamagedCarrierError:
    return DamagedCarrierError(
        "Its message is not what its header says.", "Look for the original file."
    )
