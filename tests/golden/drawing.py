"""Pictures that are drawn by rules alone: the same on every machine, for good."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SIZE = (96, 64)
"""Width and height of what goes into a golden carrier."""


def scene(size: tuple[int, int], seed: int, at: float = 0.0) -> Pixels:
    """A sky, hills, a sun and a striped ball, (H, W, 3); at time `at` the ball has rolled on."""
    width, height = size
    y, x = (axis.astype(np.float64) for axis in np.mgrid[:height, :width])
    phase = 0.7 * seed
    sky = np.stack([90 + 60 * y / height, 130 + 50 * y / height, 190 - 20 * y / height], -1)
    ridge = height * (0.55 + 0.08 * np.sin(6 * x / width + phase) + 0.03 * np.sin(23 * x / width))
    grain = 10 * np.sin(1.7 * x + 0.9 * y + phase) * np.sin(0.6 * x - 1.3 * y)
    meadow = np.stack([70 + grain, 120 + 40 * (y / height) + grain, 60 + 0.5 * grain], -1)
    picture = np.where((y > ridge)[..., None], meadow, sky)
    picture = _disc(picture, x, y, (0.75 * width, 0.2 * height, 0.1 * height), (235, 215, 140))
    radius = 0.22 * height
    centre = (0.3 * width + 2.5 * at, 0.62 * height + 1.0 * at)
    stripes = np.sin((x - centre[0]) * 0.8 + (y - centre[1]) * 0.3) > 0
    ball = np.where(stripes[..., None], (200, 60 + 10 * (seed % 5), 50), (225, 220, 205))
    return np.rint(_disc(picture, x, y, (*centre, radius), ball)).clip(0, 255).astype(np.uint8)


def disc(size: tuple[int, int]) -> Pixels:
    """Alpha of a soft disc in the middle, (H, W)."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    away = np.hypot((x - width / 2) / height, (y - height / 2) / height)
    return np.rint(255 * np.clip((0.35 - away) * 14, 0, 1)).astype(np.uint8)


def _disc(
    picture: Floats,
    x: Floats,
    y: Floats,
    place: tuple[float, float, float],
    colour: object,
) -> Floats:
    """A picture with a disc at (x, y, radius) whose edge is soft."""
    share = np.clip(place[2] - np.hypot(x - place[0], y - place[1]) + 0.5, 0, 1)[..., None]
    blended: Floats = picture * (1 - share) + np.asarray(colour, np.float64) * share
    return blended
