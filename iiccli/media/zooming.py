"""How many times nearer one picture of a scene is than another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from iiccli.media.matching import Match, best_match, details
from iiccli.media.resize import Pixels

LEAST, MOST = 1.2, 16.0
"""The zooms that are looked for."""

_COARSE_STEP, _FINE_STEP = 1.05, 1.005
_COARSE_SIDE, _FINE_SIDE = 64, 160
_FINER = 4.0
_REACH = 0.15
"""Of the near picture's sides: how far off the centre it may look."""
_MIN_SIDE = 12
"""Pixels of the wide picture that the near one must show at least, on its shorter side."""


@dataclass(frozen=True)
class ZoomFound:
    """What a search has found.

    Attributes:
        zoom: how many times nearer the second picture is.
        score: how well it fits there, at most 1.
        x: how far to the right of the wide picture's centre the near one looks, as a share of
            what it shows.
        y: the same, downwards.
    """

    zoom: float
    score: float
    x: float
    y: float


def find_zoom(wide: Pixels, near: Pixels) -> ZoomFound:
    """Look where in the middle of `wide` the picture `near` is.

    The near picture is compared with the middle of the wide one at every zoom from `LEAST` to
    `MOST`, first coarsely, then finely around the best.

    Args:
        wide: (H, W, 3) uint8.
        near: (H, W, 3) uint8.
    """
    views = _Views(wide, near)
    most = min(MOST, min(wide.shape[:2]) / _MIN_SIDE)
    count = max(2, math.ceil(math.log(max(most, LEAST) / LEAST, _COARSE_STEP)) + 1)
    coarse = [LEAST * _COARSE_STEP**i for i in range(count)]
    best = max(coarse, key=lambda zoom: views.compare(zoom, _COARSE_SIDE)[0].score)
    fine = [best * _FINE_STEP**i for i in range(-12, 13)]
    scores = [views.compare(zoom, _FINE_SIDE)[0].score for zoom in fine]
    place = int(np.argmax(scores))
    zoom = fine[place] * _FINE_STEP ** _peak(scores, place)
    match, size = views.compare(zoom, _FINE_SIDE)
    return ZoomFound(zoom, match.score, match.x / size[0], match.y / size[1])


def _peak(values: list[float], place: int) -> float:
    """How far beside the largest of evenly spaced values the top of the curve is."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, there, after = values[place - 1 : place + 2]
    bend = before - 2 * there + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


class _Views:
    """Both pictures in gray, to be compared at some zoom."""

    def __init__(self, wide: Pixels, near: Pixels) -> None:
        self.wide = Image.fromarray(wide).convert("L")
        self.near = Image.fromarray(near).convert("L")

    def compare(self, zoom: float, side: int) -> tuple[Match, tuple[int, int]]:
        """How the near picture fits at a zoom, compared at `side` pixels; and its size then."""
        width, height = self.wide.size
        # Up to so many times the pixels that the wide picture has there: shifts are whole pixels.
        scale = min(_FINER, side / (max(width, height) / zoom))
        size = tuple(max(4, round(s / zoom * scale)) for s in (width, height))
        small = self._details(self.near, (0, 0, *self.near.size), size)
        margin = tuple(max(1, round(s * _REACH)) for s in size)
        # The middle of the wide picture with a margin around it, in pixels of the same size.
        around = tuple(s + 2 * m for s, m in zip(size, margin, strict=True))
        half = tuple(
            a * s / zoom / n / 2 for a, s, n in zip(around, (width, height), size, strict=True)
        )
        box = (width / 2 - half[0], height / 2 - half[1], width / 2 + half[0], height / 2 + half[1])
        middle = self._details(self.wide, box, around)
        match = best_match(small, middle, (2 * margin[0], 2 * margin[1]))
        return Match(match.score, match.x - margin[0], match.y - margin[1]), (size[0], size[1])

    @staticmethod
    def _details(image: Image.Image, box: tuple[float, ...], size: tuple[int, ...]) -> Any:
        inside = (
            max(0.0, box[0]),
            max(0.0, box[1]),
            min(image.width, box[2]),
            min(image.height, box[3]),
        )
        # Beyond the picture its border goes on.
        target = [
            max(1, round(s * (inside[i + 2] - inside[i]) / (box[i + 2] - box[i])))
            for i, s in enumerate(size)
        ]
        gray = np.asarray(
            image.resize(
                (target[0], target[1]), Image.Resampling.BILINEAR, box=inside, reducing_gap=3
            ),
            float,
        )
        rest = [size[1] - target[1], size[0] - target[0]]
        gray = np.pad(gray, [(r // 2, r - r // 2) for r in rest], mode="edge")
        return details(gray, max(2, max(size) // 8))
