"""The public API: a function for each conversion, restore, evaluate."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.errors import NotACarrierError, OutputExistsError, UsageError
from iiccli.media.clip import open_clip, write_clip
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import load_model, save_model
from tests.conftest import Pixels, moving_clip, psnr
from tests.fast_models import save_fast_models
from tests.tasks.stills import put_still_models


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
        "assert {'embed', 'hide', 'restore', 'evaluate'} <= set(dir(iiccli)); "
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


@pytest.fixture(scope="session")
def all_models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model for every conversion."""
    folder = save_fast_models(tmp_path_factory.mktemp("all-models"))
    put_still_models(folder, tiny_models)
    card, state = load_model(tiny_models / "video-3.v1.safetensors")
    for task in ("mono", "dual"):
        named = replace(card, name=f"{task}.v1", task=task)
        save_model(folder / f"{task}.v1.safetensors", named, state)
    return folder


@pytest.fixture
def every_model(all_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "folders", lambda: iter([all_models]))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three views of one scene."""
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path, pixels in zip(paths, moving_clip(96, 128, 3, (1, 0), seed=2), strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def close(picture: Pixels, path: Path, least: float) -> bool:
    return psnr(picture, np.asarray(Image.open(path).convert("RGB"))) > least


@pytest.mark.usefixtures("every_model")
def test_every_conversion_there_and_back(tmp_path: Path, files: list[Path]) -> None:
    a, b, c = files
    made = iiccli.mononize(a, b, tmp_path / "mono.png")
    assert [output.name for output in made.originals] == ["left", "right"]
    left, right = iiccli.restore(made.path)
    assert close(left, a, 30)
    assert close(right, b, 25)
    iiccli.dual_view(a, None, tmp_path / "dual.png", zoom=2)
    wide, tele = iiccli.restore(tmp_path / "dual.png")
    assert wide.shape == tele.shape == (48, 64, 3)
    iiccli.hide(a, [b, c], tmp_path / "hidden.png", quality="content")
    one, two, cover = iiccli.restore(tmp_path / "hidden.png")
    assert close(one, b, 25)
    assert close(two, c, 25)
    assert close(cover, a, 30)
    iiccli.hide(str(a), str(b), str(tmp_path / "one.png"))
    assert len(iiccli.restore(tmp_path / "one.png", only="secret-1")) == 1


@pytest.mark.usefixtures("every_model")
def test_layers_come_back_with_alpha(tmp_path: Path, files: list[Path]) -> None:
    a, b, _ = files
    mask = np.zeros((96, 128), np.uint8)
    mask[20:70, 30:90] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    iiccli.compose(a, b, tmp_path / "composite.png", alpha=tmp_path / "mask.png")
    background, foreground = iiccli.restore(tmp_path / "composite.png")
    assert (background.shape, foreground.shape) == ((96, 128, 3), (96, 128, 4))
    assert foreground[45, 60, 3] > 200
    report = iiccli.restore(tmp_path / "composite.png", tmp_path / "layers")
    assert (report.task, report.names) == ("layers", ("background", "foreground"))
    assert Image.open(tmp_path / "layers/foreground.png").mode == "RGBA"


@pytest.mark.usefixtures("every_model")
def test_one_picture_there_and_back(tmp_path: Path, files: list[Path]) -> None:
    (a, _, _) = files
    made = iiccli.gray(a, tmp_path / "gray.png")
    assert made.pixels.shape == (96, 128)
    (colour,) = iiccli.restore(made.path)
    assert close(colour, a, 22)
    assert iiccli.rescale(a, tmp_path / "half.png").pixels.shape == (48, 64, 3)
    assert iiccli.rescale(a, tmp_path / "quarter.png", scale=4).pixels.shape == (24, 32, 3)
    report = iiccli.restore(tmp_path / "quarter.png", tmp_path / "back.png")
    assert report.names == ("full",)
    assert Image.open(tmp_path / "back.png").size == (128, 96)
    iiccli.restore(tmp_path / "half.png", f"{tmp_path}/back.d/")
    assert (tmp_path / "back.d/full.png").exists()


@pytest.mark.usefixtures("every_model")
def test_what_restore_refuses(tmp_path: Path, files: list[Path]) -> None:
    made = iiccli.gray(files[0], tmp_path / "gray.png")
    with pytest.raises(UsageError, match="no 'left'"):
        iiccli.restore(made.path, only="left")
    with pytest.raises(UsageError, match="does not come as 'sbs'"):
        iiccli.restore(made.path, tmp_path / "x.png", form="sbs")
    with pytest.raises(OutputExistsError):
        iiccli.gray(files[0], made.path)
    with pytest.raises(UsageError, match="no quality"):
        iiccli.gray(files[0], tmp_path / "g.png", quality="best")
    with pytest.raises(TypeError, match="speed"):
        iiccli.hide(files[0], files[1], tmp_path / "h.png", speed=1)
