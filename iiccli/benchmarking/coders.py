"""What codes the other pictures the classical way: AVIF for stills, AV1 and H.265 for clips."""

from __future__ import annotations

import io
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.errors import DamagedCarrierError
from iiccli.evaluation.metrics import Pixels
from iiccli.media import ffmpeg

_LENGTH = 4


class Coder(ABC):
    """Codes pictures into bytes, at the best quality that fits.

    Attributes:
        steps: settings from the coarsest, 0, to the finest, steps - 1.
    """

    steps: int

    @abstractmethod
    def encode(self, pictures: Sequence[Pixels], step: int) -> bytes:
        """Code pictures of one size, (H, W, 3) or (H, W) uint8 each."""

    @abstractmethod
    def decode(self, data: bytes, count: int, size: tuple[int, int]) -> list[Pixels]:
        """Undo `encode`.

        Args:
            data: perhaps damaged.
            count: of pictures.
            size: width and height of each.

        Raises:
            DamagedCarrierError: nothing can be decoded.
        """

    def fitted(self, pictures: Sequence[Pixels], limit: int) -> bytes | None:
        """The bytes of the finest setting that gives at most so many.

        None where even the coarsest gives more.
        """
        low, high = -1, self.steps - 1
        best: bytes | None = None
        while low < high:
            middle = (low + high + 1) // 2
            data = self.encode(pictures, middle)
            if len(data) <= limit:
                low, best = middle, data
            else:
                high = middle - 1
        return best


class Avif(Coder):
    """AVIF 4:4:4 of each picture by itself, gray as 4:0:0, all at one quality."""

    SPEED = 8
    """Of the encoder, 0 is slowest, 10 fastest: 6 takes three times as long for files of one
    size."""

    steps = 101

    def encode(self, pictures: Sequence[Pixels], step: int) -> bytes:
        """See `Coder.encode`; each file goes behind its length."""
        files = [self._file(picture, step) for picture in pictures]
        return b"".join(len(file).to_bytes(_LENGTH, "big") + file for file in files)

    def decode(self, data: bytes, count: int, size: tuple[int, int]) -> list[Pixels]:
        """See `Coder.decode`."""
        pictures = []
        for _ in range(count):
            length = int.from_bytes(data[:_LENGTH], "big")
            file, data = data[_LENGTH : _LENGTH + length], data[_LENGTH + length :]
            try:
                with Image.open(io.BytesIO(file), formats=["AVIF"]) as image:
                    if image.size != size:
                        raise ValueError("another size")
                    pictures.append(np.array(image.convert("RGB")))
            except Exception as error:  # Pillow raises whatever its decoder does
                raise DamagedCarrierError(
                    "The AVIF in it is damaged and cannot be decoded."
                ) from error
        return pictures

    def _file(self, picture: Pixels, step: int) -> bytes:
        file = io.BytesIO()
        options = {
            "quality": step,
            "subsampling": "4:4:4" if picture.ndim == 3 else "4:0:0",
            "speed": self.SPEED,
        }
        Image.fromarray(np.ascontiguousarray(picture)).save(file, "AVIF", **options)
        return file.getvalue()


class Clip(Coder):
    """Frames as one clip of 10 bits, 4:4:4, BT.709, through the bundled ffmpeg."""

    def __init__(self, codec: str) -> None:
        """Take `av1` (libaom) or `h265` (x265)."""
        self._form, self._options = _CLIPS[codec]
        self._named = codec
        self._worst = 63 if codec == "av1" else 51
        self.steps = self._worst + 1

    def encode(self, pictures: Sequence[Pixels], step: int) -> bytes:
        """See `Coder.encode`."""
        height, width = pictures[0].shape[:2]
        quantiser = self._worst - step
        arguments = ["-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24"]
        arguments += ["-video_size", f"{width}x{height}", "-framerate", "25", "-i", "pipe:0"]
        arguments += ["-vf", f"scale=flags={_FLAGS}:out_color_matrix=bt709:out_range=pc"]
        arguments += ["-pix_fmt", "yuv444p10le", "-color_range", "pc", "-colorspace", "bt709"]
        arguments += [word.format(quantiser) for word in self._options]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip"
            frames = (np.ascontiguousarray(p).data.cast("B") for p in pictures)
            ffmpeg.feed([*arguments, "-f", self._form, f"file:{path}"], frames, path)
            return path.read_bytes()

    def decode(self, data: bytes, count: int, size: tuple[int, int]) -> list[Pixels]:
        """See `Coder.decode`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip"
            path.write_bytes(data)
            arguments = ["-v", "error", "-f", self._form, *ffmpeg.input_options(path)]
            arguments += ["-frames:v", str(count)]
            arguments += ["-vf", f"scale=flags={_FLAGS}:in_color_matrix=bt709:in_range=pc"]
            arguments += ["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
            try:
                status, samples, _ = ffmpeg.read_all(arguments)
            except subprocess.SubprocessError as error:
                raise DamagedCarrierError(f"The {self._named} clip cannot be decoded.") from error
        width, height = size
        if status != 0 or len(samples) != count * height * width * 3:
            raise DamagedCarrierError(
                f"The {self._named} clip in it is damaged and cannot be decoded."
            )
        frames = np.frombuffer(samples, np.uint8).reshape(count, height, width, 3)
        return [frame.copy() for frame in frames]


_FLAGS = "lanczos+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
_CLIPS = {
    "av1": (
        "obu",
        ("-c:v", "libaom-av1", "-crf", "{}", "-b:v", "0", "-cpu-used", "6", "-row-mt", "1"),
    ),
    "h265": (
        "hevc",
        (
            *("-c:v", "libx265", "-crf", "{}", "-preset", "medium"),
            *("-x265-params", "info=0:log-level=error"),
        ),
    ),
}
"""By name: the bare stream that ffmpeg writes, and the encoder's options."""
