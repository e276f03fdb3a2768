"""The public API: embed, restore, evaluate."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.errors import NotACarrierError, OutputExistsError, UsageError
from iiccli.media.clip import open_clip, write_clip
from iiccli.zoo import catalogue
from tests.conftest import Pixels, moving_clip, psnr


@pytest.fixture(autouse=True)
def only_tiny_models(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield tiny_models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.fixture
def frames() -> list[Pixels]:
    return moving_clip(48, 64, 8, (1, 1), seed=1)


@pytest.fixture
def clip(tmp_path: Path, frames: list[Pixels]) -> Path:
    write_clip(tmp_path / "clip", frames, Fraction(25))
    return tmp_path / "clip"


def test_importing_loads_nothing() -> None:
    code = (
        "import iiccli, sys; assert not {'torch', 'numpy', 'PIL'} & set(sys.modules); "
        "assert {'embed', 'restore', 'evaluate'} <= set(dir(iiccli)); "
        "assert callable(iiccli.embed) and 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'embark'"):
        _ = iiccli.embark  # type: ignore[attr-defined]


def test_one_cover(tmp_path: Path, clip: Path, frames: list[Pixels]) -> None:
    target = tmp_path / "cover.png"
    (cover,) = iiccli.embed(clip, target, frames=3, every=2, reference="first", quality="cover")
    assert cover.indices == [0, 2, 4]
    assert (np.asarray(Image.open(target)) == cover.pixels).all()
    pictures = iiccli.restore(target)
    assert len(pictures) == 3
    for picture, index in zip(pictures, cover.indices, strict=True):
        assert psnr(picture, frames[index]) > 28
    report = iiccli.restore(str(target), tmp_path / "back")
    assert (report.pictures, report.states, report.damaged) == (3, ["whole"], 0)
    for path, picture in zip(sorted((tmp_path / "back").iterdir()), pictures, strict=True):
        assert (np.asarray(Image.open(path)) == picture).all()


def test_a_whole_clip(tmp_path: Path, clip: Path, frames: list[Pixels]) -> None:
    covers = iiccli.embed(str(clip), str(tmp_path / "covers"), whole=True, device="cpu", tile=64)
    assert [cover.header.valid for cover in covers] == [5, 3]
    pictures = iiccli.restore([cover.path for cover in reversed(covers)])
    assert len(pictures) == len(frames)
    report = iiccli.restore(tmp_path / "covers", tmp_path / "back.apng", model="video-5")
    assert report.states == ["whole", "whole"]
    back = open_clip(tmp_path / "back.apng")
    for a, b in zip(back.read(range(8)), pictures, strict=True):
        assert (a == b).all()


def test_evaluate(tmp_path: Path, clip: Path) -> None:
    clip.rename(tmp_path / "data")
    (tmp_path / "data" / "clip").mkdir()
    for path in sorted((tmp_path / "data").glob("*.png")):
        path.rename(tmp_path / "data" / "clip" / path.name)
    (result,) = iiccli.evaluate(tmp_path / "data", "video-3", quality="content", first=1)
    assert result.name == "clip"
    assert 40 < result.cover_psnr < 42
    assert 28 < result.others_psnr < 60
    assert 0.8 < result.others_ssim <= 1


def test_errors_are_ours(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / "cover.png"
    iiccli.embed(clip, target)
    with pytest.raises(OutputExistsError):
        iiccli.embed(clip, target)
    iiccli.embed(clip, target, force=True)
    with pytest.raises(UsageError):
        iiccli.embed(clip, tmp_path / "c.png", quality="best")
    with pytest.raises(TypeError, match="speed"):
        iiccli.embed(clip, tmp_path / "c.png", speed=3)
    with pytest.raises(NotACarrierError):
        iiccli.restore(clip / "0001.png")
