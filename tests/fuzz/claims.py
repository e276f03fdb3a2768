"""Tiny files that claim to be huge: the heads of pictures, with sides up to what they can say."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from random import Random

from PIL import Image

from iiccli.limits import DEFAULT_MAX_PIXELS
from tests.conftest import moving_clip
from tests.fuzz.mutating import png_of

SIDES = (
    *(1, 2, 3, 640, 2**14 - 1, 2**14, 2**15, 2**16 - 1, 2**16, 65500, 2**20, 2**24 - 1, 2**24),
    *(2**28, 2**30, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 1),
)
HEIGHT, WIDTH = 24, 32
"""Of the honest pictures that are changed."""


def claim(chance: Random) -> bytes:
    """A file of some hundred bytes that claims more pixels than are read by default."""
    write, most = chance.choice(_FORMATS)
    sides = [side for side in SIDES if side <= most]
    while True:
        width, height = chance.choice(sides), chance.choice(sides)
        if width * height > DEFAULT_MAX_PIXELS:
            return write(width, height, chance)


def _png(width: int, height: int, chance: Random) -> bytes:
    depth, colour = chance.choice(((1, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 3), (8, 6)))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, chance.randint(0, 1))
    data = chance.choice((b"", zlib.compress(bytes(100)), zlib.compress(bytes(2**20))))
    frames = [(b"acTL", struct.pack(">II", chance.choice((2, 2**31 - 1)), 0))]
    more = frames if chance.random() < 0.3 else []
    palette = [(b"PLTE", bytes(768))] if colour == 3 else []
    return png_of([(b"IHDR", head), *more, *palette, (b"IDAT", data), (b"IEND", b"")])


def _tiff(width: int, height: int, chance: Random) -> bytes:
    """One strip or tile, of any compression."""
    data = zlib.compress(bytes(300))
    where, grid = 8, chance.random() < 0.3
    tags = {256: width, 257: height, 258: 8, 259: chance.choice((1, 5, 8, 32773, 32946)), 262: 1}
    if grid:
        tags |= {277: 1, 322: chance.choice((16, 2**31)), 323: 16, 324: where, 325: len(data)}
    else:
        rows = chance.choice((1, height))
        tags |= {273: where, 277: 1, 278: rows, 279: chance.choice((len(data), 2**31))}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items())]
    folder = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", where + len(data)) + data + folder


def _webp(width: int, height: int, chance: Random) -> bytes:
    """The canvas of the extended format."""
    flags = chance.choice((0, 2, 16))  # plain, animated, with alpha
    head = struct.pack("<B3x", flags) + (width - 1).to_bytes(3, "little")
    chunks = _riff(b"VP8X", head + (height - 1).to_bytes(3, "little"))
    if flags == 2:
        frame = bytes(6) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks += _riff(b"ANIM", bytes(6))
        chunks += _riff(b"ANMF", frame + bytes(4) + _encoded("WEBP", lossless=True)[12:])
    else:
        chunks += _encoded("WEBP", lossless=True)[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _avif(width: int, height: int, chance: Random) -> bytes:
    """The size stands in a box of its own; as HEIC the same file needs another decoder."""
    content = _swapped(_encoded("AVIF"), struct.pack(">II", WIDTH, HEIGHT), width, height, ">II")
    brand = chance.choice((b"avif", b"heic", b"mif1"))
    return content[:8] + brand + content[12:]


def _jpeg(width: int, height: int, chance: Random) -> bytes:
    options = {"progressive": chance.random() < 0.5}
    sides = struct.pack(">HH", HEIGHT, WIDTH)
    return _swapped(_encoded("JPEG", **options), sides, height, width, ">HH")


def _jpeg2000(width: int, height: int, chance: Random) -> bytes:
    content = _encoded("JPEG2000")
    if chance.random() < 0.8:  # what the box says before the stream does
        content = _swapped(content, struct.pack(">II", HEIGHT, WIDTH), height, width, ">II")
    return _swapped(content, struct.pack(">II", WIDTH, HEIGHT), width, height, ">II")


def _bmp(width: int, height: int, chance: Random) -> bytes:
    return _swapped(_encoded("BMP"), struct.pack("<II", WIDTH, HEIGHT), width, height, "<II")


def _gif(width: int, height: int, chance: Random) -> bytes:
    content = _swapped(_encoded("GIF"), struct.pack("<HH", WIDTH, HEIGHT), width, height, "<HH")
    if chance.random() < 0.5:  # the first frame, too
        content = _swapped(content, struct.pack("<HH", WIDTH, HEIGHT), width, height, "<HH")
    return content


def _ppm(width: int, height: int, chance: Random) -> bytes:
    kind = chance.choice((b"P1", b"P4", b"P5", b"P6"))
    maximum = b"" if kind in (b"P1", b"P4") else b" 255"
    return kind + b" %d %d" % (width, height) + maximum + b"\n" + bytes(50)


def _tga(width: int, height: int, chance: Random) -> bytes:
    kind = chance.choice((2, 10))  # as it is, or in runs
    return struct.pack("<3B5x4xHHBB", 0, 0, kind, width, height, 24, 0) + b"\xff\1\2\3" * 20


def _psd(width: int, height: int, chance: Random) -> bytes:
    return struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, height, width, 8, 3) + bytes(60)


def _swapped(content: bytes, old: bytes, first: int, second: int, form: str) -> bytes:
    assert old in content
    return content.replace(old, struct.pack(form, first, second), 1)


def _encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(moving_clip(HEIGHT, WIDTH, 1)[0]).save(file, kind, **options)
    return file.getvalue()


_FORMATS: tuple[tuple[Callable[[int, int, Random], bytes], int], ...] = (
    (_png, 2**31 - 1),
    (_tiff, 2**32 - 1),
    (_webp, 2**24),
    (_avif, 2**32 - 1),
    (_jpeg, 2**16 - 1),
    (_jpeg2000, 2**32 - 1),
    (_bmp, 2**31 - 1),
    (_gif, 2**16 - 1),
    (_ppm, 2**32 - 1),
    (_tga, 2**16 - 1),
    (_psd, 2**32 - 1),
)
"""What writes each format, and the longest side that it can say."""
