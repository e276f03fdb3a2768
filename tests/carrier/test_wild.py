"""What becomes of carriers on their way, and what is said of it: one sentence for each case."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from iiccli.carrier import FORMATS, Carrier, read_carrier, write_carrier
from iiccli.errors import IicError
from tests.conftest import Pixels, moving_clip

from .conftest import make_header

SIDES = (160, 192)
Change = Callable[[Pixels], Pixels]


@pytest.fixture
def carrier(tmp_path: Path) -> Path:
    """A picture with noise in its low bits, as carriers have it."""
    (photo,) = moving_clip(*SIDES, 1)
    noise = np.random.default_rng(0).integers(-2, 3, photo.shape)
    pixels = (photo + noise).clip(0, 255).astype(np.uint8)
    path = tmp_path / "carrier.png"
    write_carrier(path, pixels, make_header(size=SIDES[::-1]))
    return path


def resaved(carrier: Path, change: Change, **options: object) -> Carrier:
    """The carrier changed and saved as PNG by a program that keeps all text."""
    with Image.open(carrier) as image:
        info = PngInfo()
        info.add_itxt("iic", image.text["iic"])
        pixels = change(np.asarray(image).copy())
    path = carrier.with_name("changed.png")
    Image.fromarray(pixels).save(path, pnginfo=info, **options)
    return read_carrier(path)


def scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((width, height)))


def painted(pixels: Pixels) -> Pixels:
    pixels[60:90, 70:120] = (200, 30, 30)
    return pixels


def pixel(pixels: Pixels) -> Pixels:
    pixels[80, 80, 1] ^= 1
    return pixels


def jpeg(pixels: Pixels) -> Pixels:
    import io

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))


def brighter(pixels: Pixels) -> Pixels:
    return np.rint(pixels * 0.9 + 20).astype(np.uint8)


def bordered(pixels: Pixels) -> Pixels:
    return np.pad(pixels, ((9, 9), (3, 3), (0, 0)))


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CASES: dict[str, tuple[Change, dict[str, object], str]] = {
    "smaller": (lambda x: scaled(x, 96, 80), {}, "It was resized: it is 96×80 and was 192×160."),
    "larger": (lambda x: scaled(x, 384, 320), {}, "It was resized: it is 384×320 and was"),
    "cropped": (lambda x: x[5:, :150], {}, "It was cropped, or resized: it is 150×155 and was"),
    "bordered": (bordered, {}, "It was resized, or something was added at its border: it is 198×"),
    "one pixel": (pixel, {}, "Some of its pixels were changed, as by painting over a place"),
    "painted": (painted, {}, "Some of its pixels were changed, as by painting over a place"),
    "JPEG before": (jpeg, {}, "Nearly all of its pixels were changed, probably by saving it as JP"),
    "brighter": (brighter, {}, "Nearly all of its pixels were changed: it was brightened, colour-"),
    "managed": (brighter, {"icc_profile": SRGB}, "it was converted to another colour profile,"),
    "gray": (lambda x: x[..., 1], {}, "Its colours were taken out."),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_done_is_said(carrier: Path, case: str) -> None:
    change, options, words = CASES[case]
    found = resaved(carrier, change, **options)
    assert found.state == "changed"
    assert len(found.notes) == 1
    assert words in found.notes[0]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.jpg", {"quality": 95}, "It was saved as JPEG, which changes nearly every pixel."),
        ("a.avif", {}, "It was saved as AVIF, which changes nearly every pixel."),
        ("a.webp", {"quality": 90}, "It was saved as lossy WebP, which changes nearly every"),
    ],
)
def test_lossy_formats_are_named(
    carrier: Path, name: str, options: dict[str, object], words: str
) -> None:
    path = carrier.with_name(name)
    exif = Image.Exif()
    with Image.open(carrier) as image:
        exif[0xFE49] = image.text["iic"]
        image.save(path, exif=exif, **options)
        assert read_carrier(path).notes == (read_carrier(path).notes[0],)
        assert words in read_carrier(path).notes[0]
        image.save(path, exif=b"", **options)
    with pytest.raises(IicError, match="holds nothing from iic") as error:
        read_carrier(path)
    assert "has destroyed it" in error.value.hint
    assert error.value.exit_code == 4


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_others_do_without_loss_restores_by_itself(carrier: Path, suffix: str) -> None:
    """From PNG to another format and back, all metadata lost."""
    there, back = carrier.with_name(f"there{suffix}"), carrier.with_name("back.png")
    with Image.open(carrier) as image:
        Image.fromarray(np.asarray(image)).save(
            there, **({"lossless": True} if suffix == ".webp" else {})
        )
    with Image.open(there) as image:
        Image.fromarray(np.asarray(image)).save(back, optimize=True)
    for path in (there, back):
        found = read_carrier(path)
        assert found.state == "stripped"
        assert (found.pixels == read_carrier(carrier).pixels).all()


def newer(data: bytes) -> bytes:
    """The same with the format version 99 in its text, check sums right."""
    start = data.index(b"iTXt") - 4
    (length,) = struct.unpack(">I", data[start : start + 4])
    chunk = data[start + 4 : start + 8 + length].replace(b'"version":1', b'"version":99')
    head = struct.pack(">I", len(chunk) - 4)
    return (
        data[:start]
        + head
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + data[start + 12 + length :]
    )


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (lambda d: d[: len(d) // 2], 3, "is truncated or damaged"),
        (lambda d: d[: len(d) // 2] + b"!" + d[len(d) // 2 + 1 :], 3, "is truncated or damaged"),
        (lambda d: b"no picture at all", 3, "is not a picture"),
        (lambda d: b"", 3, "is not a picture"),
        (newer, 5, "was made by a newer iic (carrier format 99"),
    ],
)
def test_files_that_are_none_have_their_own_words(carrier: Path, damage, code, words) -> None:
    carrier.write_bytes(damage(carrier.read_bytes()))
    with pytest.raises(IicError) as error:
        read_carrier(carrier)
    assert words in error.value.message
    assert error.value.exit_code == code
    assert error.value.hint
