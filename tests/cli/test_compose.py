"""`iic compose` and `iic decompose`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.media.compositing import composed
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, nothing_new
from tests.conftest import psnr
from tests.tasks.stills import disc, picture, put, put_still_models


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_still_models(tmp_path_factory.mktemp("layer-models"), tiny_models)


@pytest.fixture(autouse=True)
def desk_with_pictures(desk: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)
    put(Path("back.png"), picture(64, 96))
    put(Path("front.png"), np.dstack((picture(40, 50, 1), disc(40, 50))))


def opened(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_there_and_back(iic: Iic) -> None:
    done = iic("compose", "front.png", "back.png", "-o", "c.png", "--position", "-10,20")
    assert done.code == 0
    assert done.err.startswith("note: front.png: 20 % of its area reaches beyond")
    assert done.out.startswith("c.png holds a background and a foreground with its alpha, made by ")
    assert iic("decompose", "c.png", "-o", "layers/").code == 0
    background, foreground = opened("layers/background.png"), opened("layers/foreground.png")
    assert (background.shape, foreground.shape) == ((64, 96, 3), (64, 96, 4))
    assert psnr(background, opened("back.png")) > 28
    shape = np.zeros((64, 96), np.uint8)
    shape[20:60, :40] = disc(40, 50)[:, 10:]
    assert np.abs(foreground[..., 3].astype(int) - shape).mean() < 0.02 * 255
    again = composed(foreground[..., :3], background, foreground[..., 3])
    assert psnr(again, opened("c.png")) > 40
    # `restore` does the same.
    assert iic("restore", "c.png", "-o", "same/").code == 0
    for name in ("background.png", "foreground.png"):
        assert Path("same", name).read_bytes() == Path("layers", name).read_bytes()
    assert iic("decompose", "c.png", "--only", "foreground", "-o", "f.png").code == 0
    assert (opened("f.png") == foreground).all()


def test_a_fitted_foreground_comes_back_at_its_own_size(iic: Iic) -> None:
    done = iic("compose", "front.png", "back.png", "--fit", "pad", "-o", "c.png")
    assert done.code == 0
    words = "note: front.png: resized from 50×40 to 96×64 with borders; when restored it has its "
    assert done.err.startswith(words)
    facts = iic("decompose", "c.png", "-o", "layers/", "--json").json
    assert facts["names"] == ["background", "foreground"]
    assert opened("layers/foreground.png").shape == (40, 50, 4)
    for more in (("--resize",), ("--position", "3,4")):
        made = ("compose", "front.png", "back.png", "--fit", "crop", *more, "-o", "d.png")
        iic(*made).fails(2, f"{more[0]} means nothing", "Leave out --fit")
    assert not Path("d.png").exists()


def test_json_and_preview(iic: Iic) -> None:
    words = ("compose", "front.png", "back.png", "--resize", "--json", "--quiet")
    facts = iic(*words, "--preview", "sheet.png").json
    assert facts["output"] == "front.layers.png"
    assert set(facts["psnr"]["restored"]) == {"background", "foreground"}
    assert facts["alpha_error"]["foreground"] < 0.02
    facts = iic("decompose", "front.layers.png", "--json", "--preview", "two.png").json
    assert facts["names"] == ["background", "foreground"]
    assert Path("front.layers.restored", "foreground.png").exists()


def test_what_cannot_be_composed(iic: Iic) -> None:
    before = set(Path.cwd().rglob("*"))
    iic("compose", "back.png", "back.png").fails(3, "no transparency", "--alpha")
    iic("compose", "front.png", "back.png", "--position", "left").fails(2, "'left' is no position")
    iic("compose", "front.png", "back.png", "--position", "96,0").fails(2, "Nothing of front.png")
    iic("compose", "front.png", "none.png").fails(3, "none.png does not exist")
    iic("compose", "back.png", "back.png", "--alpha", "none.png").fails(3, "none.png does not")
    iic("compose", "front.png", "back.png", "-o", "back.png", "--force").fails(2, "back.png")
    put(Path("mask.png"), disc(64, 96))
    made = ("compose", "back.png", "front.png", "--alpha", "mask.png", "-o", "mask.png", "--force")
    iic(*made).fails(2, "mask.png is one of the inputs")
    nothing_new(Path.cwd(), before | {Path.cwd() / "mask.png"})


def test_what_cannot_be_taken_apart(iic: Iic) -> None:
    iic("decompose", "back.png").fails(4, "back.png is no composite", "iic compose")
    iic("decompose", "none.png").fails(3, "none.png does not exist")
    iic("hide", "back.png", "front.png", "-o", "h.png", "-q")
    iic("decompose", "h.png", "-o", "x/").fails(2, "it holds a hidden picture", "iic restore h.png")
    iic("decompose", "h.png", "-o", "x.png").fails(2, "it holds a hidden picture")
    assert not Path("x").exists()


def test_several_at_once(iic: Iic) -> None:
    Path("in").mkdir()
    for name in ("a", "b"):
        iic("compose", "front.png", "back.png", "-o", f"in/{name}.png")
    iic("hide", "back.png", "back.png", "-o", "in/h.png", "-q")
    done = iic("decompose", "in", "-o", "out/")
    assert done.code == 2
    assert "in/h.png is no composite" in done.err
    assert done.out.splitlines()[-1] == "3 carriers: 2 done, 1 failed."
    assert sorted(str(path) for path in Path("out").rglob("*.png")) == [
        f"out/{name}/{layer}.png" for name in "ab" for layer in ("background", "foreground")
    ]
