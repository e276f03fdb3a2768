"""PSNR and SSIM agree with scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from iiccli.evaluation.metrics import luma, psnr, ssim, y_psnr
from tests.conftest import Pixels, moving_clip

SIZES = [(11, 11), (11, 40), (64, 80), (97, 33)]


def pair(size: tuple[int, int], noise: float) -> tuple[Pixels, Pixels]:
    (picture,) = moving_clip(*size, 1, seed=5)
    drawn = np.random.default_rng(0).normal(0, noise, picture.shape)
    return picture, np.clip(picture + drawn, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0.5, 4, 40])
def test_psnr(size: tuple[int, int], noise: float) -> None:
    a, b = pair(size, noise)
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255))
    assert psnr(a, b) == psnr(b, a)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0.5, 4, 40])
def test_ssim(size: tuple[int, int], noise: float) -> None:
    a, b = pair(size, noise)
    expected = structural_similarity(
        a,
        b,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=2,
    )
    assert ssim(a, b) == pytest.approx(expected, abs=1e-7)
    assert ssim(a[..., 0], b[..., 0]) == pytest.approx(ssim(a[..., :1], b[..., :1]))


@pytest.mark.parametrize("border", [0, 2, 4])
def test_psnr_of_luma(border: int) -> None:
    a, b = pair((64, 80), 4)
    inner = np.s_[border : 64 - border, border : 80 - border]
    planes = [rgb2ycbcr(x)[..., 0] for x in (a, b)]
    assert luma(a) == pytest.approx(planes[0])
    expected = peak_signal_noise_ratio(planes[0][inner], planes[1][inner], data_range=255)
    assert y_psnr(a, b, border) == pytest.approx(expected)


def test_the_range_of_luma() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert luma(ends) == pytest.approx(np.array([[16, 235]]), abs=0.01)


def test_a_border_that_would_leave_nothing_stays() -> None:
    a, b = pair((8, 30), 4)
    assert y_psnr(a, b, 4) == y_psnr(a, b)


def test_equal_pictures() -> None:
    a, _ = pair((20, 20), 1)
    assert psnr(a, a) == y_psnr(a, a) == math.inf
    assert ssim(a, a) == pytest.approx(1)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 2), (3, 200), (10, 10)])
def test_pictures_smaller_than_the_window(size: tuple[int, int]) -> None:
    a, b = pair(size, 4)
    assert 0 < ssim(a, b) <= 1
    assert ssim(a, a) == pytest.approx(1)


def test_one_grey_level_everywhere() -> None:
    a = np.full((16, 16, 3), 100, np.uint8)
    assert psnr(a, a + 1) == pytest.approx(48.13, abs=0.01)
    assert psnr(np.zeros_like(a), np.full_like(a, 255)) == 0
