"""Bytes in the lowest bits of a cover."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.benchmarking.room import Room
from iiccli.errors import DamagedCarrierError
from iiccli.evaluation.metrics import psnr
from tests.task_models import photograph


@pytest.mark.parametrize("level", [55.0, 49.9, 46.37, 40.7, 34.8])
@pytest.mark.parametrize("gray", [False, True])
def test_there_and_back_at_the_psnr_wanted(level: float, gray: bool) -> None:
    cover = photograph(80, 100, 1).clip(30, 220)
    cover = cover[..., 0] if gray else cover
    room = Room(cover.shape, level)
    message = np.random.default_rng(0).bytes(room.bytes)
    carrier = room.put(cover, message)
    assert carrier.shape == cover.shape
    assert psnr(carrier, cover) == pytest.approx(level, abs=0.1)
    assert Room(cover.shape, level).take(carrier) == message
    short = room.put(cover, b"short")
    assert room.take(short) == b"short"
    assert psnr(short, cover) == pytest.approx(level, abs=0.1)


def test_it_holds_more_than_two_low_bits_at_their_psnr() -> None:
    room = Room((200, 200, 3), 46.37)
    assert room.moduli == (3, 5)
    bits = 8 * room.bytes / (200 * 200 * 3)
    assert 2.0 < bits < 2.1
    assert Room((200, 200, 3), 49.89).bytes * 8 / 120000 == pytest.approx(np.log2(3), abs=0.02)


def test_black_and_white_stay_inside() -> None:
    cover = np.repeat(np.array([[0], [255]], np.uint8), 60, axis=1).repeat(40, axis=0)
    room = Room(cover.shape, 40.0)
    carrier = room.put(cover, b"it" * 30)
    assert np.abs(carrier.astype(int) - cover).max() < 16
    assert room.take(carrier) == b"it" * 30


def test_what_does_not_fit() -> None:
    room = Room((10, 10), 50.0)
    with pytest.raises(ValueError, match="do not fit"):
        room.put(np.zeros((10, 10), np.uint8), bytes(room.bytes + 1))
    assert Room((10, 10), 100.0).bytes == 0


def test_damage_is_told() -> None:
    room = Room((64, 64, 3), 46.0)
    carrier = room.put(photograph(64, 64, 1), b"message")
    with pytest.raises(DamagedCarrierError, match="length field says"):
        room.take(carrier ^ np.uint8(1))
    with pytest.raises(DamagedCarrierError, match="size is another"):
        room.take(carrier[:60])
