"""Preview sheets."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.evaluation.sheet import (
    Panel,
    conversion_sheet,
    decibels,
    difference,
    draw,
    embedding_sheet,
    outputs_sheet,
    restoration_sheet,
    shown,
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
    assert rows[1][0].caption == "original 2 at 15x10"
    rows = restoration_sheet(cover, frames, 1)
    assert [len(row) for row in rows] == [2, 3, 3]
    assert rows[0][1].caption.startswith("restored 2 minus carrier 8x: ")
    assert len(restoration_sheet(cover[::2], frames, 1)[0]) == 1


def test_a_conversion_of_one_picture_takes_two_rows() -> None:
    (photo,) = moving_clip(20, 30, 1)
    gray = photo[..., 1]
    rows = conversion_sheet([("colour", photo, None)], gray, gray // 2, [("colour", photo, None)])
    assert [[panel.caption for panel in row] for row in rows] == [
        ["colour", "restored colour: identical", "its difference, 8x"],
        ["the cover", rows[1][1].caption, "its difference, 8x"],
    ]
    assert rows[1][1].caption.startswith("the carrier: ")
    assert draw(rows, "A title").ndim == 3


def test_a_conversion_of_several_compares_by_name() -> None:
    left, right, other = moving_clip(20, 30, 3)
    originals = [("left", left, None), ("right", right, None)]
    restored = [("right", right, None), ("left", other, None), ("new", other[::2], None)]
    rows = conversion_sheet(originals, left, left, restored)
    assert [len(row) for row in rows] == [2, 3, 3, 2]
    assert rows[2][0].caption == "restored right: identical"
    assert rows[2][1].caption.startswith("restored left: ")
    assert "identical" not in rows[2][1].caption
    assert rows[2][2].caption == "restored new"
    assert not rows[3][0].pixels.any()
    assert [len(row) for row in outputs_sheet(left, restored)] == [1, 3]


def test_what_is_transparent_shows_a_chequered_ground() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, 16:] = 255
    assert shown(red, None) is red
    picture = shown(red, alpha)
    assert (picture[:, 16:] == red[:, 16:]).all()
    assert sorted(np.unique(picture[:, :16])) == [208, 255]
    (row,) = outputs_sheet(red, [("cut", red, alpha)])[1:]
    assert (row[0].pixels == picture).all()


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


def test_rows_are_as_high_as_their_own_pictures() -> None:
    tall, wide = np.zeros((480, 320, 3), np.uint8), np.zeros((200, 320, 3), np.uint8)
    alone = draw([[Panel(wide, "one")]], "A title").shape[0]
    both = draw([[Panel(tall, "two"), Panel(wide, "three")], [Panel(wide, "one")]], "A title")
    apart = draw([[Panel(tall, "two")], [Panel(wide, "one")]], "A title")
    assert both.shape[0] == apart.shape[0]
    assert 480 < both.shape[0] - alone < 530
