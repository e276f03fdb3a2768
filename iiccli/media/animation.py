"""Animated GIF, WebP, APNG and AVIF as clips: frames fully composed, their durations kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.errors import InputError
from iiccli.media.opening import opened, quiet
from iiccli.media.profiles import foreign, in_srgb
from iiccli.media.resize import Pixels, fit_max_side
from iiccli.media.source import Clip, ClipInfo

FORMATS = ("GIF", "WEBP", "PNG", "AVIF")
"""Pillow's names of the formats that are animations if they hold several frames."""

_USUAL_RATES = tuple(
    map(Fraction, ("24", "25", "30", "50", "60", "15", "24000/1001", "30000/1001"))
)
# Milliseconds to which formats round times; APNG has fractions, only floats round them.
_UNITS = {"GIF": 10.0, "PNG": 0.01}
_UNTIMED = 100  # milliseconds; what every browser gives a frame of duration 0


def is_animation(image: Image.Image) -> bool:
    """Tell whether an opened file is an animation of two or more frames."""
    return image.format in FORMATS and _last(image) > _first(image)


class AnimationClip(Clip):
    """An animated picture; transparent parts are shown on white."""

    def __init__(self, path: Path) -> None:
        self._path = path
        milliseconds: list[float] = []
        transparent = False
        with opened(path) as image, quiet():
            first = image.size
            for index in range(_first(image), _last(image) + 1):
                image.seek(index)
                if image.size != first:  # before memory is taken for it
                    raise InputError(
                        f"{path} is damaged: its frames differ in size.", "Export it anew."
                    )
                image.load()  # WebP and AVIF know a frame's duration only once it is decoded
                milliseconds.append(image.info.get("duration", 0) or _UNTIMED)
                transparent = transparent or _is_transparent(image)
            size, format_name = image.size, image.format
            self._icc: bytes | None = image.info.get("icc_profile") or None
        frames = len(milliseconds)
        rate = steady_rate(milliseconds, _UNITS.get(format_name or "", 1))
        info = ClipInfo(
            size=size,
            frames=frames,
            fps=rate or Fraction(1000 * frames / sum(milliseconds)).limit_denominator(1001),
            kind="animation",
            durations=None if rate else tuple(ms / 1000 for ms in milliseconds),
        )
        notes = ["transparent parts are shown on white"] if transparent else []
        if profile := foreign(self._icc):
            notes.append(f"its colours are converted to sRGB from {profile}")
        super().__init__(str(path), info, tuple(notes))

    def _frames(self, wanted: list[int], max_side: int | None) -> Iterator[Pixels]:
        with opened(self._path) as image:
            offset = _first(image)
            for index in wanted:
                with quiet():
                    image.seek(offset + index)
                    frame = in_srgb(on_white(image), self._icc)
                yield frame if max_side is None else fit_max_side(frame, max_side)


def on_white(image: Image.Image) -> Pixels:
    """Return the current frame as (H, W, 3) uint8 RGB, transparent parts on white."""
    if not _is_transparent(image):
        return np.array(image.convert("RGB"))
    whole = image.convert("RGBA")
    ground = Image.new("RGBA", whole.size, "white")
    ground.alpha_composite(whole)
    return np.array(ground.convert("RGB"))


def _is_transparent(image: Image.Image) -> bool:
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return False
    return image.convert("RGBA").getchannel("A").getextrema()[0] != 255


def _first(image: Image.Image) -> int:
    """Number the first frame: an APNG's default image, if it has one, is no part of it."""
    return 1 if getattr(image, "default_image", False) else 0


def _last(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1)) - 1


def steady_rate(milliseconds: Sequence[float], unit: float) -> Fraction | None:
    """Return the constant rate that `milliseconds` per frame stand for, or None if uneven.

    Args:
        milliseconds: how long each frame is shown.
        unit: the step, in milliseconds, to which the format rounds the times of frames.
    """
    frames, total = len(milliseconds), Fraction(sum(milliseconds)).limit_denominator(1000)
    if any(abs(ms - total / frames) >= unit for ms in milliseconds):
        return None
    exact = 1000 * frames / total
    if exact.denominator == 1:
        return exact
    for usual in _USUAL_RATES:
        if abs(1000 * frames / usual - total) <= unit / 2:
            return usual
    return exact.limit_denominator(1001)
