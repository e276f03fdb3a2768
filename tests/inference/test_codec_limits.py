"""Codec carriers that claim more than they hold: what is allocated is what they hold."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier, write_carrier
from iiccli.coding.protection import Protection
from iiccli.coding.whole import Whole
from iiccli.errors import DamagedCarrierError, InputError
from iiccli.inference import codec
from iiccli.inference.codec import CodecConverter
from iiccli.inference.places import put_digits
from iiccli.limits import TOGETHER, check_together
from iiccli.media import av1
from iiccli.tasks.models import Codec, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures
from tests.conftest import Pixels, moving_clip

HEIGHT, WIDTH = 96, 128
MOST = 254


def made_by_hand(claimed: int, frames: int) -> tuple[Pixels, np.ndarray]:
    """A carrier whose head claims so many pictures, whatever is in its stream; and what is free."""
    pictures = moving_clip(HEIGHT, WIDTH, frames, (2, 1), seed=5)
    free = np.ones((HEIGHT, WIDTH, 3), bool)
    whole = Whole(free, (4, 4, 4))
    head = codec._HEAD.pack(1, 1, claimed, WIDTH, 0, HEIGHT, 0)
    stream = av1.encode(pictures, 40, moving=True)
    numbers, used = whole.write(Protection(whole.rows).write(head, stream))
    return put_digits(pictures[0], numbers, used, (4, 4, 4)), free


def test_the_sum_of_pixels_is_bounded_before_anything_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carrier, free = made_by_hand(MOST, 1)
    monkeypatch.setattr(av1, "decode", lambda *_: pytest.fail("it must not be decoded"))
    monkeypatch.setenv("IIC_MAX_PIXELS", str(HEIGHT * WIDTH))
    converter = CodecConverter("video", MOST + 1)
    with pytest.raises(InputError, match="254 pictures of 128×96 pixels") as caught:
        converter.restore(carrier, (WIDTH, HEIGHT), 1, free)
    assert "--max-pixels" in caught.value.hint


def test_what_is_allocated_is_what_was_decoded() -> None:
    carrier, free = made_by_hand(MOST, 2)
    converter = CodecConverter("video", MOST + 1)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedCarrierError, match="not what its header says"):
            converter.restore(carrier, (WIDTH, HEIGHT), 1, free)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * MOST * 3 * HEIGHT * WIDTH


def test_what_could_not_be_restored_is_not_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = moving_clip(24, 32, TOGETHER + 2, seed=5)
    monkeypatch.setenv("IIC_MAX_PIXELS", str(24 * 32))
    monkeypatch.setattr(av1, "encode", lambda *_, **__: pytest.fail("it must not be encoded"))
    with pytest.raises(InputError, match=f"{TOGETHER + 1} pictures of 32×24"):
        CodecConverter("video", len(frames)).embed(frames, 1, np.ones((24, 32, 3), bool))


def test_as_many_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IIC_MAX_PIXELS", "1000")
    check_together(TOGETHER, 10, 100)
    with pytest.raises(InputError):
        check_together(TOGETHER, 10, 101)
    monkeypatch.delenv("IIC_MAX_PIXELS")
    check_together(MOST, 1920, 1080)


def test_a_file_that_claims_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader(device="cpu")
    frames = moving_clip(HEIGHT, WIDTH, TOGETHER + 2, (2, 1), seed=5)
    pixels, header = embed_pictures(loader.load(Codec("video", len(frames))), frames, 0, "balanced")
    write_carrier(tmp_path / "c.png", pixels, header)
    with Image.open(tmp_path / "c.png") as image:
        assert image.size == (WIDTH, HEIGHT)
    monkeypatch.setenv("IIC_MAX_PIXELS", str(HEIGHT * WIDTH))
    carrier = read_carrier(tmp_path / "c.png")
    with pytest.raises(InputError, match="in one carrier"):
        restore_pictures(loader, carrier)
    monkeypatch.setenv("IIC_MAX_PIXELS", str(2 * HEIGHT * WIDTH))
    assert len(restore_pictures(loader, carrier).pictures) == len(frames)


def test_strips_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = np.random.default_rng(0).integers(0, 4096, (3, 37, 20)).astype(np.uint16)
    whole = av1._picture(planes)
    monkeypatch.setattr("iiccli.room._STRIP", 3 * 50)
    assert (av1._picture(planes) == whole).all()
