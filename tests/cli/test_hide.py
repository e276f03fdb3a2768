"""`iic hide`, and getting the secrets back, with and without header."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from iiccli.carrier import read_carrier
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, nothing_new
from tests.conftest import psnr
from tests.tasks.stills import picture, put, put_still_models


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_still_models(tmp_path_factory.mktemp("hide-models"), tiny_models)


@pytest.fixture(autouse=True)
def desk_with_pictures(desk: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)
    put(Path("cover.png"), picture(64, 96))
    put(Path("one.png"), picture(90, 50, 1))
    put(Path("two.jpg"), picture(40, 60, 2), quality=95)


def opened(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_two_secrets_there_and_back(iic: Iic) -> None:
    done = iic("hide", "cover.png", "one.png", "two.jpg", "-o", "c.png")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("c.png holds 2 hidden pictures, made by hide-2.v1; ")
    assert iic("restore", "c.png", "-o", "back/").code == 0
    assert {path.name for path in Path("back").iterdir()} == {
        "secret-1.png",
        "secret-2.png",
        "cover.png",
    }
    assert psnr(opened("back/secret-1.png"), opened("one.png")) > 26
    assert opened("back/secret-2.png").shape == opened("two.jpg").shape
    assert psnr(opened("back/cover.png"), opened("cover.png")) > 40
    assert iic("restore", "c.png", "-o", "two.png", "--only", "secret-2").code == 0
    assert (opened("two.png") == opened("back/secret-2.png")).all()


def test_results_are_named_after_the_cover_and_nothing_is_replaced(iic: Iic) -> None:
    assert iic("hide", "cover.png", "one.png", "-q").code == 0
    assert read_carrier(Path("cover.hide.png")).header.valid == 2
    before = set(Path.cwd().rglob("*"))
    iic("hide", "cover.png", "two.jpg").fails(7, "exists already")
    iic("hide", "cover.png", "one.png", "-o", "one.png", "--force").fails(2, "overwrite one.png")
    iic("hide", "cover.png", "one.png", "-o", "c.jpg").fails(8, "lossy")
    iic("hide", "cover.png", "none.png", "-o", "c.png").fails(3, "none.png does not exist")
    iic("hide", "cover.png", *["one.png"] * 5, "-o", "c.png").fails(2, "5 pictures cannot")
    nothing_new(Path.cwd(), before)


def test_json_and_preview(iic: Iic) -> None:
    facts = iic(
        *("hide", "cover.png", "one.png", "-o", "c.png", "--json", "--quality", "cover"),
        *("--preview", "sheet.png", "--quiet"),
    ).json
    assert (facts["model"], facts["size"], facts["quality"]) == ("hide-2.v1", [96, 64], "cover")
    assert facts["psnr"]["cover"] > 45
    assert set(facts["psnr"]["restored"]) == {"secret-1", "cover"}
    assert Image.open("sheet.png").width > 300


def test_without_header_only_who_is_told_finds_anything(iic: Iic) -> None:
    done = iic(
        *("hide", "cover.png", "one.png", "two.jpg", "-o", "my c.png"),
        *("--no-header", "--fit", "pad", "--quality", "content"),
    )
    assert done.code == 0
    command = done.err.splitlines()[-1].removeprefix("note: iic ")
    iic("inspect", "my c.png").fails(4, "holds nothing from iic")
    iic("restore", "my c.png", "-o", "x/").fails(4, "holds nothing from iic")
    assert iic(*shlex.split(command), "-o", "back/").code == 0
    assert psnr(opened("back/secret-1.png"), opened("one.png")) > 26
    assert psnr(opened("back/secret-2.png"), opened("two.jpg")) > 26
    # Without sizes they come back as large as the carrier, and beside it.
    assert (
        iic("restore", "my c.png", "--task", "hide", "--secrets", 2, "--quality", "content").code
        == 0
    )
    assert opened("my c.restored/secret-1.png").shape == (64, 96, 3)


def test_what_is_told_wrongly(iic: Iic) -> None:
    iic("hide", "cover.png", "one.png", "-o", "c.png", "--no-header", "-q")
    told = ("restore", "c.png", "-o", "x.png", "--task", "hide", "--secrets", 1)
    iic(*told, "--quality", "content").fails(4, "nothing that hide-2.v1 can take out", "--quality")
    iic(*told, "--model", "hide-4").fails(4, "nothing that hide-4.v1 can take out")
    iic(*told, "--model", "layers").fails(6, "for layers, not for hide")
    iic(*told, "--size", "9").fails(2, "'9' is no size", "1200x800")
    iic(*told, "--size", "9x9", "--size", "8x8").fails(2, "2 of --size do not fit --secrets 1")
    iic(*told, "--size", "0x9").fails(2, "size is impossible")
    iic(*told, "cover.png").fails(2, "there are 2")
    iic("restore", "c.png", "--task", "hide").fails(2, "--secrets 1 to 4")
    iic("restore", "c.png", "--task", "gray", "--secrets", 1).fails(2, "'gray' always say")
    iic("restore", "c.png", "--secrets", 1).fails(2, "--task hide")
    iic("restore", "one.png", *told[2:]).fails(4, "one.png holds nothing")
    iic("hide", "cover.png", "one.png", "--no-header", "--preview", "s.png").fails(2, "--preview")
    assert not Path("x.png").exists()


def test_what_says_itself_what_it_is_needs_no_telling(iic: Iic) -> None:
    iic("hide", "cover.png", "one.png", "-o", "c.png", "-q")
    done = iic("restore", "c.png", "-o", "x.png", "--task", "hide", "--secrets", 3)
    assert done.code == 0
    assert opened("x.png").shape == opened("one.png").shape


def test_metadata_is_the_cover_s(iic: Iic) -> None:
    """The cover's profile is that of all; its EXIF does not get onto the secrets."""
    exif = Image.Exif()
    exif[0x010E] = "where the cover was taken"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    put(Path("tagged.png"), picture(64, 96), exif=exif, icc_profile=icc)
    iic("hide", "tagged.png", "one.png", "-o", "c.png", "-q")
    iic("restore", "c.png", "-o", "back/")
    for name, words in (("cover", "where the cover was taken"), ("secret-1", None)):
        image = Image.open(f"back/{name}.png")
        assert image.info.get("icc_profile") == icc
        assert image.getexif().get(0x010E) == words
