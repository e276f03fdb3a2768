"""Codecs at a number of bytes."""

from __future__ import annotations

import pytest
from PIL import features

from iiccli.benchmarking.coders import Avif, Clip, Coder
from iiccli.errors import DamagedCarrierError
from iiccli.evaluation.metrics import psnr
from tests.conftest import moving_clip
from tests.task_models import photograph

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


@pytest.mark.parametrize(
    "coder", [pytest.param(Avif(), marks=needs_avif), Clip("h265")], ids=("avif", "h265")
)
def test_the_finest_that_fits(coder: Coder) -> None:
    pictures = moving_clip(64, 96, 2, seed=4)
    found = {limit: coder.fitted(pictures, limit) for limit in (2500, 9000)}
    quality = {}
    for limit, data in found.items():
        assert data is not None
        assert limit / 3 < len(data) <= limit
        back = coder.decode(data, 2, (96, 64))
        assert [b.shape for b in back] == [(64, 96, 3)] * 2
        quality[limit] = min(psnr(a, b) for a, b in zip(back, pictures, strict=True))
    assert quality[9000] > quality[2500] + 3 > 25
    assert coder.fitted(pictures, 20) is None


def test_av1_there_and_back() -> None:
    coder = Clip("av1")
    pictures = moving_clip(48, 64, 2, seed=4)
    fine, coarse = (coder.encode(pictures, step) for step in (55, 20))
    assert len(fine) > 2 * len(coarse)
    back = coder.decode(fine, 2, (64, 48))
    assert all(psnr(a, b) > 38 for a, b in zip(back, pictures, strict=True))


@needs_avif
def test_gray_by_itself() -> None:
    coder = Avif()
    gray = photograph(48, 64, 1)[..., 0]
    (back,) = coder.decode(coder.encode([gray], 95), 1, (64, 48))
    assert psnr(back[..., 1], gray) > 40


@pytest.mark.parametrize(
    "coder", [pytest.param(Avif(), marks=needs_avif), Clip("h265")], ids=("avif", "h265")
)
def test_damage_is_told(coder: Coder) -> None:
    pictures = [photograph(48, 64, 1)]
    data = coder.encode(pictures, 30)
    for wrong in (data[:20], bytes(len(data)), b""):
        with pytest.raises(DamagedCarrierError, match="damaged"):
            coder.decode(wrong, 1, (64, 48))
    with pytest.raises(DamagedCarrierError, match="damaged"):
        coder.decode(data, 1, (32, 48))
