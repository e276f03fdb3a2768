"""Pictures as an AV1 stream, and streams that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from iiccli.errors import InputError
from iiccli.media import av1, ffmpeg
from tests.conftest import Pixels, moving_clip, psnr


@pytest.fixture(scope="module")
def clip() -> list[Pixels]:
    return moving_clip(46, 63, 3, seed=3)


@pytest.fixture(scope="module")
def stream(clip: list[Pixels]) -> bytes:
    return av1.encode(clip, 20, moving=True)


def test_the_finest_level_loses_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (19, 33, 3)).astype(np.uint8)
    (back,) = av1.decode(av1.encode([picture], 0, moving=False), 1, (33, 19))
    assert np.array_equal(back, picture)


@pytest.mark.parametrize("moving", [True, False])
def test_coarser_levels_are_smaller_and_worse(clip: list[Pixels], moving: bool) -> None:
    sizes, figures = [], []
    for level in (8, 40):
        coded = av1.encode(clip, level, moving=moving)
        back = av1.decode(coded, 3, (63, 46))
        sizes.append(len(coded))
        figures.append(np.mean([psnr(a, b) for a, b in zip(back, clip, strict=True)]))
    assert sizes[0] > 1.5 * sizes[1]
    assert figures[0] > figures[1] + 3


def test_a_picture_of_one_pixel() -> None:
    picture = np.array([[[10, 200, 77]]], np.uint8)
    (back,) = av1.decode(av1.encode([picture], 0, moving=False), 1, (1, 1))
    assert np.array_equal(back, picture)


@pytest.mark.parametrize(
    ("count", "size"), [(2, (63, 46)), (4, (63, 46)), (3, (46, 63)), (3, (62, 46)), (3, (630, 460))]
)
def test_other_pictures_than_expected(stream: bytes, count: int, size: tuple[int, int]) -> None:
    if count == 2:  # what is there besides is left aside
        assert len(av1.decode(stream, count, size)) == 2
        return
    with pytest.raises(av1.StreamError):
        av1.decode(stream, count, size)


def test_no_stream(stream: bytes, tmp_path: Path) -> None:
    other = tmp_path / "film.mkv"  # no other container than the one is looked into
    ffmpeg.read_all(["-v", "error", "-f", "lavfi", "-i", "color=s=63x46", "-t", "1", str(other)])
    for wrong in (b"", b"DKIF", stream[:60], stream[: len(stream) // 3], other.read_bytes()):
        with pytest.raises(av1.StreamError):
            av1.decode(wrong, 3, (63, 46))


def test_an_ffmpeg_without_the_encoder(clip: list[Pixels], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av1, "_ENCODER", ("-c:v", "lib-of-nobody"))
    with pytest.raises(InputError, match="cannot write AV1"):
        av1.encode(clip, 20, moving=True)
