"""Finding a shift, and telling what is alike from what is not."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.media.matching import best_match, details, small_gray


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, 40, (height, width))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, 2), (-7, 3), (4, -3)])
def test_a_shift_is_found(x: int, y: int) -> None:
    world = noise(60, 80)
    first = world[10:50, 10:70]
    second = world[10 - y : 50 - y, 10 - x : 70 - x]
    match = best_match(first, second, (9, 5))
    assert (match.x, match.y) == (x, y)
    assert match.score == pytest.approx(1)


def test_light_and_contrast_make_no_difference() -> None:
    world = noise(40, 60)
    match = best_match(world[:, 5:55], 0.3 * world[:, 3:53] + 40, (5, 2))
    assert (match.x, match.y, round(match.score, 6)) == (2, 0, 1)


def test_a_small_picture_is_found_in_a_large_one() -> None:
    world = noise(50, 50)
    match = best_match(world[12:30, 9:27], world, (20, 20))
    assert (match.x, match.y) == (9, 12)


def test_other_noise_is_not_alike() -> None:
    assert best_match(noise(50, 50), noise(50, 50, 1), (5, 5)).score < 0.3


@pytest.mark.parametrize("flat", [np.zeros((20, 30)), np.full((20, 30), 255.0)])
def test_nothing_is_like_a_plain_picture(flat: np.ndarray) -> None:
    assert best_match(flat, noise(20, 30), (3, 3)).score == pytest.approx(0, abs=1e-6)
    assert best_match(flat, flat, (3, 3)).score == 0


def test_details_are_what_differs_from_around() -> None:
    ramp = np.add.outer(np.arange(40.0), np.arange(50.0))
    ramp[20, 25] += 100
    left = details(ramp, 3)
    assert left.shape == ramp.shape
    assert left[20, 25] == pytest.approx(100 * 48 / 49)
    assert abs(left[10, 10]) < 1e-9


def test_small_gray_has_the_size_asked_for() -> None:
    assert small_gray(np.full((40, 60, 3), 200, np.uint8), (6, 4)).shape == (4, 6)
