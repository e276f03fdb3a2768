"""What happened to a carrier on its way, and what is said and restored then."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import iiccli
from iiccli.media.clip import write_clip
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, pictures
from tests.conftest import Pixels, moving_clip, psnr

HEIGHT, WIDTH = 192, 256


@pytest.fixture(scope="module")
def originals() -> list[Pixels]:
    return moving_clip(HEIGHT, WIDTH, 3, (2, 1), seed=21)


@pytest.fixture(scope="module")
def made(
    originals: list[Pixels], tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """cover.png, and whole/, what it holds."""
    folder = tmp_path_factory.mktemp("made")
    write_clip(folder / "in", originals, Fraction(25))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "folders", lambda: iter([tiny_models]))
        iiccli.embed(folder / "in", folder / "cover.png", frames=3)
        iiccli.restore(folder / "cover.png", folder / "whole")
    return folder


@pytest.fixture
def cover(desk: Path, made: Path) -> Path:
    shutil.copytree(made / "whole", desk / "whole")
    return Path(shutil.copy(made / "cover.png", desk))


def pixels_of(cover: Path) -> Pixels:
    return np.array(Image.open(cover))


def save(pixels: Pixels, name: str, *, like: Path | None = None) -> str:
    """Save changed pixels, with the metadata of `like`."""
    info = PngInfo()
    if like is not None:
        for key, text in Image.open(like).text.items():  # type: ignore[attr-defined]
            info.add_itxt(key, text)
    Image.fromarray(pixels).save(name, pnginfo=info)
    return name


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".bmp"])
def test_metadata_stripped_restores_fully(iic: Iic, cover: Path, suffix: str) -> None:
    name = f"again{suffix}"
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(pixels_of(cover)).save(name, **options)
    said = iic("inspect", name).out
    assert "Its metadata was stripped, but its pixels are as written: it restores fully." in said
    assert f"video-3.v1 ({iic('inspect', cover, '--json').json['model_hash'][:16]}…), here" in said
    done = iic("restore", name, "-o", "back", "--json")
    assert done.json["state"] == "stripped"
    assert done.json["damaged"] == 0
    assert "The metadata is gone" in done.err
    for a, b in zip(pictures(Path("back")), pictures(Path("whole")), strict=True):
        assert (a == b).all()


def test_opaque_alpha_does_no_harm(iic: Iic, cover: Path) -> None:
    Image.open(cover).convert("RGBA").save("alpha.png")
    assert iic("restore", "alpha.png", "-o", "back", "--json").json["state"] == "stripped"


@pytest.mark.parametrize("stripped", [False, True])
def test_a_painted_area_is_lost_and_the_rest_is_not(
    iic: Iic, cover: Path, originals: list[Pixels], stripped: bool
) -> None:
    pixels = pixels_of(cover)
    pixels[10:70, 10:90] = (220, 20, 60)
    name = save(pixels, "painted.png", like=None if stripped else cover)
    assert "Its pixels have changed since it was made" in iic("inspect", name).out
    done = iic("restore", name, "-o", "back", "--json")
    assert done.code == 0
    assert done.json["state"] == "changed"
    assert 0 < done.json["damaged"] < 0.5
    assert "warning: the pixels have changed since the carrier was made; in " in done.err
    back, whole = pictures(Path("back")), pictures(Path("whole"))
    for a, b, original in zip(back, whole, originals, strict=True):
        far = np.s_[128:, 128:]
        assert psnr(a[far], b[far]) > 45
        assert psnr(a[far], original[far]) > 33
        assert psnr(a[20:60, 20:80], original[20:60, 20:80]) < 25
    assert iic("restore", name, "-o", "quiet", "--quiet").err == ""


def test_one_pixel(iic: Iic, cover: Path, originals: list[Pixels]) -> None:
    pixels = pixels_of(cover)
    pixels[100, 100, 0] ^= 1
    done = iic("restore", save(pixels, "one.png", like=cover), "-o", "back", "--json")
    assert (done.code, done.json["state"]) == (0, "changed")
    assert done.json["damaged"] < 0.4
    for a, original in zip(pictures(Path("back")), originals, strict=True):
        assert psnr(a[:, 200:], original[:, 200:]) > 33


def test_a_change_that_leaves_the_message_whole(iic: Iic, cover: Path) -> None:
    pixels = pixels_of(cover)
    pixels[100, 100, 0] ^= 64
    done = iic("restore", save(pixels, "one.png", like=cover), "-o", "back")
    assert "what came back is worse only there: no block was found broken." in done.err


def test_jpeg(iic: Iic, cover: Path) -> None:
    Image.open(cover).save("cover.jpg", quality=95)
    for verb in (("inspect",), ("restore", "-o", "back")):
        iic(*verb, "cover.jpg").fails(4, "cover.jpg is not a carrier", "JPEG has destroyed it")
    again = save(pixels_of(Path("cover.jpg")), "again.png", like=cover)
    assert "Its pixels have changed" in iic("inspect", again).out
    done = iic("restore", again, "-o", "back")
    done.fails(
        5, "Nothing of the message in again.png is left. Nearly all of its pixels", "original file"
    )
    assert not Path("back").exists()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda x: x[10:], "It was cropped, or resized: it is 256×182 and was 256×192."),
        (lambda x: x[::2, ::2].copy(), "It was resized: it is 128×96 and was 256×192."),
        (lambda x: np.rot90(x[::-1] // 2).copy(), "It was turned: it is 192×256 and was 256×192."),
    ],
)
def test_cropped_turned_or_shrunk(iic: Iic, cover: Path, change, cause: str) -> None:
    changed = change(pixels_of(cover))
    done = iic("restore", save(changed, "changed.png", like=cover), "-o", "back")
    done.fails(5, f"Nothing of the message in changed.png is left. {cause}")
    stripped = iic("restore", save(changed, "stripped.png"), "-o", "back")
    stripped.fails(4, "stripped.png is not a carrier")


@pytest.mark.parametrize("change", [np.rot90, np.flipud, lambda x: np.rot90(x, 2)])
def test_turned_or_mirrored(iic: Iic, cover: Path, change) -> None:
    wanted = [pixels_of(path) for path in sorted(Path("whole").iterdir())]
    turned = np.ascontiguousarray(change(pixels_of(cover)))
    for name, like in (("stripped.png", None), ("turned.png", cover)):
        done = iic("restore", save(turned, name, like=like), "-o", f"{name}.back/")
        assert done.code == 0
        assert "since it was made, which was undone" in done.err
        found = [pixels_of(path) for path in sorted(Path(f"{name}.back").iterdir())]
        assert all((a == b).all() for a, b in zip(wanted, found, strict=True))


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_colours_lost(iic: Iic, cover: Path, mode: str) -> None:
    Image.open(cover).convert("RGB").convert(mode).save("less.png")
    iic("restore", "less.png", "-o", "back").fails(4, "less.png is not a carrier")


def test_a_damaged_carrier_of_a_damaged_header(iic: Iic, cover: Path) -> None:
    info = PngInfo()
    info.add_itxt("iic", '{"format": "iic-carrier", "version": 1}')
    Image.open(cover).save("odd.png", pnginfo=info)
    done = iic("restore", "odd.png", "-o", "back")
    assert done.code == 0
    assert "The metadata header is damaged; the header was read from the pixels." in done.err
