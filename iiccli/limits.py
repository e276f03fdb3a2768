"""How large a picture may be that is read: what stands against decompression bombs.

Like `errors`, a foundation that every layer may use. The limit is one environment variable, so
that it holds in every process and thread; `--max-pixels` sets it for one command.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from iiccli.errors import InputError, UsageError

DEFAULT_MAX_PIXELS: Final = 2**28
"""Width times height: 268 million, more than any camera takes and less than fills memory."""

TOGETHER: Final = 4
"""What a codec keeps in one carrier may together have so many times as many pixels as one picture:
254 frames of 1080p, or 128 of 4K."""

VARIABLE: Final = "IIC_MAX_PIXELS"
"""Environment variable: another limit."""

_pillow = threading.Lock()
_inside = 0
_growing = 0
_before: int | None = None


def max_pixels() -> int:
    """How many pixels a picture, a frame or a carrier may have that is read.

    Raises:
        UsageError: the environment variable holds no number.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return DEFAULT_MAX_PIXELS
    if not (given.isascii() and given.isdigit() and int(given)):
        raise UsageError(
            f"{VARIABLE} is {given!r}, which is no number of pixels.",
            "Give a whole number from 1, such as 400000000.",
        )
    return int(given)


def check_size(name: object, width: int, height: int, limit: int | None = None) -> None:
    """Refuse a picture that is larger than allowed, before memory is taken for it.

    Args:
        name: of the file, for the message.
        width: of the picture.
        height: likewise.
        limit: None takes `max_pixels`.

    Raises:
        InputError: it is larger.
        UsageError: see `max_pixels`.
    """
    if limit is None:
        limit = max_pixels()
    if width * height > limit:
        raise InputError(
            f"{name} has {width}×{height} pixels, {width * height:,} in all; "
            f"at most {limit:,} are read.",
            f"If you trust the file, allow more with --max-pixels or {VARIABLE}.",
        )


def check_together(count: int, width: int, height: int) -> None:
    """Refuse more pictures of one carrier than memory is to be taken for.

    What a codec keeps may be small and its pictures large, as many as a header can count.

    Args:
        count: of the pictures.
        width: of each.
        height: likewise.

    Raises:
        InputError: together they have more pixels than `TOGETHER` pictures may.
        UsageError: see `max_pixels`.
    """
    limit = TOGETHER * max_pixels()
    if count * width * height > limit:
        raise InputError(
            f"{count} pictures of {width}×{height} pixels in one carrier have "
            f"{count * width * height:,} in all; at most {limit:,} are taken.",
            f"If you trust them, allow more with --max-pixels or {VARIABLE}: {TOGETHER} times that "
            "many.",
        )


@contextmanager
def own_limit() -> Iterator[None]:
    """Keep Pillow's own limit, a global, from standing in the way of ours.

    It may be nested and used by several threads; the last that leaves puts it back.
    """
    from PIL import Image

    global _inside, _before
    with _pillow:
        if _inside == 0:
            _before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _inside += 1
    try:
        yield
    finally:
        with _pillow:
            _inside -= 1
            if _inside == 0:
                Image.MAX_IMAGE_PIXELS = _before


@contextmanager
def growth_limit() -> Iterator[None]:
    """Have Pillow refuse what turns out larger than allowed after the file was opened.

    Frames of a GIF may reach beyond the size that its beginning tells, and Pillow then takes memory
    for all of it. Only inside `own_limit`.

    Raises:
        UsageError: see `max_pixels`.
    """
    from PIL import Image

    global _growing
    limit = max_pixels()
    with _pillow:
        _growing += 1
        Image.MAX_IMAGE_PIXELS = max(1, limit // 2)  # Pillow refuses from twice as many on
    try:
        yield
    finally:
        with _pillow:
            _growing -= 1
            if _growing == 0:
                Image.MAX_IMAGE_PIXELS = None
