"""AVIF at the capacity of a carrier."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import features

from iiccli.evaluation.cases import Case
from iiccli.evaluation.metrics import psnr
from iiccli.evaluation.yardstick import Coder, carrier_of, yardstick
from tests.task_models import photograph

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


@pytest.mark.parametrize(("q", "expected"), [(4, 46.37), (8, 40.73)])
def test_a_carrier_full_of_digits(q: int, expected: float) -> None:
    cover = photograph(64, 64, 1).clip(20, 235)
    carrier = carrier_of(cover, q)
    assert carrier.shape == cover.shape
    assert np.abs(carrier.astype(int) - cover).max() == q // 2
    assert np.bincount((carrier % q).ravel()).min() > 0.9 * cover.size / q
    assert psnr(carrier, cover) == pytest.approx(expected, abs=0.1)
    ends = np.array([[0, 255]], np.uint8)
    assert np.abs(carrier_of(ends, q).astype(int) - ends).max() < q


def test_the_best_quality_that_fits() -> None:
    pictures = [photograph(64, 64, 1), photograph(64, 64, 2)]
    coder = Coder()
    small, few = coder.coded(pictures, 3000)
    large, many = coder.coded(pictures, 9000)
    assert 1500 < few <= 3000 < many <= 9000
    for a, b, original in zip(small, large, pictures, strict=True):
        assert psnr(a, original) < psnr(b, original)
    _, most = coder.coded(pictures, 10**9)
    assert most < 64 * 64 * 3 * 2 * 2


@pytest.mark.parametrize(
    ("pictures", "scale", "channels"), [(3, 1, 3), (1, 1, 1), (1, 2, 3), (1, 4, 3)]
)
def test_a_case(pictures: int, scale: int, channels: int) -> None:
    case = Case("it", [photograph(128, 160, seed) for seed in range(pictures)])
    marks = [yardstick(case, q, Coder(), scale=scale, channels=channels) for q in (4, 8)]
    for mark in marks:
        assert (mark.residual_psnr is None) == (pictures > 1)
        assert 0.3 < mark.filled <= 1
        assert 20 < mark.best_psnr < 60
        assert not math.isnan(mark.cover_psnr)
    assert marks[0].cover_psnr > marks[1].cover_psnr + 5
    assert marks[0].alone_psnr < marks[1].alone_psnr
