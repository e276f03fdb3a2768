"""Composites: put together, taken apart, put together again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from iiccli.media.compositing import composed, decomposed, on_plain, placed
from tests.media.conftest import smooth

LEVELS = np.arange(256, dtype=np.uint8)
ANY = array_shapes(min_dims=2, max_dims=2, max_side=6).flatmap(
    lambda shape: st.tuples(
        arrays(np.uint8, (*shape, 3)), arrays(np.uint8, (*shape, 3)), arrays(np.uint8, shape)
    )
)


@given(ANY)
def test_composing_rounds_to_the_nearest(layers: tuple[np.ndarray, ...]) -> None:
    foreground, background, alpha = layers
    a = alpha[..., None] / 255
    exact = a * foreground + (1 - a) * background
    assert np.abs(composed(foreground, background, alpha) - exact).max() <= 0.5 + 1e-9


@given(ANY)
def test_recomposing_gives_the_composite_whatever_was_given(
    layers: tuple[np.ndarray, ...],
) -> None:
    """Even where composite, background and alpha have nothing to do with one another."""
    composite, background, alpha = layers
    parts = decomposed(composite, background, alpha)
    assert (composed(parts.foreground, parts.background, parts.alpha) == composite).all()
    assert (parts.foreground[parts.alpha == 0] == 0).all()


@pytest.mark.parametrize("level", [0, 1, 77, 254, 255])
def test_recomposing_every_sample_with_every_alpha(level: int) -> None:
    composite = np.repeat(np.broadcast_to(LEVELS, (256, 256))[..., None], 3, axis=2)
    alpha = np.repeat(LEVELS[:, None], 256, axis=1)
    parts = decomposed(composite, np.full_like(composite, level), alpha)
    assert (composed(parts.foreground, parts.background, parts.alpha) == composite).all()


@given(ANY)
def test_true_layers_come_back(layers: tuple[np.ndarray, ...]) -> None:
    """The background untouched, the foreground as near as its rounding in 8 bits allows."""
    foreground, background, alpha = layers
    alpha = np.where((alpha <= 4) | (alpha >= 251), alpha // 128 * 255, alpha).astype(np.uint8)
    parts = decomposed(composed(foreground, background, alpha), background, alpha)
    assert (parts.alpha == alpha).all()
    assert (parts.background == background).all()
    seen = alpha > 0
    apart = np.abs(parts.foreground.astype(int) - foreground)[seen]
    assert (apart <= np.ceil(127.5 / alpha[seen])[:, None]).all()


def test_a_wrong_background_gives_way_no_further_than_it_must() -> None:
    composite, background = np.full((1, 3, 3), 100, np.uint8), np.full((1, 3, 3), 140, np.uint8)
    parts = decomposed(composite, background, np.array([[0, 51, 255]], np.uint8))
    # a fifth of black over 125.6 is the darkest: 125.6 · 0.8 = 100.5
    assert parts.background[0, :, 0].tolist() == [100, 125, 140]
    assert parts.foreground[0, :, 0].tolist() == [0, 0, 100]


def test_a_high_alpha_rises_rather_than_that_the_background_gives_way() -> None:
    composite, background = np.full((1, 1, 3), 2, np.uint8), np.full((1, 1, 3), 200, np.uint8)
    background[..., 1] = 3
    parts = decomposed(composite, background, np.array([[240]], np.uint8))
    assert (parts.background == background).all()
    assert parts.alpha.tolist() == [[252]]  # 3 · 200 / 255 is 2.4, and rounds to 2
    assert (parts.foreground[..., [0, 2]] == 0).all()


def test_nearly_nothing_and_nearly_all_are_cleaned() -> None:
    alpha = np.array([[0, 4, 5, 250, 251, 255]], np.uint8)
    parts = decomposed(smooth(1, 6), smooth(1, 6), alpha)
    assert parts.alpha.tolist() == [[0, 0, 5, 250, 255, 255]]


def test_placing_cuts_what_reaches_beyond() -> None:
    pixels, alpha = smooth(4, 6), np.full((4, 6), 9, np.uint8)
    canvas, shape, cut = placed(pixels, alpha, (10, 8), (3, 2))
    assert (canvas[2:6, 3:9] == pixels).all()
    assert (shape.sum(), cut) == (9 * 24, 0)
    canvas, shape, cut = placed(pixels, alpha, (10, 8), (-2, 6))
    assert (canvas[6:8, :4] == pixels[:2, 2:]).all()
    assert (shape.sum(), cut) == (9 * 8, 1 - 8 / 24)
    for corner in ((10, 0), (-6, 0), (0, 8), (0, -4), (10**9, -(10**9))):
        canvas, shape, cut = placed(pixels, alpha, (10, 8), corner)
        assert (int(canvas.sum()), int(shape.sum()), cut) == (0, 0, 1)
    canvas, shape, cut = placed(pixels, alpha, (2, 1), (-1, -1))
    assert (canvas == pixels[1:2, 1:3]).all()


def test_on_white() -> None:
    clear, half = np.zeros((2, 2), np.uint8), np.full((2, 2), 128, np.uint8)
    assert (on_plain(smooth(2, 2), clear) == 255).all()
    assert (on_plain(np.zeros((2, 2, 3), np.uint8), half) == 127).all()
