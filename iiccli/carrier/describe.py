"""What to tell about a carrier: one sentence for people, one object for programs."""

from __future__ import annotations

from typing import Final

from iiccli.carrier.header import CODEC, JSON, Header
from iiccli.carrier.reader import Carrier

_CONTENTS: Final = {
    "mono": "a stereo pair",
    "dual": "a wide and a near view",
    "layers": "a background and a foreground with its alpha",
    "gray": "a colour picture",
}
"""What comes back from conversions that always give the same."""
MAX_SCALE: Final = 16
"""A picture that is said to be more than so many times larger than its carrier is none."""
_STATES: Final = {
    "whole": "It is whole.",
    "stripped": "Its metadata was stripped, but its pixels are as written: it restores fully.",
    "told": "It does not say so itself.",
    "changed": "Its pixels have changed since it was made: what comes back will be worse.",
}


def contents(header: Header) -> str:
    """Say in a few words what comes back: `5 frames`, `a stereo pair`, `2 hidden pictures`."""
    if header.task == "video":
        return _count(header.valid, "frame")
    if header.task == "hide":
        hidden = header.valid - 1
        return "a hidden picture" if hidden == 1 else f"{hidden} hidden pictures"
    if header.task == "rescale":
        return _large(header)
    if header.task == "layers" and header.valid == 2:
        return "a composite and its background"
    return _CONTENTS.get(header.task) or _count(header.valid, "picture")


def _large(header: Header) -> str:
    """A rescaled picture, with its size if the header tells a possible one."""
    said = header.essentials
    width, height = int.from_bytes(said[:4], "big"), int.from_bytes(said[4:8], "big")
    possible = all(
        small <= large <= MAX_SCALE * small
        for small, large in zip(header.size, (width, height), strict=True)
    )
    return f"a picture of {width} × {height} pixels" if possible else "a larger picture"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sentence(carrier: Carrier) -> str:
    """Say in one sentence what the file is, and in a second in which state."""
    header = carrier.header
    part = f", part {header.part + 1} of {header.parts}" if header.parts > 1 else ""
    what = f"{carrier.path.name} holds {contents(header)}{part}, made by {header.maker}."
    lock = "" if header.lock is None else " It is locked with a pass phrase."
    return f"{what} {_STATES[carrier.state]}{lock}"


def describe(carrier: Carrier) -> dict[str, JSON]:
    """Give all that is known about a carrier, as JSON for `iic inspect --json`.

    Keys whose value is not known (after the metadata was stripped) are there with null;
    `model_hash` then holds the first 16 digits. `method` is `network` or `codec`; a codec needs no
    model: `model` is "codec" and `model_hash` all 0. `part` counts from 0. `notes` is a list of
    sentences.
    """
    header = carrier.header
    height, width = carrier.pixels.shape[:2]
    return {
        "file": str(carrier.path),
        "format": carrier.format,
        "state": carrier.state,
        "sentence": sentence(carrier),
        "contents": contents(header),
        "notes": list(carrier.notes),
        "version": header.version,
        "task": header.task or None,
        "method": header.method,
        "locked": header.lock is not None,
        "model": header.model or (CODEC if header.method == CODEC else None),
        "model_hash": header.model_hash,
        "size": [width, height],
        "size_written": list(header.size),
        "channels": 1 if carrier.pixels.ndim == 2 else 3,
        "alpha": carrier.alpha is not None,
        "pictures": header.pictures,
        "valid": header.valid,
        "reference": header.reference,
        "fps": None if header.fps is None else str(header.fps),
        "durations": None if header.durations is None else list(header.durations),
        "quality": header.quality,
        "part": header.part,
        "parts": header.parts,
        "clip_id": header.clip_id or None,
        "essentials": header.essentials.hex(),
        "extra": header.extra if header.complete else None,
        "pixels_sha256": header.pixels_sha256 or None,
        "attached": {
            "icc": carrier.attached.icc is not None,
            "exif": carrier.attached.exif is not None,
            "xmp": carrier.attached.xmp is not None,
        },
    }
