"""Carriers without header that were turned since: found by what they hold, or by the phrase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.locking import key as keys
from tests.cli.conftest import Iic
from tests.conftest import psnr
from tests.tasks.stills import picture, put

HIDE = ("hide", "cover.png", "one.png", "--method", "codec", "--no-header")
TOLD = ("--task", "hide", "--secrets", 1, "--model", "codec", "--size", "50x90")
WAYS = [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_TOP_BOTTOM]


@pytest.fixture(autouse=True)
def pictures(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SCRYPT_N", 16)  # what it is in earnest: tests/locking
    monkeypatch.delenv("IIC_KEY", raising=False)
    put(Path("cover.png"), picture(96, 128))
    put(Path("one.png"), picture(90, 50, 1))
    Path("key").write_text("a phrase of several words\n", encoding="utf-8")


def turned(name: str, way: Image.Transpose) -> str:
    with Image.open(name) as image:
        image.transpose(way).save(f"turned-{name}")
    return f"turned-{name}"


@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_told_of(iic: Iic, way: Image.Transpose) -> None:
    assert iic(*HIDE, "-o", "c.png").code == 0
    done = iic("restore", turned("c.png", way), *TOLD, "-o", "s.png")
    assert (done.code, "since it was made, which was undone" in done.err) == (0, True)
    assert iic("restore", "c.png", *TOLD, "-o", "t.png").code == 0
    found, straight = (np.asarray(Image.open(name)) for name in ("s.png", "t.png"))
    assert (found == straight).all()
    assert psnr(found, picture(90, 50, 1)) > 24


def test_one_that_holds_nothing_is_none_either_way(iic: Iic) -> None:
    iic("restore", "cover.png", *TOLD, "-o", "s.png").fails(4, "holds nothing that")


@pytest.mark.parametrize("way", WAYS)
def test_one_that_the_phrase_finds(iic: Iic, way: Image.Transpose) -> None:
    assert iic(*HIDE, "-o", "c.png", "--key-file", "key").code == 0
    name = turned("c.png", way)
    iic("restore", name, "-o", "s.png").fails(4, "not a carrier")
    done = iic("restore", name, "-o", "s.png", "--key-file", "key")
    assert (done.code, "since it was made, which was undone" in done.err) == (0, True)
    assert np.asarray(Image.open("s.png")).shape == (90, 50, 3)
