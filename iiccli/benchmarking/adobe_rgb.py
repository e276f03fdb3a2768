"""A colour profile of the Adobe RGB (1998) kind, made from its published numbers.

Pillow makes profiles of sRGB only, and Adobe's own file may not be handed on.
"""

from __future__ import annotations

import struct

_GAMMA = 563 / 256
# Of the primaries and of white, adapted to D50 (Bradford), as ICC profiles keep them.
_RED = (0.60974, 0.31111, 0.01947)
_GREEN = (0.20528, 0.62567, 0.06087)
_BLUE = (0.14919, 0.06322, 0.74457)
_WHITE = (0.9642, 1.0, 0.82491)

_HEAD = struct.Struct(">I4sI4s4s4s6H4s4sI4s4s8sI3I4s44x")
_TAGS_BEGIN = 128


def profile() -> bytes:
    """The profile, ICC version 2: a matrix and one curve for all channels."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(_GAMMA * 256)) + bytes(2)
    tags = {
        b"desc": _description("compatible with Adobe RGB (1998)"),
        b"cprt": b"text" + bytes(4) + b"no copyright, use freely\0",
        b"wtpt": _point(_WHITE),
        b"rXYZ": _point(_RED),
        b"gXYZ": _point(_GREEN),
        b"bXYZ": _point(_BLUE),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    begin = _TAGS_BEGIN + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", begin + len(body), len(data))
        body += data
    white = (round(value * 65536) for value in _WHITE)
    total = begin + len(body)
    head = _HEAD.pack(
        *(total, b"\0" * 4, 0x02100000, b"mntr", b"RGB ", b"XYZ "),
        *(2026, 1, 1, 0, 0, 0),
        *(b"acsp", b"\0" * 4, 0, b"\0" * 4, b"\0" * 4, bytes(8), 1),
        *white,
        b"\0" * 4,
    )
    return head + table + body


def _point(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _description(text: str) -> bytes:
    letters = text.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(letters)) + letters + bytes(78)
