"""How much nearer one picture is than another."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from iiccli.media.zooming import ZoomFound, find_zoom
from tests.conftest import moving_clip

WORLD = moving_clip(480, 640, 1, seed=5)[0]


def look(zoom: float, x: float = 0, y: float = 0, noise: float = 0) -> ZoomFound:
    """Find a part of the world; x and y say how far aside, as a share of what it shows."""
    width, height = 640 / zoom, 480 / zoom
    left, top = 320 - width / 2 + x * width, 240 - height / 2 + y * height
    image, size = Image.fromarray(WORLD), (160, 120)
    wide = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
    box = (left, top, left + width, top + height)
    near = np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=box)).astype(float)
    near += np.random.default_rng(0).normal(0, noise, near.shape)
    return find_zoom(wide, (0.9 * near + 12).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("zoom", [1.25, 3.3, 7])
def test_the_zoom_is_found(zoom: float) -> None:
    found = look(zoom, noise=3)
    assert found.zoom == pytest.approx(zoom, rel=0.02)
    assert found.score > 0.6
    assert abs(found.x) < 0.05
    assert abs(found.y) < 0.05


def test_it_need_not_be_quite_in_the_middle() -> None:
    found = look(2.5, 0.1, -0.06)
    assert found.zoom == pytest.approx(2.5, rel=0.02)
    assert (found.x, found.y) == pytest.approx((0.1, -0.06), abs=0.02)


def test_something_else_is_not_found() -> None:
    other = moving_clip(120, 160, 1, seed=9)[0]
    wide = np.asarray(Image.fromarray(WORLD).resize((160, 120)))
    assert find_zoom(wide, other).score < 0.6


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 5)])
def test_very_little_is_found_nowhere(shape: tuple[int, int]) -> None:
    assert find_zoom(np.zeros((*shape, 3), np.uint8), WORLD[:20, :30]).score < 0.6
