from __future__ import annotations

import numpy as np
import pytest

from iiccli.errors import UsageError
from iiccli.media.resize import fit_max_side, fitted_size, resize, resize_back
from tests.conftest import moving_clip, psnr
from tests.media.conftest import smooth


def test_the_longer_side_is_fitted_and_nothing_enlarged() -> None:
    assert fitted_size((400, 300), 100) == (100, 75)
    assert fitted_size((300, 400), 100) == (75, 100)
    assert fitted_size((40, 30), 100) == (40, 30)
    assert fitted_size((1000, 1), 10) == (10, 1)
    assert fitted_size((40, 30), None) == (40, 30)
    assert fit_max_side(smooth(30, 40), 20).shape == (15, 20, 3)


def test_resize_takes_width_then_height_and_is_antialiased() -> None:
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, (16, 8))
    assert small.shape == (8, 16, 3)
    assert np.all(np.abs(small[:, 2:-2].astype(int) - 128) < 16)
    assert resize(stripes[..., 0], (5, 7), method="bicubic").shape == (7, 5)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UsageError):
        resize(smooth(4, 4), (0, 3))
    with pytest.raises(UsageError):
        fit_max_side(smooth(4, 4), 0)


@pytest.mark.parametrize("size", [(40, 30), (61, 50), (100, 70), (200, 141)])
def test_back_at_its_own_size_a_picture_is_nearer_to_what_it_was(size: tuple[int, int]) -> None:
    picture = moving_clip(66, 90, 1, seed=3)[0]
    other = resize(picture, size)
    back = resize_back(other, (90, 66))
    assert psnr(back, picture) > psnr(resize(other, (90, 66)), picture) + 0.2
    assert (resize_back(other[..., 1], (90, 66)) == back[..., 1]).all()
    assert resize_back(picture, (90, 66)) is picture


def test_extremes_stay_in_range() -> None:
    """Overshoot of the correction must not wrap around."""
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::8] = 255
    back = resize_back(resize(stripes, (90, 8)), (64, 8))
    assert np.abs(back.astype(int) - stripes).max() < 64
    with pytest.raises(UsageError):
        resize_back(stripes, (0, 3))
