"""PSNR and SSIM agree with scikit-image, and with the formula of the official code."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import correlate
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from iiccli.evaluation.likeness import Likeness, likeness, mean_likeness, mean_psnr
from iiccli.evaluation.metrics import luma, psnr, ssim, y_psnr, y_ssim
from tests.conftest import Pixels, moving_clip

Plane = npt.NDArray[np.float64]

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


def reference_ssim(a: Pixels | Plane, b: Pixels | Plane, **options: int) -> float:
    return float(
        structural_similarity(
            a,
            b,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            **options,
        )
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("noise", [0.5, 4, 40])
def test_ssim(size: tuple[int, int], noise: float) -> None:
    a, b = pair(size, noise)
    assert ssim(a, b) == pytest.approx(reference_ssim(a, b, channel_axis=2), abs=1e-7)
    assert ssim(a[..., 0], b[..., 0]) == pytest.approx(ssim(a[..., :1], b[..., :1]))


def different_pictures() -> list[tuple[Pixels, Pixels]]:
    """Pictures of several kinds: shifted, too bright, blocky, two that have nothing in common."""
    one, two = moving_clip(48, 60, 2, (3, 1), seed=7)
    edges = np.zeros_like(one)
    edges[:, ::7] = (255, 30, 0)
    blocks = np.repeat(np.repeat(one[::4, ::4], 4, axis=0), 4, axis=1)
    bright = np.clip(one * 1.6, 0, 255).astype(np.uint8)
    return [(one, two), (one, bright), (one, blocks), (edges, one), (edges, 255 - edges)]


@pytest.mark.parametrize("number", range(5))
def test_pictures_of_several_kinds(number: int) -> None:
    a, b = different_pictures()[number]
    y_a, y_b = (rgb2ycbcr(x)[..., 0] for x in (a, b))
    found = likeness(a, b)
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255))
    assert found.ssim == pytest.approx(reference_ssim(a, b, channel_axis=2), abs=1e-7)
    assert found.y_psnr == pytest.approx(peak_signal_noise_ratio(y_a, y_b, data_range=255))
    assert found.y_ssim == pytest.approx(reference_ssim(y_a, y_b), abs=1e-7)


def test_the_official_formula() -> None:
    """IRN's and IICNet's: a whole window, whose borders of 5 pixels are cut off the result."""
    a, b = pair((40, 52), 12)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def blurred(plane: Plane) -> Plane:
        result: Plane = correlate(plane, window, mode="mirror")[5:-5, 5:-5]
        return result

    values = []
    for channel in range(3):
        x, y = a[..., channel].astype(float), b[..., channel].astype(float)
        mean_x, mean_y = blurred(x), blurred(y)
        spread = blurred(x**2) - mean_x**2 + blurred(y**2) - mean_y**2
        common = blurred(x * y) - mean_x * mean_y
        c1, c2 = 6.5025, 58.5225
        upper = (2 * mean_x * mean_y + c1) * (2 * common + c2)
        values.append((upper / ((mean_x**2 + mean_y**2 + c1) * (spread + c2))).mean())
    assert ssim(a, b) == pytest.approx(np.mean(values), abs=1e-10)


@pytest.mark.parametrize("border", [0, 2, 4])
def test_psnr_of_luma(border: int) -> None:
    a, b = pair((64, 80), 4)
    inner = np.s_[border : 64 - border, border : 80 - border]
    planes = [rgb2ycbcr(x)[..., 0] for x in (a, b)]
    assert luma(a) == pytest.approx(planes[0])
    expected = peak_signal_noise_ratio(planes[0][inner], planes[1][inner], data_range=255)
    assert y_psnr(a, b, border) == pytest.approx(expected)
    similar = reference_ssim(planes[0][inner], planes[1][inner])
    assert y_ssim(a, b, border) == pytest.approx(similar, abs=1e-7)


def test_the_range_of_luma() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert luma(ends) == pytest.approx(np.array([[16, 235]]), abs=0.01)


def test_gray_is_rgb_of_equal_channels() -> None:
    gray = [x[..., 1] for x in pair((16, 20), 4)]
    colour = [np.repeat(x[..., None], 3, axis=2) for x in gray]
    assert luma(gray[0]) == pytest.approx(luma(colour[0]))
    assert y_psnr(*gray) == pytest.approx(y_psnr(*colour))
    assert likeness(*gray).ssim == pytest.approx(likeness(*colour).ssim)


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


def test_the_window_of_small_pictures() -> None:
    """The largest odd one that fits: 7×7 in 8×30."""
    a, b = pair((8, 30), 4)
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    x, y = a[..., 0].astype(float), b[..., 0].astype(float)
    (mean_x, mean_y, xx, yy, xy) = (
        correlate(plane, window)[3:-3, 3:-3] for plane in (x, y, x * x, y * y, x * y)
    )
    upper = (2 * mean_x * mean_y + 6.5025) * (2 * (xy - mean_x * mean_y) + 58.5225)
    lower = (mean_x**2 + mean_y**2 + 6.5025) * (xx - mean_x**2 + yy - mean_y**2 + 58.5225)
    assert ssim(a[..., 0], b[..., 0]) == pytest.approx((upper / lower).mean())


def test_means_with_equal_pictures() -> None:
    assert mean_psnr([40.0, 50.0]) == 45
    assert mean_psnr([40.0, math.inf]) == 70
    assert mean_psnr([math.inf, math.inf]) == math.inf
    found = mean_likeness([Likeness(40, 0.5, math.inf, 1), Likeness(30, 1, 60, 0.5)])
    assert found == Likeness(35, 0.75, 80, 0.75)
    with pytest.raises(ValueError, match="at least one"):
        mean_likeness([])
