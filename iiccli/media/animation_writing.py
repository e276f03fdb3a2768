"""Writing animated GIF, WebP and APNG frame by frame.

Pillow's own writers want all frames at once, and merge equal neighbours. Here Pillow encodes
each frame as a still picture, and its compressed data is put into the animated container:
one frame in memory, exactly as many frames as were given, and exact times.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO

from PIL import Image

from iiccli.errors import OutputError
from iiccli.media.resize import Pixels

ANIMATION_SUFFIXES = (".gif", ".webp", ".apng")
"""The suffixes that `write_animation` knows."""

_PALETTE_SIDE = 256


def write_animation(file: Path, frames: Iterable[tuple[Pixels, Fraction]]) -> None:
    """Write `frames`, (H, W, 3) uint8 RGB each with its duration in seconds, looping for ever.

    GIF is reduced to 256 colours for each frame; WebP and APNG are lossless.

    Raises:
        OSError: the system refuses.
        OutputError: the frames are larger than the format allows.
    """
    container = _CONTAINERS[file.suffix.lower()]
    with file.open("wb") as stream:
        writer: _Container | None = None
        shown = Fraction(0)
        for pixels, duration in frames:
            image = Image.fromarray(pixels)
            if writer is None:
                if max(image.size) > container.largest:
                    raise OutputError(
                        f"{image.width}×{image.height} is too large for {file.suffix} "
                        f"({container.largest} pixels a side).",
                        "Write .mp4 or a folder.",
                    )
                writer = container(stream, image.size)
            # Rounding the running time, not each duration, keeps a long animation in time.
            before, shown = shown, shown + duration
            writer.add(image, round(shown / writer.unit) - round(before / writer.unit))
        if writer is not None:
            writer.finish()


class _Container(ABC):
    """An animated file under construction.

    Attributes:
        unit: seconds of one tick, in which durations are given.
        largest: the most pixels a side that the format allows.
    """

    unit = Fraction(1, 1000)
    largest = 65535

    def __init__(self, stream: IO[bytes], size: tuple[int, int]) -> None:
        self.stream = stream
        self.size = size
        self.count = 0

    @abstractmethod
    def add(self, image: Image.Image, ticks: int) -> None:
        """Append one frame, shown for `ticks`."""

    @abstractmethod
    def finish(self) -> None:
        """Complete the file."""


class _Gif(_Container):
    """GIF89a; each frame with its own palette, diffused errors."""

    unit = Fraction(1, 100)

    def add(self, image: Image.Image, ticks: int) -> None:
        # k-means makes the palette much better but takes seconds on a large frame, and a
        # small copy has the same colours.
        small = image.copy()
        small.thumbnail((_PALETTE_SIDE, _PALETTE_SIDE))
        palette = small.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
        still = io.BytesIO()
        image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(still, "GIF")
        data = still.getvalue()
        # Layout: header 6, screen 7 (its 5th byte: palette size), palette, extensions, image.
        bits = data[10] & 7
        palette_end = 13 + 3 * (2 << bits)
        start = palette_end
        while data[start] == 0x21:  # skip extensions: label, then sub-blocks up to an empty one
            start += 2
            while data[start]:
                start += data[start] + 1
            start += 1
        if self.count == 0:
            self.stream.write(b"GIF89a" + struct.pack("<HHBBB", *self.size, 0x70, 0, 0))
            self.stream.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
        delay = min(max(1, ticks), 0xFFFF)
        self.stream.write(b"\x21\xf9\x04\x04" + struct.pack("<H", delay) + b"\0\0")
        # Pillow's image descriptor (10 bytes) points to the global palette: make it local.
        interlace = data[start + 9] & 0x40
        self.stream.write(data[start : start + 9] + bytes([0x80 | interlace | bits]))
        self.stream.write(data[13:palette_end] + data[start + 10 : -1])
        self.count += 1

    def finish(self) -> None:
        self.stream.write(b"\x3b")


class _WebP(_Container):
    """RIFF with VP8X, ANIM and one ANMF for each frame; lossless."""

    largest = 16383

    def add(self, image: Image.Image, ticks: int) -> None:
        still = io.BytesIO()
        image.save(still, "WEBP", lossless=True, quality=50, method=3)
        data = still.getvalue()[12:]  # what follows RIFF, length and WEBP: the VP8L chunk
        width, height = (_u24(side - 1) for side in self.size)
        if self.count == 0:
            self.stream.write(b"RIFF\0\0\0\0WEBP")
            self.stream.write(b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + width + height)
            self.stream.write(b"ANIM" + struct.pack("<I", 6) + b"\xff\xff\xff\xff\0\0")
        head = _u24(0) + _u24(0) + width + height + _u24(min(max(1, ticks), 0xFFFFFF)) + b"\x02"
        self.stream.write(b"ANMF" + struct.pack("<I", len(head) + len(data)) + head + data)
        self.count += 1

    def finish(self) -> None:
        length = self.stream.tell() - 8
        self.stream.seek(4)
        self.stream.write(struct.pack("<I", length))


class _Apng(_Container):
    """PNG with acTL, and fcTL before the data of each frame; lossless."""

    # A tick that divides every usual frame rate, also the NTSC ones, into whole numbers.
    unit = Fraction(1, 120_000)

    def __init__(self, stream: IO[bytes], size: tuple[int, int]) -> None:
        super().__init__(stream, size)
        self._numbers = itertools.count()
        self._control_at = 0

    def add(self, image: Image.Image, ticks: int) -> None:
        still = io.BytesIO()
        image.save(still, "PNG", compress_level=6)
        chunks = _png_chunks(still.getvalue())
        if self.count == 0:
            self.stream.write(b"\x89PNG\r\n\x1a\n")
            self._chunk(b"IHDR", next(body for name, body in chunks if name == b"IHDR"))
            self._control_at = self.stream.tell()
            self._chunk(b"acTL", struct.pack(">II", 0, 0))
        delay = (max(1, ticks) * self.unit).limit_denominator(0xFFFF)
        if delay.numerator > 0xFFFF:
            delay = Fraction(min(round(delay), 0xFFFF))
        control = struct.pack(">IIIII", next(self._numbers), *self.size, 0, 0)
        control += struct.pack(">HHBB", delay.numerator, delay.denominator, 0, 0)
        self._chunk(b"fcTL", control)
        for name, body in chunks:
            if name == b"IDAT" and self.count == 0:
                self._chunk(b"IDAT", body)
            elif name == b"IDAT":
                self._chunk(b"fdAT", struct.pack(">I", next(self._numbers)) + body)
        self.count += 1

    def finish(self) -> None:
        self._chunk(b"IEND", b"")
        self.stream.seek(self._control_at)
        self._chunk(b"acTL", struct.pack(">II", self.count, 0))

    def _chunk(self, name: bytes, body: bytes) -> None:
        self.stream.write(struct.pack(">I", len(body)) + name + body)
        self.stream.write(struct.pack(">I", zlib.crc32(name + body)))


_CONTAINERS: dict[str, type[_Container]] = {".gif": _Gif, ".webp": _WebP, ".apng": _Apng}


def _png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return chunks


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
