from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from iiccli.errors import InputError, OutputError, OutputExistsError, UsageError
from iiccli.media.image import PICTURE_SUFFIXES, read_picture, write_picture
from tests.media.conftest import psnr, smooth

RGB = smooth(20, 30)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_opaque_mode_comes_out_as_its_colours(tmp_path: Path, mode: str) -> None:
    # TIFF holds all of these but HSV, which no format holds: there the converter is asked.
    image = Image.fromarray(RGB)
    if mode == "LAB":
        transform = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        image = ImageCms.applyTransform(image, transform)
    else:
        image = image.convert(mode)
    if mode == "HSV":
        from iiccli.media.colour import to_rgb

        pixels, alpha = to_rgb(image).pixels, None
    else:
        image.save(tmp_path / "a.tif")
        picture = read_picture(tmp_path / "a.tif")
        pixels, alpha = picture.pixels, picture.alpha
    expected = RGB
    if mode in ("1", "L", "P"):
        expected = np.array(image.convert("RGB"))
    assert pixels.dtype == np.uint8
    assert alpha is None
    assert psnr(pixels, expected) > (30 if mode in ("LAB", "HSV", "YCbCr") else 60)


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA"])
def test_alpha_is_set_aside_and_colours_under_it_stay(tmp_path: Path, mode: str) -> None:
    alpha = np.arange(600, dtype=np.uint32).reshape(20, 30).astype(np.uint8)
    image = Image.fromarray(RGB)
    image.putalpha(Image.fromarray(alpha))
    expected = RGB
    if mode == "LA":
        image = image.convert("LA")
        expected = np.array(image.convert("L").convert("RGB"))
    image.save(tmp_path / "a.png")
    if mode == "PA":
        from iiccli.media.colour import to_rgb

        quantised = Image.fromarray(RGB).quantize(256).convert("PA")
        quantised.putalpha(Image.fromarray(alpha))
        got = to_rgb(quantised)
        assert np.array_equal(got.alpha, alpha)
        assert psnr(got.pixels, RGB) > 25
        return
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.alpha, alpha)
    assert np.array_equal(picture.pixels, expected)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_becomes_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (3, 2), 0)
    image.putpixel((1, 1), (9, 9, 9) if mode == "RGB" else 1)
    image.save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    picture = read_picture(tmp_path / "a.png")
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[0, 0, 0], [0, 255, 0]]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bit_grey_is_scaled_not_cut(tmp_path: Path, order: str) -> None:
    values = np.array([[0, 257, 32896], [65535, 128, 129]], order)
    if order == ">u2":  # a big-endian TIFF, by hand: Pillow writes little-endian only
        head = b"MM\0*\0\0\0\x14" + values.tobytes()
        tags = [(256, 3), (257, 2), (258, 16), (259, 1), (262, 1), (277, 1), (278, 2)]
        entries = [struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags]
        entries.insert(5, struct.pack(">HHII", 273, 4, 1, 8))
        entries.append(struct.pack(">HHII", 279, 4, 1, 12))
        data = head + struct.pack(">H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
        (tmp_path / "a.tif").write_bytes(data)
    else:
        Image.fromarray(values.astype(np.uint16)).save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    assert picture.pixels[..., 1].tolist() == [[0, 1, 128], [255, 0, 1]]
    assert picture.notes == ("16 bits per channel reduced to 8",)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 65535]], np.int32), [0, 255]),
        (np.array([[-100, 100000]], np.int32), [0, 255]),
        (np.array([[0.0, 0.5]], np.float32), [0, 128]),
        (np.array([[0.0, 200.0]], np.float32), [0, 200]),
        (np.array([[-1.0, 999.0]], np.float32), [0, 255]),
        (np.array([[np.nan, 1.0]], np.float32), [0, 255]),
        (np.array([[5000.0, 5000.0]], np.float32), [0, 0]),
    ],
)
def test_deep_modes(tmp_path: Path, values: np.ndarray, expected: list[int]) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    assert picture.pixels[0, :, 0].tolist() == expected
    assert len(picture.notes) == 1


def test_16_bit_rgb_png_says_that_it_was_reduced(tmp_path: Path) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    row = b"\0" + struct.pack(">3H", 0, 32768, 65535)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels.tolist() == [[[0, 128, 255]]]
    assert picture.notes == ("16 bits per channel reduced to 8",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_reset(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((4, 6, 3), np.uint8)
    upright[0, 0], upright[0, -1], upright[-1, 0] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    # How the camera stores it, from the definition of the tag: which corner is row 0, column 0.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright.swapaxes(0, 1)[::-1, ::-1],
        8: upright.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    path = tmp_path / "a.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, upright)
    kept = Image.Exif()
    kept.load(picture.exif or b"")
    assert (kept[0x0112], kept[0x010F]) == (1, "Maker")


def test_cmyk_goes_through_its_profile_or_is_said_to_have_none(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert read_picture(tmp_path / "a.jpg").notes == ("CMYK converted to RGB",)
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "b.tif", icc_profile=srgb_profile())
    # An RGB profile on CMYK pixels describes, if anything, the RGB that comes out.
    assert psnr(read_picture(tmp_path / "b.tif").pixels, RGB) > 60


def test_a_rgb_profile_is_kept_and_a_damaged_one_dropped(tmp_path: Path) -> None:
    profile = srgb_profile()
    Image.fromarray(RGB).save(tmp_path / "a.png", icc_profile=profile)
    assert read_picture(tmp_path / "a.png").icc == profile
    Image.fromarray(RGB).save(tmp_path / "b.png", icc_profile=b"nonsense" * 40)
    picture = read_picture(tmp_path / "b.png")
    assert picture.icc is None
    assert picture.notes == ("a damaged colour profile was left out",)


def test_pixels_of_another_space_go_through_their_profile(tmp_path: Path) -> None:
    space = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), space, "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(RGB), to_lab)
    assert lab is not None
    profile = ImageCms.ImageCmsProfile(space).tobytes()
    lab.save(tmp_path / "a.tif", icc_profile=profile)
    picture = read_picture(tmp_path / "a.tif")
    assert picture.icc is None
    assert picture.notes == ("Lab converted to sRGB through its profile",)
    assert psnr(picture.pixels, RGB) > 30


def test_a_lab_profile_that_does_not_fit_is_left_out(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    Image.fromarray(RGB).save(tmp_path / "a.png", icc_profile=lab)
    picture = read_picture(tmp_path / "a.png")
    assert picture.icc is None
    assert "profile that does not fit" in picture.notes[0]
    assert np.array_equal(picture.pixels, RGB)


def test_the_first_frame_of_several_is_taken_and_said(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.roll(RGB, i, 0)) for i in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    picture = read_picture(tmp_path / "a.webp")
    assert np.array_equal(picture.pixels, RGB)
    assert picture.notes == ("the first of 3 frames was taken",)


def test_bad_inputs_are_input_errors_that_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    whole = io.BytesIO()
    Image.fromarray(smooth(200, 200)).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[: whole.tell() // 2])
    whole = io.BytesIO()
    Image.fromarray(smooth(200, 200)).save(whole, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[: whole.tell() // 2])
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + b"\0" * 40)
    said = {
        "empty.png": "empty",
        "text.png": "not a picture",
        "cut.png": "damaged or incomplete",
        "cut.jpg": "damaged or incomplete",
        "folder.png": "is a folder",
        "missing.png": "does not exist",
        "a.heic": "not a picture",
        "a.jxl": "not a picture",
    }
    for name, words in said.items():
        with pytest.raises(InputError, match=words) as caught:
            read_picture(tmp_path / name)
        assert name in caught.value.message
        if name == "a.heic":
            assert "pillow-heif" in caught.value.hint
        if name == "a.jxl":
            assert "pillow-jxl" in caught.value.hint


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow's own counts for nothing
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "a.png").pixels.shape == RGB.shape
    assert Image.MAX_IMAGE_PIXELS == 100
    monkeypatch.setenv("IIC_MAX_PIXELS", "599")
    with pytest.raises(InputError, match="600 in all; at most 599 are read") as caught:
        read_picture(tmp_path / "a.png")
    assert "--max-pixels" in caught.value.hint
    monkeypatch.setenv("IIC_MAX_PIXELS", "600")
    assert read_picture(tmp_path / "a.png").pixels.shape == RGB.shape
    monkeypatch.setenv("IIC_MAX_PIXELS", "many")
    with pytest.raises(UsageError, match="IIC_MAX_PIXELS"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
@pytest.mark.parametrize("size", [(1, 1), (7, 5)])
def test_write_and_read_back(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    pixels = smooth(*size)
    write_picture(tmp_path / f"a{suffix}", pixels)
    picture = read_picture(tmp_path / f"a{suffix}")
    if suffix in (".jpg", ".jpeg", ".avif"):
        assert psnr(picture.pixels, pixels) > 30
    else:
        assert np.array_equal(picture.pixels, pixels)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_alpha_and_metadata_travel(tmp_path: Path, suffix: str) -> None:
    alpha = (np.arange(600).reshape(20, 30) % 256).astype(np.uint8)
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    path, profile = tmp_path / f"a{suffix}", srgb_profile()
    write_picture(path, RGB, alpha=alpha, icc=profile, exif=exif.tobytes(), xmp=xmp)
    picture = read_picture(path)
    assert picture.alpha is not None
    assert psnr(picture.alpha, alpha) > (30 if suffix == ".avif" else 99)
    assert (picture.icc, picture.xmp) == (profile, xmp)
    kept = Image.Exif()
    kept.load(picture.exif or b"")
    assert kept[0x010F] == "Maker"
    if suffix != ".avif":
        assert np.array_equal(picture.pixels, RGB)


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    alpha = np.zeros((20, 30), np.uint8)
    with pytest.raises(UsageError, match=r"which picture format") as caught:
        write_picture(tmp_path / "a.xyz", RGB)
    assert ".png" in caught.value.hint
    with pytest.raises(UsageError, match="transparency"):
        write_picture(tmp_path / "a.jpg", RGB, alpha=alpha)
    with pytest.raises(UsageError, match="as large as"):
        write_picture(tmp_path / "a.png", RGB, alpha=alpha[1:])
    with pytest.raises(UsageError, match="uint8"):
        write_picture(tmp_path / "a.png", RGB[..., 0])
    with pytest.raises(OutputError, match=r"a\.jpg"):
        write_picture(tmp_path / "a.jpg", RGB, exif=b"Exif\0\0" + b"x" * 70000)
    with pytest.raises(OutputError, match=r"a\.webp"):
        write_picture(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_target_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        write_picture(path, RGB)
    assert path.read_bytes() == b"mine"
    write_picture(path, RGB, force=True)
    assert np.array_equal(read_picture(path).pixels, RGB)
