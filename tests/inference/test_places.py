"""Digits into a carrier and back, and which of two values equally near is taken."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.evaluation.detecting.statistics import sample_pairs
from iiccli.inference.places import put_digits, take_digits
from tests.conftest import Pixels

HEIGHT, WIDTH = 120, 160
ALL = np.ones((HEIGHT, WIDTH, 3), bool)


@pytest.fixture(scope="module")
def cover() -> Pixels:
    """Smooth, with a little noise, and all values at two of its borders."""
    draw = np.random.default_rng(3)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = np.stack([128 + 90 * np.sin(y / a + x / b) for a, b in ((9, 14), (12, 7), (31, 8))], -1)
    pixels = np.rint(waves + draw.normal(size=waves.shape)).clip(0, 255).astype(np.uint8)
    pixels[:2] = np.arange(WIDTH)[:, None] % 4
    pixels[-2:] = 255 - np.arange(WIDTH)[:, None] % 4
    return pixels


def digits(moduli: tuple[int, ...]) -> np.ndarray:
    draw = np.random.default_rng(4)
    return draw.integers(0, moduli, (HEIGHT, WIDTH, 3)).astype(np.int16)


@pytest.mark.parametrize("moduli", [(4, 4, 4), (2, 3, 8), (64, 4, 5)])
def test_scattering_changes_no_digit_and_no_distance(
    cover: Pixels, moduli: tuple[int, int, int]
) -> None:
    numbers = digits(moduli)
    fixed = put_digits(cover, numbers, ALL, moduli)
    scattered = put_digits(cover, numbers, ALL, moduli, scattered=True)
    assert (take_digits(scattered, moduli) == numbers).all()
    away = [np.abs(carrier.astype(int) - cover) for carrier in (fixed, scattered)]
    assert (away[0] == away[1]).all()
    for channel, q in enumerate(moduli):
        differ = (fixed != scattered)[..., channel]
        assert not differ.any() if q % 2 else 0.3 / q < differ.mean() < 0.7 / q
    assert (put_digits(cover, numbers, ALL, moduli, scattered=True) == scattered).all()


def test_ties_go_up_as_often_as_down_whatever_value_digit_and_channel(cover: Pixels) -> None:
    flat = np.empty_like(cover)
    for value in (100, 101, 102, 103):
        flat[:] = value
        zeros = np.full(cover.shape, (value + 2) % 4, np.int16)
        carrier = put_digits(flat, zeros, ALL, (4, 4, 4), scattered=True).astype(int)
        assert set(np.unique(carrier)) == {value - 2, value + 2}
        up = carrier > value
        assert up.mean(axis=(0, 1)) == pytest.approx(0.5, abs=0.02)
        # No pattern: neighbours and channels agree by chance.
        for one, other in ((up[1:], up[:-1]), (up[:, 1:], up[:, :-1]), (up[..., 1:], up[..., :-1])):
            assert (one == other).mean() == pytest.approx(0.5, abs=0.02)
    assert len(np.unique(put_digits(flat, zeros, ALL, (4, 4, 4)))) == 1


def test_sample_pairs_take_it_for_a_coin(cover: Pixels) -> None:
    draw = np.random.default_rng(5)
    numbers = digits((4, 4, 4))
    fixed = put_digits(cover, numbers, ALL, (4, 4, 4)).astype(int)
    scattered = put_digits(cover, numbers, ALL, (4, 4, 4), scattered=True)
    other = 2 * cover.astype(int) - fixed
    tied = (np.abs(other - cover) == 2) & (other >= 0) & (other <= 255)
    coins = []
    for _ in range(5):
        moved = np.where(tied & (draw.random(cover.shape) < 0.5), other, fixed)
        coins.append(sample_pairs(moved.astype(np.uint8)))
    assert sample_pairs(scattered) == pytest.approx(np.mean(coins), abs=0.03)
    assert sample_pairs(fixed.astype(np.uint8)) != pytest.approx(np.mean(coins), abs=0.06)


def test_what_is_not_used_stays(cover: Pixels) -> None:
    used = np.zeros_like(ALL)
    used[::2] = True
    carrier = put_digits(cover, digits((4, 4, 4)), used, (4, 4, 4), scattered=True)
    assert (carrier[1::2] == cover[1::2]).all()
