"""Writing and reading whole files: formats, strippers, painters, mutations."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from iiccli.carrier import (
    Carrier,
    NewerCarrierError,
    check_carrier_target,
    checksum,
    describe,
    read_carrier,
    sentence,
    stamp,
    write_carrier,
    writer,
)
from iiccli.errors import (
    DamagedCarrierError,
    IicError,
    InputError,
    NotACarrierError,
    OutputError,
    OutputExistsError,
)

from .conftest import HASH, make_header, noise

SUFFIXES = [".png", ".webp", ".tif", ".TIFF"]


def write(path: Path, channels: int = 3, **options: Any) -> np.ndarray:
    return write_carrier(path, noise(80, 96, channels), make_header(), **options)


def leftovers(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_comes_back_whole(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"cover{suffix}"
    final = write(path, channels)
    carrier = read_carrier(path)
    assert carrier.state == "whole"
    assert carrier.notes == ()
    assert carrier.pixels.shape == final.shape
    assert (carrier.pixels == final).all()
    assert carrier.header == make_header(pixels_sha256=checksum(final))
    assert carrier.header.complete
    assert leftovers(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(1, 1), (5000, 5), (5, 5000)], ids=str)
def test_odd_sizes_come_back_whole(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"cover{suffix}"
    final = write_carrier(path, noise(size[1], size[0]), make_header(size))
    carrier = read_carrier(path)
    assert carrier.state == "whole"
    assert (carrier.pixels == final).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_users_own_metadata_travels_upright(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x0112] = "my holiday", "Camera", 6
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    path = tmp_path / f"cover{suffix}"
    write(path, icc=b"a profile", exif=exif.tobytes(), xmp=xmp)
    carrier = read_carrier(path)
    assert carrier.state == "whole"
    assert carrier.attached.icc == b"a profile"
    assert carrier.attached.xmp == xmp.replace(b'"6"', b'"1"')
    assert carrier.attached.exif is not None
    back = Image.Exif()
    back.load(carrier.attached.exif)
    assert dict(back) == {0x010E: "my holiday", 0x010F: "Camera", 0x0112: 1, 0x8769: back[0x8769]}
    assert back.get_ifd(0x8769)[0x9003] == "2020:01:01 00:00:00"


def test_broken_exif_is_left_out(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"cover{suffix}"
        write(path, exif=b"Exif\0\0nonsense")
        assert read_carrier(path).state == "whole"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_hidden_without_a_trace(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cover{suffix}"
    final = write(path, pixel_header=False, metadata=False)
    assert (final == noise(80, 96)).all()
    with pytest.raises(NotACarrierError, match="not a carrier"):
        read_carrier(path)
    data = path.read_bytes()
    assert b"iic" not in data
    assert b"video-5" not in data
    assert (np.asarray(Image.open(path)) == final).all()


def test_pixel_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    write(path, metadata=False)
    assert read_carrier(path).state == "stripped"


def test_metadata_alone(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    final = write(path, pixel_header=False)
    assert (final == noise(80, 96)).all()
    assert read_carrier(path).state == "whole"


def resave(path: Path, name: str, convert: str | None = None, **options: Any) -> Path:
    """Save the pixels again as another program would, without any metadata."""
    with Image.open(path) as image:
        bare = Image.fromarray(np.asarray(image))
    target = path.with_name(name)
    (bare.convert(convert) if convert else bare).save(target, **options)
    return target


def check_stripped(carrier: Carrier, final: np.ndarray) -> None:
    assert carrier.state == "stripped"
    assert carrier.pixels.shape == final.shape
    assert (carrier.pixels == final).all()
    assert not carrier.header.complete
    assert carrier.header.model == ""
    assert carrier.header.model_hash == HASH[:16]
    assert carrier.header.to_bytes() == make_header().to_bytes()


@pytest.mark.parametrize("channels", [3, 1])
def test_stripped_from_format_to_format(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "cover.png"
    final = write(path, channels)
    path = resave(path, "a.webp", lossless=True, exact=True)
    check_stripped(read_carrier(path), final)
    for name in ("b.png", "c.bmp", "d.tif", "e.ppm"):
        path = resave(path, name)
        check_stripped(read_carrier(path), final)


def test_an_added_opaque_alpha_does_no_harm(tmp_path: Path) -> None:
    for channels, mode in ((3, "RGBA"), (1, "LA"), (1, "RGBA")):
        path = tmp_path / "cover.png"
        final = write(path, channels, force=True)
        carrier = read_carrier(resave(path, "alpha.png", mode))
        check_stripped(carrier, final)
        assert carrier.alpha is None


def test_a_real_alpha_is_handed_over(tmp_path: Path) -> None:
    final = write(tmp_path / "cover.png")
    alpha = noise(80, 96, 1, seed=5)
    Image.fromarray(np.dstack([final, alpha])).save(tmp_path / "alpha.png")
    carrier = read_carrier(tmp_path / "alpha.png")
    check_stripped(carrier, final)
    assert carrier.alpha is not None
    assert (carrier.alpha == alpha).all()


def test_gray_as_16_bit_and_as_palette(tmp_path: Path) -> None:
    final = write(tmp_path / "cover.png", channels=1)
    Image.fromarray(final.astype(np.uint16) * 257).save(tmp_path / "wide.png")
    check_stripped(read_carrier(tmp_path / "wide.png"), final)
    check_stripped(read_carrier(resave(tmp_path / "cover.png", "palette.png", "P")), final)


def test_a_few_colours_as_palette(tmp_path: Path) -> None:
    pixels = np.repeat(noise(80, 96, 1)[..., None] // 128 * 200, 3, axis=2)
    final = write_carrier(tmp_path / "cover.png", pixels, make_header())
    image = Image.fromarray(final).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    image.save(tmp_path / "palette.png")
    check_stripped(read_carrier(tmp_path / "palette.png"), final)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_an_added_orientation_does_not_turn_it(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    final = write(tmp_path / "cover.png")
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(final).save(path, exif=exif, **options)
    check_stripped(read_carrier(path), final)


def replace_pixels(path: Path, pixels: np.ndarray) -> None:
    """Change the pixels and keep the header, as an editor that keeps metadata does."""
    with Image.open(path) as image:
        image.load()
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("iic", image.text["iic"])  # type: ignore[attr-defined]
    Image.fromarray(pixels).save(path, pnginfo=chunks)


def test_one_changed_pixel_is_said(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    final = write(path)
    final[40, 40, 1] ^= 1
    replace_pixels(path, final)
    carrier = read_carrier(path)
    assert carrier.state == "changed"
    assert carrier.header.complete
    assert (carrier.pixels == final).all()
    resave(path, "bare.png")
    bare = read_carrier(tmp_path / "bare.png")
    assert bare.state == "changed"
    assert not bare.header.complete


def test_a_painted_corner_without_metadata(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    final = write_carrier(path, noise(256, 256), make_header((256, 256)))
    final[:82, :82] = 30
    Image.fromarray(final).save(path)
    carrier = read_carrier(path)
    assert carrier.state == "changed"
    assert carrier.header.to_bytes() == make_header((256, 256)).to_bytes()


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (lambda p: p[:-8, :-8], "cropped"),
        (lambda p: np.rot90(p[:, ::-1] // 2), "turned"),
        (lambda p: 255 - p, "Nearly all of its pixels were changed"),
    ],
)
def test_the_likely_cause_is_named(tmp_path: Path, edit: Any, cause: str) -> None:
    path = tmp_path / "cover.png"
    replace_pixels_of = np.ascontiguousarray(edit(write(path)))
    replace_pixels(path, replace_pixels_of)
    carrier = read_carrier(path)
    assert carrier.state == "changed"
    assert cause in " ".join(carrier.notes)


def test_a_jpeg_of_a_carrier(tmp_path: Path) -> None:
    write(tmp_path / "cover.png")
    with pytest.raises(NotACarrierError) as caught:
        read_carrier(resave(tmp_path / "cover.png", "cover.jpg", quality=95))
    assert "JPEG has destroyed it" in caught.value.hint


def test_a_jpeg_that_kept_the_header(tmp_path: Path) -> None:
    write(tmp_path / "cover.webp")
    with Image.open(tmp_path / "cover.webp") as image:
        image.save(tmp_path / "a.jpg", exif=image.getexif())
        image.save(tmp_path / "b.jpg", comment=make_header().to_json())
    for name in ("a.jpg", "b.jpg"):
        carrier = read_carrier(tmp_path / name)
        assert carrier.state == "changed"
        assert carrier.header.complete
        assert "JPEG" in carrier.notes[0]


def with_text(path: Path, text: str, pixels: np.ndarray) -> Path:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("iic", text)
    Image.fromarray(pixels).save(path, pnginfo=chunks)
    return path


def test_broken_metadata_falls_back_on_the_pixels(tmp_path: Path) -> None:
    stamped = stamp(noise(80, 96), make_header())
    carrier = read_carrier(with_text(tmp_path / "a.png", '{"format":', stamped))
    assert carrier.state == "stripped"
    assert "damaged" in carrier.notes[0]


def test_broken_metadata_alone_is_damaged(tmp_path: Path) -> None:
    path = with_text(tmp_path / "a.png", '{"format":', noise(80, 96))
    with pytest.raises(DamagedCarrierError, match=r"a\.png"):
        read_carrier(path)


def test_a_newer_carrier(tmp_path: Path) -> None:
    newer = make_header(version=4)
    with_text(tmp_path / "a.png", newer.to_json(), noise(80, 96))
    Image.fromarray(stamp(noise(80, 96), newer)).save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        with pytest.raises(NewerCarrierError, match="newer iic"):
            read_carrier(tmp_path / name)


def test_only_the_first_picture_of_several_is_used(tmp_path: Path) -> None:
    final = stamp(noise(80, 96), make_header())
    images = [Image.fromarray(final), Image.fromarray(noise(80, 96, seed=1))]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:])
    carrier = read_carrier(tmp_path / "a.tif")
    assert (carrier.pixels == final).all()
    assert "first of the 2" in " ".join(carrier.notes)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(noise(80, 96)).convert("CMYK"),
        Image.fromarray(noise(80, 96)).convert("F").resize((96, 80)),
        Image.fromarray(noise(80, 96, 1).astype(np.uint16) * 200 + 1),
    ],
    ids=lambda image: image.mode,
)
def test_other_depths_are_no_carriers(tmp_path: Path, image: Image.Image) -> None:
    image.convert(image.mode).save(tmp_path / "a.tif")
    with pytest.raises(NotACarrierError, match="8-bit"):
        read_carrier(tmp_path / "a.tif")
    exif = Image.Exif()
    exif[0xFE49] = make_header().to_json()
    image.save(tmp_path / "b.tif", exif=exif)
    with pytest.raises(DamagedCarrierError, match="8-bit"):
        read_carrier(tmp_path / "b.tif")


@pytest.mark.parametrize("pixels", [noise(80, 96), np.zeros((80, 96), np.uint8)], ids=["n", "0"])
def test_an_ordinary_picture_is_no_carrier(tmp_path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(NotACarrierError, match="not a carrier"):
        read_carrier(tmp_path / "a.png")


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "random.png").write_bytes(random.Random(0).randbytes(5000))
    os.mkfifo(tmp_path / "pipe.png")
    bad = ["text.png", "empty.png", "random.png", "pipe.png", "missing.png", ".", "a\0b", "x" * 300]
    for name in bad:
        with pytest.raises(InputError):
            read_carrier(tmp_path / name)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_truncated_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cover{suffix}"
    final = write(path)
    data = path.read_bytes()
    pixel_end = len(data) - (600 if suffix == ".tif" else 20)  # a TIFF's tags come last
    for length in range(1, pixel_end, len(data) // 25):
        path.write_bytes(data[:length])
        with pytest.raises(InputError):
            read_carrier(path)
    if suffix == ".tif":
        path.write_bytes(data[:-50])
        check_stripped(read_carrier(path), final)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_mutated_files_raise_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cover{suffix}"
    final = write(path)
    data = path.read_bytes()
    rng = random.Random(3)
    outcomes = set()
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(rng.choice([64, len(changed)]))
            changed[place] = rng.choice([0, 255, changed[place] ^ 1 << rng.randrange(8)])
        path.write_bytes(changed)
        try:
            carrier = read_carrier(path)
            outcomes.add(carrier.state)
            assert (carrier.state == "changed") != np.array_equal(carrier.pixels, final)
        except IicError as error:
            outcomes.add(type(error).__name__)
    assert "InputError" in outcomes


def test_random_header_texts_raise_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(4)
    text = make_header().to_json()
    states = set()
    for _ in range(100):
        letters = list(text)
        for _ in range(rng.randint(0, 2)):
            letters[rng.randrange(len(letters))] = rng.choice('{}[]",:019ex-\\u')
        try:
            found = read_carrier(with_text(tmp_path / "a.png", "".join(letters), noise(9, 9)))
            states.add(found.state)
        except DamagedCarrierError:
            states.add("damaged")
    assert states == {"changed", "damaged"}


def test_the_size_is_checked_before_the_pixels(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    write(path)
    with pytest.raises(InputError, match="96×80 pixels"):
        read_carrier(path, max_pixels=96 * 80 - 1)
    assert read_carrier(path, max_pixels=96 * 80).state == "whole"
    data = bytearray(path.read_bytes())
    data[16:24] = b"\x7f\xff\xff\xff" * 2
    import struct
    import zlib

    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(InputError, match="at most 268,435,456"):
        read_carrier(path)


def test_pillows_limit_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    write(tmp_path / "cover.png")
    assert read_carrier(tmp_path / "cover.png").state == "whole"
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize(
    "name", ["a.jpg", "a.JPEG", "a.avif", "a.heic", "a.jxl", "a.gif", "a", "a."]
)
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        write(tmp_path / name, force=True)
    assert "lossless" in caught.value.hint
    assert ".png" in caught.value.hint
    assert leftovers(tmp_path) == []


def test_an_existing_target_is_refused_and_forced(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    path.write_text("precious")
    for refuse in (lambda: check_carrier_target(path), lambda: write(path)):
        with pytest.raises(OutputExistsError):
            refuse()
    assert path.read_text() == "precious"
    write(path, force=True)
    assert read_carrier(path).state == "whole"


def test_a_folder_as_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cover.png").mkdir()
    with pytest.raises(OutputError, match="folder"):
        check_carrier_target(tmp_path / "cover.png", force=True)


def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.geteuid() == 0:  # permissions do not bind root: say what the system would say
        monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="permission"):
        check_carrier_target(folder / "cover.png")
    with pytest.raises(OutputError, match="permission"):
        write(folder / "cover.png")
    assert leftovers(folder) == []


def test_too_long_for_webp(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="16383"):
        write_carrier(tmp_path / "a.webp", noise(1, 16384), make_header((16384, 1)))
    assert leftovers(tmp_path) == []


def test_a_header_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="header says"):
        write_carrier(tmp_path / "a.png", noise(80, 95), make_header())


@pytest.mark.parametrize("what", ["pixel", "header", "stamp", "garbage", "full disk"])
def test_a_failed_check_leaves_the_target_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = tmp_path / "cover.png"
    path.write_text("before")
    save = Image.Image.save

    def spoilt(image: Image.Image, target: Path, kind: str, **options: Any) -> None:
        if what == "full disk":
            Path(target).write_bytes(b"\x89PNG")
            raise OSError(28, "No space left on device")
        pixels = np.array(image)
        if what == "pixel":
            pixels[40, 40] ^= 1
        elif what == "stamp":
            pixels[0] ^= 1
        elif what == "header":
            options["pnginfo"] = PngImagePlugin.PngInfo()
        save(Image.fromarray(pixels), target, kind, **options)
        if what == "garbage":
            Path(target).write_bytes(b"\x89PNG")

    monkeypatch.setattr(Image.Image, "save", spoilt)
    with pytest.raises(OutputError, match=r"read back|space"):
        write(path, force=True)
    assert path.read_text() == "before"
    assert leftovers(tmp_path) == ["cover.png"]


def test_an_unstamped_picture_is_noticed_on_reading_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "stamp", lambda pixels, *_: pixels.copy())
    with pytest.raises(OutputError, match="read back"):
        write(tmp_path / "a.png")


def test_describe_is_json_and_tells_the_state(tmp_path: Path) -> None:
    path = tmp_path / "cover.png"
    write(path)
    told = json.loads(json.dumps(describe(read_carrier(path))))
    assert told["state"] == "whole"
    assert told["model"] == "video-5.v1"
    assert told["fps"] == "30000/1001"
    assert told["size"] == [96, 80]
    assert told["sentence"] == (
        "cover.png holds 5 frames, part 2 of 4, made by video-5.v1. It is whole."
    )
    resave(path, "bare.png")
    told = json.loads(json.dumps(describe(read_carrier(tmp_path / "bare.png"))))
    assert told["state"] == "stripped"
    assert told["model"] is None
    assert told["model_hash"] == HASH[:16]
    assert told["extra"] is None
    assert "stripped" in told["sentence"]


def test_the_sentence_for_one_picture_of_an_unknown_task(tmp_path: Path) -> None:
    header = make_header(
        task="new-task", pictures=1, valid=1, reference=0, part=0, parts=1, clip_id=""
    )
    write_carrier(tmp_path / "a.png", noise(80, 96), header, metadata=False)
    told = sentence(read_carrier(tmp_path / "a.png"))
    assert told.startswith(f"a.png holds 1 picture, made by the model with hash {HASH[:16]}…")
