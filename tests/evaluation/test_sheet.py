"""Preview sheets."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.evaluation.sheet import (
    Panel,
    decibels,
    difference,
    draw,
    embedding_sheet,
    restoration_sheet,
)
from tests.conftest import moving_clip


def test_difference_is_amplified_and_clipped() -> None:
    a, b = np.array([[[0, 10, 200]]], np.uint8), np.array([[[1, 7, 10]]], np.uint8)
    assert difference(a, b).tolist() == difference(b, a).tolist() == [[[8, 24, 255]]]
    assert not difference(a, a).any()


def test_decibels() -> None:
    assert decibels(float("inf")) == "identical"
    assert decibels(40.126) == "40.13 dB"


def test_captions() -> None:
    frames = moving_clip(20, 30, 3)
    cover = frames[1] // 2
    rows = embedding_sheet(frames, frames[1], cover, frames, 1)
    assert [len(row) for row in rows] == [3, 3, 3, 3]
    assert rows[1][0].pixels is frames[1]
    assert rows[1][1].caption.startswith("the carrier: ")
    assert rows[2][0].caption == "restored 1: identical"
    rows = embedding_sheet(frames, frames[1][::2, ::2], cover[::2, ::2], frames, 1)
    assert rows[1][0].caption == "original 2 at 15×10"
    rows = restoration_sheet(cover, frames, 1)
    assert [len(row) for row in rows] == [2, 3, 3]
    assert rows[0][1].caption.startswith("restored 2 minus carrier 8x: ")
    assert len(restoration_sheet(cover[::2], frames, 1)[0]) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (64, 80), (1080, 1920)])
def test_a_sheet_is_of_sensible_size_and_holds_all(size: tuple[int, int]) -> None:
    white = np.full((*size, 3), 255, np.uint8)
    red = np.zeros_like(white)
    red[..., 0] = 255
    sheet = draw([[Panel(red, "one")] * 5, [Panel(white, "two")]], "A title")
    assert sheet.dtype == np.uint8
    assert 420 <= sheet.shape[1] <= 1700
    assert sheet.shape[0] <= 1200
    assert (sheet == (255, 0, 0)).all(axis=2).any()
    assert (sheet == 255).all(axis=2).any()
