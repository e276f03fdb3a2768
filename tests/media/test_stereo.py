"""Stereo pairs out of files of every kind."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from iiccli.errors import InputError, UsageError
from iiccli.media.stereo import guess_layout, read_stereo, read_stereo_files, split
from iiccli.media.stereo_writing import combined, write_mpo
from tests.conftest import Pixels, psnr
from tests.tasks.pairs import views

LEFT, RIGHT = views(96, 128)


def put(path: Path, pixels: Pixels, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def same(a: Pixels, b: Pixels) -> bool:
    return a.shape == b.shape and bool((a == b).all())


@pytest.mark.parametrize("layout", ["sbs", "sbs-cross", "over-under"])
def test_split_undoes_combined(layout: str) -> None:
    left, right, note = split(combined(LEFT, RIGHT, layout), layout, "x")
    assert same(left, LEFT)
    assert same(right, RIGHT)
    assert note == ""


def test_the_middle_column_of_an_odd_width_is_left_out() -> None:
    gap = np.zeros((96, 1, 3), np.uint8)
    left, right, note = split(np.concatenate((LEFT, gap, RIGHT), axis=1), "sbs", "x")
    assert same(left, LEFT)
    assert same(right, RIGHT)
    assert "257 columns" in note
    assert "row" in split(np.zeros((5, 4, 3), np.uint8), "over-under", "x")[2]


def test_no_halves_in_one_column() -> None:
    with pytest.raises(UsageError, match="too small"):
        split(np.zeros((5, 1, 3), np.uint8), "sbs", "one.png")


@pytest.mark.parametrize("layout", ["sbs", "over-under"])
def test_two_views_in_one_picture_are_seen(layout: str, tmp_path: Path) -> None:
    both = combined(LEFT, RIGHT, layout)
    assert guess_layout(both) == layout
    pair = read_stereo(put(tmp_path / "both.png", both))
    assert pair.layout == layout
    assert same(pair.left.pixels, LEFT)
    assert same(pair.right.pixels, RIGHT)
    assert any(f"taken as {layout}" in note for note in pair.notes)


@pytest.mark.parametrize(
    "pixels",
    [
        LEFT,
        np.concatenate((LEFT, views(96, 128, seed=8)[0]), axis=1),
        np.zeros((40, 80, 3), np.uint8),
        np.add.outer(np.arange(60), np.zeros((90, 3))).astype(np.uint8),
        np.zeros((2, 4, 3), np.uint8),
    ],
    ids=["one view", "two pictures", "black", "a sky", "tiny"],
)
def test_in_doubt_the_layout_is_asked_for(pixels: Pixels, tmp_path: Path) -> None:
    assert guess_layout(pixels) is None
    with pytest.raises(UsageError) as caught:
        read_stereo(put(tmp_path / "doubt.png", pixels))
    assert "--layout" in caught.value.hint


def test_the_suffix_jps_says_crossed(tmp_path: Path) -> None:
    file = tmp_path / "x.jps"
    put(file, combined(LEFT, RIGHT, "sbs-cross"), format="JPEG", quality=95, subsampling=0)
    pair = read_stereo(file)
    assert pair.layout == "sbs-cross"
    assert psnr(pair.left.pixels, LEFT) > 35
    assert psnr(pair.right.pixels, RIGHT) > 35


def jps(path: Path, both: Pixels, flags: int, layout: int, kind: int = 1) -> Path:
    stream = io.BytesIO()
    Image.fromarray(both).save(stream, "JPEG", quality=95)
    block = b"_JPSJPS_" + struct.pack(">HBBBB", 4, 0, flags, layout, kind)
    data = stream.getvalue()
    path.write_bytes(data[:2] + b"\xff\xe3" + struct.pack(">H", len(block) + 2) + block + data[2:])
    return path


@pytest.mark.parametrize(
    ("flags", "code", "layout"),
    [(4, 2, "sbs"), (0, 2, "sbs-cross"), (4, 3, "over-under"), (4, 1, "sbs-cross")],
)
def test_a_jps_block_says_more_than_the_suffix(
    flags: int, code: int, layout: str, tmp_path: Path
) -> None:
    file = jps(tmp_path / "x.jps", combined(LEFT, RIGHT, layout), flags, code)
    pair = read_stereo(file)
    assert pair.layout == layout
    assert psnr(pair.right.pixels, RIGHT) > 30


def test_a_jps_block_with_the_right_view_above_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_stereo(jps(tmp_path / "x.jps", LEFT, 0, 3))
    assert "--swap" in caught.value.hint


def test_mpo_there_and_back(tmp_path: Path) -> None:
    write_mpo(tmp_path / "x.mpo", LEFT, RIGHT)
    for layout in ("auto", "mpo"):
        pair = read_stereo(tmp_path / "x.mpo", layout)
        assert pair.layout == "mpo"
        assert pair.notes == ()
        assert psnr(pair.left.pixels, LEFT) > 35
        assert psnr(pair.right.pixels, RIGHT) > 35


def test_a_map_of_brightness_is_no_second_view(tmp_path: Path) -> None:
    """Telephones put one into their pictures, smaller than these."""
    first, small = Image.fromarray(LEFT), Image.fromarray(LEFT[::4, ::4].copy())
    first.save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=[small])
    with pytest.raises(UsageError, match="not plain"):
        read_stereo(tmp_path / "x.jpg")
    assert read_stereo(tmp_path / "x.jpg", "mpo").right.pixels.shape == (24, 32, 3)


def test_an_undeclared_mpo_of_two_alike_is_a_pair(tmp_path: Path) -> None:
    first, second = Image.fromarray(LEFT), Image.fromarray(RIGHT)
    first.save(tmp_path / "x.mpo", "MPO", save_all=True, append_images=[second])
    assert read_stereo(tmp_path / "x.mpo").layout == "mpo"


def test_no_mpo(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two pictures"):
        read_stereo(put(tmp_path / "x.png", LEFT), "mpo")
    with pytest.raises(UsageError, match="no layout 'diagonal'"):
        read_stereo(tmp_path / "x.png", "diagonal")


def test_a_truncated_mpo(tmp_path: Path) -> None:
    write_mpo(tmp_path / "x.mpo", LEFT, RIGHT)
    data = (tmp_path / "x.mpo").read_bytes()
    (tmp_path / "x.mpo").write_bytes(data[: int(0.7 * len(data))])
    with pytest.raises(InputError, match=r"x\.mpo"):
        read_stereo(tmp_path / "x.mpo", "mpo")


def test_two_files_of_any_kind(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn to the right
    left = put(tmp_path / "l.png", np.dstack((LEFT, np.full((96, 128), 0, np.uint8))))
    right = put(tmp_path / "r.jpg", RIGHT, exif=exif)
    pair = read_stereo_files(left, right)
    assert (pair.left.pixels == 255).all()
    assert pair.left.alpha is None
    assert pair.right.pixels.shape == (128, 96, 3)
    assert pair.notes == ("transparent parts of the left view are shown on white",)


def test_the_right_view_takes_the_left_ones_profile(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    left = put(tmp_path / "l.png", LEFT, icc_profile=profile)
    right = put(tmp_path / "r.png", RIGHT)
    pair = read_stereo_files(left, right)
    assert pair.left.icc == pair.right.icc == profile
    assert np.abs(pair.right.pixels.astype(int) - RIGHT).max() <= 2
