"""What a carrier should look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from iiccli.inference.covers import LUMA, cover_of
from tests.adaptive_models import coloured


def test_at_full_size_in_colour_it_is_the_picture():
    picture = coloured(9, 12)
    assert (cover_of(picture) == picture).all()


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 2, 4]), st.sampled_from([1, 3]))
def test_any_size_is_rounded_up(height, width, scale, channels):
    cover = cover_of(coloured(height, width), scale, channels)
    assert cover.dtype == np.uint8
    assert cover.shape[:2] == (-(-height // scale), -(-width // scale))
    assert cover.shape[2:] == ((3,) if channels == 3 else ())


@pytest.mark.parametrize("scale", [2, 4])
def test_smaller_is_bicubic_as_pillows(scale):
    picture = coloured(64, 96)
    size = (96 // scale, 64 // scale)
    planes = [Image.fromarray(picture[..., c].astype(np.float32)) for c in range(3)]
    smaller = [np.asarray(p.resize(size, Image.Resampling.BICUBIC)) for p in planes]
    difference = np.abs(cover_of(picture, scale) - np.stack(smaller, -1))
    assert difference.max() < 0.501


def test_borders_are_repeated_where_the_size_is_no_multiple():
    picture = np.full((5, 7, 3), 77, np.uint8)
    assert (cover_of(picture, 4) == 77).all()


def test_gray_is_the_luma_rounded():
    picture = coloured(20, 30)
    wanted = np.rint(picture @ np.array(LUMA))
    assert (cover_of(picture, channels=1) == wanted).all()
    pure = np.eye(3, dtype=np.uint8)[None] * 255
    assert cover_of(pure, channels=1).tolist() == [[76, 150, 29]]
    assert sum(LUMA) == pytest.approx(1)
