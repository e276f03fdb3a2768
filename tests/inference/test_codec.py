"""The codec in place of a network."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.carrier import header_samples
from iiccli.errors import DamagedCarrierError, InputError
from iiccli.inference import codec
from iiccli.inference.codec import MODULI, CodecConverter, fitted
from iiccli.media import av1
from tests.conftest import Pixels, moving_clip, psnr

HEIGHT, WIDTH = 96, 128


@pytest.fixture(scope="module")
def frames() -> list[Pixels]:
    return moving_clip(HEIGHT, WIDTH, 3, (2, 1), seed=5)


@pytest.fixture(scope="module")
def carrier(frames: list[Pixels]) -> Pixels:
    return CodecConverter("video", 3).embed(frames, 1, free())


def free(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return ~header_samples(height, width, 3)


def restore(carrier: Pixels, pictures: int = 3, size: tuple[int, int] = (WIDTH, HEIGHT)):
    return CodecConverter("video", pictures).restore(carrier, size, 1, free())


def test_the_others_come_back_and_the_reference_is_the_carrier(
    frames: list[Pixels], carrier: Pixels
) -> None:
    back = restore(carrier)
    assert back.damaged == 0
    assert back.notes == ()
    assert np.array_equal(back.pictures[0], carrier)
    assert 45.5 < psnr(carrier, frames[0]) < 47.5  # the same as of any carrier mod 4
    assert all(psnr(a, b) > 30 for a, b in zip(back.pictures[1:], frames[1:], strict=True))


def test_samples_of_the_header_are_left_alone(frames: list[Pixels], carrier: Pixels) -> None:
    taken = header_samples(HEIGHT, WIDTH, 3)
    assert np.array_equal(carrier[taken], frames[0][taken])


def test_every_digit_is_about_as_frequent(carrier: Pixels) -> None:
    counts = np.bincount((carrier[free()] % 4).ravel(), minlength=4)
    assert counts.max() < 1.06 * counts.min()


def test_within_the_codes_strength_nothing_is_lost(frames: list[Pixels], carrier: Pixels) -> None:
    painted = carrier.copy()
    painted[40:52, 60:73] = (255, 0, 0)
    back, clean = restore(painted), restore(carrier)
    (note,) = back.notes
    assert "repaired" in note
    for a, b in zip(back.pictures[1:], clean.pictures[1:], strict=True):
        assert np.array_equal(a, b)


def test_beyond_it_all_is_lost_and_that_is_said(carrier: Pixels) -> None:
    painted = carrier.copy()
    painted[20:80, 20:100] = 0
    with pytest.raises(DamagedCarrierError, match="the network would have lost only"):
        restore(painted)
    with pytest.raises(DamagedCarrierError):
        restore(carrier ^ 1)


def test_a_header_that_tells_something_else(carrier: Pixels) -> None:
    for pictures in (2, 4, 200):
        with pytest.raises(DamagedCarrierError, match="not what its header says"):
            restore(carrier, pictures)
    with pytest.raises(DamagedCarrierError, match="not what its header says"):
        restore(carrier, size=(WIDTH, HEIGHT + 1))


def test_a_stream_that_is_not_what_the_head_says(
    frames: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = av1.encode([frames[0][:10, :10]] * 2, 40, moving=True)
    for stream in (b"nothing of the kind", other):
        monkeypatch.setattr(codec, "fitted", lambda *_, stream=stream: (9, stream))
        monkeypatch.setattr(codec.av1, "encode", lambda *_, stream=stream, **__: stream)
        wrong = CodecConverter("video", 3).embed(frames, 1, free())
        with pytest.raises(DamagedCarrierError, match="not what its header says"):
            restore(wrong)


def test_a_later_way_of_coding(frames: list[Pixels], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_VERSION", 2)
    later = CodecConverter("video", 1).embed(frames[:1], 1, free())
    monkeypatch.undo()
    with pytest.raises(DamagedCarrierError, match="does not know"):
        restore(later, 1)


def test_half_size_codes_all_of_them(frames: list[Pixels]) -> None:
    converter = CodecConverter("video", 2, scale=2)
    mask = free(HEIGHT // 2, WIDTH // 2)
    carrier = converter.embed(frames[:2], 2, mask)
    assert carrier.shape == (HEIGHT // 2, WIDTH // 2, 3)
    back = converter.restore(carrier, (WIDTH, HEIGHT), 2, mask)
    assert [p.shape for p in back.pictures] == [frames[0].shape] * 2
    assert psnr(back.pictures[0], frames[0]) > 20


def test_one_picture_alone(frames: list[Pixels]) -> None:
    converter = CodecConverter("video", 1)
    carrier = converter.embed(frames[:1], 0, free())
    (back,) = converter.restore(carrier, (WIDTH, HEIGHT), 0, free()).pictures
    assert np.array_equal(back, carrier)


def test_too_small_or_too_full() -> None:
    tiny = np.zeros((6, 8, 3), np.uint8)
    with pytest.raises(InputError, match="too small"):
        CodecConverter("mono", 2).embed([tiny, tiny], 0, np.ones(tiny.shape, bool))
    noisy = np.random.default_rng(0).integers(0, 256, (8, 20, 24, 3)).astype(np.uint8)
    with pytest.raises(InputError, match="Even at their coarsest"):
        CodecConverter("hide", 8).embed(list(noisy), 0, np.ones((20, 24, 3), bool))


@pytest.mark.parametrize(("task", "scale"), list(MODULI))
def test_moduli_are_those_of_the_models_that_ship(task: str, scale: int) -> None:
    from iiccli.zoo.catalogue import entries

    shipped = [e.card for e in entries() if e.card.network == "adaptive" and e.card.task == task]
    tables = [card.config["moduli"] for card in shipped if card.scale == scale]
    assert tables
    for table in tables:
        assert [tuple(row) for row in table] == list(MODULI[task, scale])


def sizes(scale: float):
    """An encoder whose streams get shorter by the level, and a log of the levels asked for."""
    asked: list[int] = []

    def encode(level: int) -> bytes:
        asked.append(level)
        return bytes(int(scale / (level + 2)))

    return encode, asked


@pytest.mark.parametrize("scale", [900, 14_000, 30_000, 60_000])
def test_few_tries_fill_the_room(scale: float) -> None:
    encode, asked = sizes(scale)
    level, stream = fitted(encode, 1000)
    assert asked.count(level) == 1
    assert len(stream) == int(scale / (level + 2))
    assert len(stream) <= 1000
    assert len(asked) <= 4
    better = [int(scale / (level + 2)) for level in range(av1.COARSEST + 1)]
    assert len(stream) >= 0.9 * max(size for size in better if size <= 1000)


def test_what_hardly_fits_is_found_all_the_same() -> None:
    def encode(level: int) -> bytes:
        return bytes(999 if level == av1.COARSEST else 1001)

    level, stream = fitted(encode, 1000)
    assert (level, len(stream)) == (av1.COARSEST, 999)
    with pytest.raises(InputError):
        fitted(lambda level: bytes(1001), 1000)
