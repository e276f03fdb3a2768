"""Pictures of one size as an AV1 stream in memory, and back: 4:4:4, 12 bits, for fidelity.

Colours are turned into luma and colour differences here, in 12 bits, so that no rounding of a
conversion stands in the way of what the codec could do: eight bits end at 47 dB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from iiccli.errors import InputError, OutputError
from iiccli.media import ffmpeg
from iiccli.media.resize import Pixels
from iiccli.room import strips
from iiccli.temporary import scratch_folder

COARSEST = 63
"""Levels are 0 .. 63; the finest is lossless."""

_LONGEST_LINE = 200
_TOP = 4095
_MIDDLES = np.array([0.0, 2048.0, 2048.0])
_OF_RGB = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)
"""BT.601: an error in any of these planes counts about as much in RGB."""
_TO_RGB = np.linalg.inv(_OF_RGB)

_ENCODER = ("-c:v", "libaom-av1", "-row-mt", "1", "-b:v", "0")
# Speed 4 takes three times as long as 6; it is 0.6 dB better on three DAVIS clips at one level, and
# a little smaller. The tuning turns off what serves the eye and not the PSNR.
_QUICK, _THOROUGH = "6", "4"
_TUNING = ("-aom-params", "tune=psnr:aq-mode=0:deltaq-mode=0:enable-chroma-deltaq=0")
_INTRA = ("-usage", "allintra")

Samples = npt.NDArray[np.uint16]


class StreamError(Exception):
    """A stream cannot be decoded, or is not of the pictures that it should be of."""


def encode(
    pictures: Sequence[Pixels], level: int, *, moving: bool, thorough: bool = False
) -> bytes:
    """Code pictures.

    Args:
        pictures: (H, W, 3) uint8 RGB each, all of one size.
        level: 0 (finest) .. `COARSEST`.
        moving: they are frames of a clip, which may be predicted from one another.
        thorough: take three times as long for what is better, and a little smaller.

    Raises:
        InputError: this ffmpeg has no encoder for AV1.
        OutputError: ffmpeg fails.
    """
    height, width = pictures[0].shape[:2]
    with scratch_folder() as folder:
        file = folder / "pictures.ivf"
        arguments = ["-v", "error", "-f", "rawvideo", "-pixel_format", "yuv444p12le"]
        arguments += ["-video_size", f"{width}x{height}", "-framerate", "25", "-i", "pipe:0"]
        speed = _THOROUGH if thorough else _QUICK
        arguments += [*_ENCODER, "-cpu-used", speed, "-crf", str(level), *_TUNING]
        arguments += () if moving else _INTRA
        arguments += ["-bitexact", "-f", "ivf", f"file:{file}"]
        try:
            ffmpeg.feed(arguments, (_planes(p).data.cast("B") for p in pictures), file)
        except OutputError as error:
            if "ncoder" in error.message:  # Unknown encoder; Error while opening encoder
                raise InputError(
                    "This ffmpeg cannot write AV1 (libaom) with 12 bits.",
                    "Unset IMAGEIO_FFMPEG_EXE to use the bundled one, or leave out --method.",
                ) from error
            raise
        return file.read_bytes()


def decode(stream: bytes, count: int, size: tuple[int, int]) -> list[Pixels]:
    """Decode what `encode` gave; nothing in the stream is trusted.

    Args:
        stream: may be anything.
        count: how many pictures it has to hold.
        size: their width and height; the decoder refuses larger ones.

    Raises:
        StreamError: it does not hold them.
        InputError: ffmpeg cannot be started.
    """
    width, height = size
    length = 3 * height * width * 2
    with scratch_folder() as folder:
        file = folder / "pictures.ivf"
        file.write_bytes(stream)
        arguments = ["-v", "error", "-max_pixels", str(width * height), "-f", "ivf"]
        arguments += [*ffmpeg.input_options(file), "-map", "0:v:0", "-frames:v", str(count)]
        arguments += ["-fps_mode", "passthrough", "-noautoscale", "-f", "yuv4mpegpipe"]
        arguments += ["-strict", "-1", "-pix_fmt", "yuv444p12le", "pipe:1"]
        with ffmpeg.reading(arguments) as (pipe, _):
            heading = pipe.readline(_LONGEST_LINE)
            if not heading.startswith(f"YUV4MPEG2 W{width} H{height} ".encode()):
                raise StreamError("nothing that can be decoded, or pictures of another size")
            found = []
            for _ in range(count):
                mark, data = pipe.readline(_LONGEST_LINE), pipe.read(length)
                if not mark.startswith(b"FRAME") or len(data) != length:
                    raise StreamError("pictures are missing")
                found.append(_picture(np.frombuffer(data, "<u2").reshape(3, height, width)))
            if pipe.read(1):
                raise StreamError("more than there should be")
    return found


def _planes(picture: Pixels) -> Samples:
    """(H, W, 3) RGB as planes of luma and two colour differences, (3, H, W) in 12 bits."""
    result = np.empty((3, *picture.shape[:2]), "<u2")
    for plane, weights, middle in zip(result, _OF_RGB * (_TOP / 255), _MIDDLES, strict=True):
        plane[...] = np.rint(picture @ weights + middle).clip(0, _TOP)
    return result


def _picture(planes: Samples) -> Pixels:
    """Undo `_planes`, some rows at a time, as floats take eight times the memory."""
    _, height, width = planes.shape
    result = np.empty((height, width, 3), np.uint8)
    for rows in strips(result):
        centred = planes[:, rows].transpose(1, 2, 0) - _MIDDLES
        for channel, weights in enumerate(_TO_RGB * (255 / _TOP)):
            result[rows, :, channel] = np.rint(centred @ weights).clip(0, 255)
    return result
