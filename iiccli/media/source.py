"""What every clip is, wherever its frames come from."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from iiccli.errors import UsageError
from iiccli.media.resize import Pixels


@dataclass(frozen=True)
class ClipInfo:
    """The facts of a clip.

    Attributes:
        size: (width, height) in square pixels, upright.
        frames: exactly how many frames `Clip.read` can deliver.
        fps: frames per second; the average where `durations` is given.
        kind: "video" (ffmpeg), "animation" (GIF, WebP, APNG, AVIF) or "frames" (still pictures).
        durations: seconds each frame is shown, if they differ; None at a constant rate.
    """

    size: tuple[int, int]
    frames: int
    fps: Fraction
    kind: Literal["video", "animation", "frames"]
    durations: tuple[float, ...] | None = None

    @property
    def seconds(self) -> float:
        """The length of the clip in seconds."""
        return sum(self.durations) if self.durations else float(self.frames / self.fps)


class Clip(ABC):
    """A sequence of equally large frames that is read as a stream.

    Attributes:
        source: the file, folder or pattern, as it was given.
        info: size, number of frames, rate.
        notes: what was changed or lost while reading, one phrase each.
    """

    def __init__(self, source: str, info: ClipInfo, notes: tuple[str, ...] = ()) -> None:
        self.source = source
        self.info = info
        self.notes = notes

    def read(self, indices: Sequence[int], *, max_side: int | None = None) -> Iterator[Pixels]:
        """Yield the frames at `indices`, each (H, W, 3) uint8 RGB, one at a time.

        Args:
            indices: 0-based, strictly increasing, each below `info.frames`.
            max_side: shrink frames whose longer side has more pixels.

        Raises:
            UsageError: indices out of range or order; `max_side` less than 1.
            InputError: the source changed or cannot be decoded.
        """
        wanted = [int(index) for index in indices]
        if any(after <= before for before, after in itertools.pairwise(wanted)):
            raise UsageError("Frame numbers must increase.")
        if wanted and not (wanted[0] >= 0 and wanted[-1] < self.info.frames):
            raise UsageError(
                f"{self.source} has {self.info.frames} frames; number {wanted[-1]} is not there."
                if wanted[0] >= 0
                else f"A frame number cannot be negative: {wanted[0]}."
            )
        return self._frames(wanted, max_side) if wanted else iter(())

    @abstractmethod
    def _frames(self, wanted: list[int], max_side: int | None) -> Iterator[Pixels]:
        """Yield the frames at the checked, increasing, non-empty `wanted`."""
