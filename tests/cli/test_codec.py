"""`--method codec`: whole commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.carrier import header
from tests.cli.conftest import Iic
from tests.conftest import psnr
from tests.task_models import disc, photograph, save


@pytest.fixture
def photos(desk: Path) -> Path:
    save(desk / "cover.png", photograph(96, 128, 1))
    save(desk / "secret.png", photograph(70, 90, 2))
    save(desk / "right.png", photograph(96, 128, 3))
    save(desk / "front.png", photograph(60, 60, 4), disc(60, 60))
    return desk


def read(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def stripped(path: Path, to: Path) -> None:
    Image.fromarray(read(path)).save(to)


def test_a_clip(iic: Iic, clips: Path, desk: Path) -> None:
    words = ("--method", "codec", "--every", 1, "--frames", 4, "--preview", "sheet.png")
    made = iic("embed-video", clips / "folder", "-o", "cover.png", *words)
    assert made.code == 0, made
    assert "with a codec" in made.out
    assert (desk / "sheet.png").exists()
    told = iic("inspect", "cover.png")
    assert "made by a codec" in told.out
    assert "no model is needed" in told.out
    facts = iic("inspect", "cover.png", "--json").json
    assert (facts["method"], facts["model"], facts["version"]) == ("codec", "codec", 2)
    assert iic("restore", "cover.png", "-o", "back/").code == 0
    assert len(list((desk / "back").iterdir())) == 4
    stripped(desk / "cover.png", desk / "bare.png")
    assert "Its metadata was stripped" in iic("inspect", "bare.png").out
    assert iic("restore", "bare.png", "-o", "bare/").code == 0
    for name in ("0001.png", "0004.png"):
        assert np.array_equal(read(desk / "back" / name), read(desk / "bare" / name))


def test_a_whole_clip_at_half_size(iic: Iic, clips: Path, desk: Path) -> None:
    words = ("--all", "--half", "--frames", 5, "--method", "codec", "--quality", "content")
    assert iic("embed-video", clips / "folder", "-o", "covers/", *words).code == 0
    assert iic("restore", "covers/", "-o", "back/").code == 0
    assert len(list((desk / "back").iterdir())) == 12
    assert read(desk / "back" / "0001.png").shape == (64, 80, 3)


def test_stills(iic: Iic, photos: Path) -> None:
    codec = ("--method", "codec")
    assert iic("hide", "cover.png", "secret.png", "-o", "h.png", *codec).code == 0
    assert iic("restore", "h.png", "-o", "h/").code == 0
    assert read("h/secret-1.png").shape == (70, 90, 3)
    assert psnr(read("h/secret-1.png"), read("secret.png")) > 30
    assert iic("mononize", "cover.png", "right.png", "-o", "m.png", *codec).code == 0
    assert iic("restore", "m.png", "-o", "right-again.png", "--only", "right").code == 0
    assert psnr(read("right-again.png"), read("right.png")) > 25
    assert iic("dual-view", "cover.png", "--zoom", 2, "-o", "d.png", *codec).code == 0
    assert iic("restore", "d.png", "-o", "d/").code == 0
    assert iic("compose", "front.png", "cover.png", "-o", "c.png", *codec).code == 0
    assert iic("decompose", "c.png", "-o", "c/").code == 0
    alpha = np.asarray(Image.open("c/foreground.png"))[..., 3]
    assert np.abs(alpha[18:78, 34:94].astype(int) - disc(60, 60)).mean() < 5


def test_hidden_without_a_header(iic: Iic, photos: Path) -> None:
    words = ("--method", "codec", "--no-header", "--quality", "content")
    made = iic("hide", "cover.png", "secret.png", "-o", "quiet.png", *words)
    assert made.code == 0
    command = made.err.splitlines()[1].removeprefix("note: iic ").split()
    assert "--model codec" in made.err
    assert iic(*command, "-o", "told.png").code == 0
    assert psnr(read("told.png"), read("secret.png")) > 30
    wrong = [word if word != "content" else "cover" for word in command]
    iic(*wrong, "-o", "wrong.png").fails(4, "holds nothing", "--quality")


def test_damage(iic: Iic, photos: Path) -> None:
    assert iic("hide", "cover.png", "secret.png", "-o", "h.png", "--method", "codec").code == 0
    assert iic("restore", "h.png", "-o", "clean.png", "--only", "secret-1").code == 0
    pixels = read("h.png").copy()
    pixels[50:62, 60:73] = 0
    save(photos / "little.png", pixels)
    repaired = iic("restore", "little.png", "-o", "repaired.png", "--only", "secret-1")
    assert repaired.code == 0
    assert "were repaired" in repaired.err
    assert "all came back as it was" in repaired.err
    assert np.array_equal(read("repaired.png"), read("clean.png"))
    pixels[10:80, 10:100] = 0
    save(photos / "much.png", pixels)
    iic("restore", "much.png", "-o", "no.png").fails(
        5, "much.png cannot be restored", "the network would have lost only"
    )
    assert not (photos / "no.png").exists()


def test_what_does_not_go_together(iic: Iic, clips: Path, photos: Path) -> None:
    codec = ("--method", "codec")
    for verb in (
        ("embed-video", clips / "folder"),
        ("hide", "cover.png", "secret.png"),
        ("mononize", "cover.png", "right.png"),
        ("dual-view", "cover.png", "--zoom", 2),
        ("compose", "front.png", "cover.png"),
    ):
        iic(*verb, "-o", "x.png", *codec, "--model", "video-3").fails(2, "needs no model")
    for verb in ("gray", "rescale"):
        iic(verb, "cover.png", "-o", "x.png", *codec).fails(2, "embed-video, hide")
    iic("hide", "cover.png", "secret.png", "-o", "x.png", "--model", "codec").fails(
        6, "--method codec"
    )
    iic("embed-video", clips / "folder", "-o", "x.png", *codec, "-n", 256).fails(2, "255")
    assert not Path("x.png").exists()
    iic("evaluate", "--data", ".", "--method", "codec", "--model", "video-3").fails(2)
    iic("evaluate", "--data", ".", "--pictures", 3).fails(2, "--method codec")
    iic("evaluate", "--data", ".", "--task", "gray", "--method", "codec").fails(6, "gray")


def test_the_one_does_not_restore_what_the_other_made(iic: Iic, clips: Path, desk: Path) -> None:
    words = ("embed-video", clips / "folder", "--frames", 3, "-o")
    assert iic(*words, "c.png", "--method", "codec").code == 0
    iic("restore", "c.png", "-o", "x/", "--model", "video-3").fails(6, "made by a codec")
    assert iic(*words, "n.png").code == 0
    iic("restore", "n.png", "-o", "x/", "--model", "codec").fails(6, "codec cannot restore it")


def test_an_iic_that_knows_no_codec(
    iic: Iic, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert iic("hide", "cover.png", "secret.png", "-o", "c.png", "--method", "codec").code == 0
    stripped(photos / "c.png", photos / "bare.png")
    monkeypatch.setattr(header, "LOCKED_VERSION", 1)
    for name in ("c.png", "bare.png"):
        iic("restore", name, "-o", "x/").fails(5, "made by a newer iic", "Upgrade")


def test_measuring(iic: Iic, photos: Path) -> None:
    words = ("--data", ".", "--task", "dual", "--model", "codec", "--limit", 1)
    facts = iic("evaluate", *words, "--json").json
    assert (facts["model"], facts["task"]) == ("codec", "dual")
    assert 45 < facts["mean"]["cover_psnr"] < 52
    same = iic("evaluate", "--data", ".", "--task", "dual", "--method", "codec", "--limit", 1)
    assert same.code == 0


def test_the_python_interface(photos: Path) -> None:
    made = iiccli.hide("cover.png", "secret.png", "h.png", method="codec")
    assert (made.header.method, made.header.model) == ("codec", "codec")
    secret, _ = iiccli.restore("h.png")
    assert psnr(secret, read("secret.png")) > 30
    iiccli.mononize("cover.png", "right.png", "m.png", method="codec")
    assert len(iiccli.restore("m.png")) == 2
    (result, *_) = iiccli.evaluate(".", "codec", task="dual", limit=1)
    assert result.others_psnr > 25
