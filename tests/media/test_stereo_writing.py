"""Pairs as people look at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.errors import OutputExistsError
from iiccli.media.stereo_writing import anaglyph, combined, wiggle, write_mpo
from tests.conftest import psnr
from tests.tasks.pairs import views

LEFT, RIGHT = views(60, 90)
GRAY = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


@pytest.mark.parametrize(
    ("form", "shape"),
    [("sbs", (60, 180, 3)), ("sbs-cross", (60, 180, 3)), ("over-under", (120, 90, 3))],
)
def test_views_beside_each_other(form: str, shape: tuple[int, ...]) -> None:
    both = combined(LEFT, RIGHT, form)
    assert both.shape == shape
    first = both[:60, :90]
    assert (first == (RIGHT if form == "sbs-cross" else LEFT)).all()


def test_a_right_view_of_another_size_is_fitted() -> None:
    assert combined(LEFT, RIGHT[:30, :45].copy(), "sbs").shape == (60, 180, 3)
    assert combined(LEFT, RIGHT[:7].copy(), "anaglyph").shape == LEFT.shape


def test_an_anaglyph_of_gray_is_gray() -> None:
    """Each row of the projection sums up to 1, so without depth there is no colour."""
    apart = np.abs(anaglyph(GRAY, GRAY).astype(int) - GRAY)
    assert apart.max() <= 1


def test_red_is_the_left_eye() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    left, right = anaglyph(white, black)[0, 0], anaglyph(black, white)[0, 0]
    assert left[0] > 240
    assert max(left[1:]) < 20
    assert right[0] < 20
    assert min(right[1:]) > 240


def test_a_wiggle_lays_the_scene_upon_itself() -> None:
    left, right = wiggle(LEFT, RIGHT)
    assert left.shape == right.shape == (60, 86, 3)
    assert psnr(left, right) > psnr(LEFT, RIGHT) + 5


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (9, 3)])
def test_a_wiggle_of_very_little(size: tuple[int, int]) -> None:
    left, right = wiggle(LEFT[: size[0], : size[1]].copy(), RIGHT[: size[0], : size[1]].copy())
    assert left.shape == right.shape
    assert left.size


def test_an_mpo_says_that_it_holds_views(tmp_path: Path) -> None:
    file = tmp_path / "x.mpo"
    exif = Image.Exif()
    exif[0x010E] = "a description of some length"
    write_mpo(file, LEFT, RIGHT, exif=exif.tobytes())
    with Image.open(file) as image:
        assert image.format == "MPO"
        kinds = [entry["Attribute"]["MPType"] for entry in image.mpinfo[0xB002]]
        assert all("Disparity" in kind for kind in kinds)
        assert image.getexif()[0x010E] == "a description of some length"
        image.seek(1)
        assert psnr(np.asarray(image.convert("RGB")), RIGHT) > 35
    with pytest.raises(OutputExistsError):
        write_mpo(file, LEFT, RIGHT)
