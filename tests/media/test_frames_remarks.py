"""Folders of frames: what their profiles, depth and transparency come to, and that it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.benchmarking import adobe_rgb
from iiccli.media.animation import AnimationClip
from iiccli.media.clip import open_clip
from iiccli.media.image import Picture, read_picture
from iiccli.media.profiles import foreign, in_profile
from tests.media.conftest import smooth
from tests.media.test_profiles import SRGB, swapped

ADOBE = adobe_rgb.profile()
ADOBE_NAME = "compatible with Adobe RGB (1998)"


def named(name: bytes) -> bytes:
    """The profile of Adobe's kind by another name of the same length."""
    assert len(name) == len(ADOBE_NAME)
    return ADOBE.replace(ADOBE_NAME.encode(), name)


def put(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def test_colours_of_another_profile_come_as_srgb_and_that_is_said_once(tmp_path: Path) -> None:
    put(tmp_path / "1.png", smooth(20, 30))
    put(tmp_path / "2.png", smooth(20, 30), icc_profile=ADOBE)
    put(tmp_path / "3.webp", smooth(20, 30), icc_profile=swapped(), lossless=True)
    put(tmp_path / "4.png", smooth(20, 30), icc_profile=SRGB)
    put(tmp_path / "5.tif", smooth(20, 30), icc_profile=ADOBE)
    clip = open_clip(tmp_path)
    assert clip.notes == (
        f"3 of 5 frames: colours converted to sRGB from {ADOBE_NAME} and sRGB built-in",
    )
    plain, adobe, other, same, again = clip.read(range(5))
    assert (plain == smooth(20, 30)).all()
    assert (same == plain).all()
    wanted = in_profile(read_picture(tmp_path / "2.png"), None).pixels
    assert np.abs(wanted.astype(int) - plain).max() > 5
    assert (adobe == wanted).all()
    assert (again == wanted).all()
    assert np.abs(other.astype(int) - plain[..., ::-1]).max() <= 2


def test_frames_that_lose_nothing_say_nothing(tmp_path: Path) -> None:
    put(tmp_path / "1.png", smooth(20, 30), icc_profile=SRGB)
    put(tmp_path / "2.jpg", smooth(20, 30))
    put(tmp_path / "3.png", smooth(20, 30)[..., 0])
    put(tmp_path / "4.bmp", smooth(20, 30))
    assert open_clip(tmp_path).notes == ()


def test_whatever_else_is_changed_is_said(tmp_path: Path) -> None:
    whole = np.dstack((smooth(20, 30), np.full((20, 30), 255, np.uint8)))
    whole[:5, :, 3] = 0
    put(tmp_path / "1.png", whole)
    put(tmp_path / "2.png", smooth(20, 30)[..., 0].astype(np.uint16) * 257)
    Image.fromarray(smooth(20, 30)).convert("CMYK").save(tmp_path / "3.tif")
    put(tmp_path / "4.png", smooth(20, 30), icc_profile=b"nonsense")
    first, *rest = (Image.fromarray(smooth(20, 30) // k) for k in (1, 2))
    first.save(tmp_path / "5.gif", save_all=True, append_images=rest)
    put(tmp_path / "6.png", whole)
    clip = open_clip(tmp_path)
    assert set(clip.notes) == {
        "2 of 6 frames: what its alpha channel leaves transparent is shown on white",
        "1 of 6 frames: reduced to 8 bits per channel",
        "1 of 6 frames: CMYK converted to RGB",
        "1 of 6 frames: a damaged colour profile was left out",
        "1 of 6 frames: the first of several pictures in it was taken",
    }
    frames = list(clip.read(range(6)))
    assert (frames[0][:5] == 255).all()
    assert (frames[0][5:] == smooth(20, 30)[5:]).all()
    assert (frames[1] == smooth(20, 30)[..., :1]).all()


def test_an_animation_in_another_profile(tmp_path: Path) -> None:
    frames = [Image.fromarray(smooth(20, 30) // k) for k in (1, 2)]
    path = tmp_path / "a.webp"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], lossless=True, icc_profile=swapped()
    )
    clip = open_clip(path)
    assert isinstance(clip, AnimationClip)
    assert clip.notes == ("its colours are converted to sRGB from sRGB built-in",)
    for frame, made in zip(clip.read([0, 1]), frames, strict=True):
        assert np.abs(frame.astype(int) - np.asarray(made)[..., ::-1]).max() <= 2


@pytest.mark.parametrize("icc", [None, b"", b"nonsense", SRGB])
def test_what_is_no_other_profile(icc: bytes | None) -> None:
    assert foreign(icc) == ""


def test_a_profiles_name_cannot_write_to_the_terminal() -> None:
    rude = named(b"\x1b[2J\x07like what is in Adobe's RGB")
    assert foreign(rude) == "[2Jlike what is in Adobe's RGB"
    assert foreign(named(b"\n" * len(ADOBE_NAME))) == "another profile"
    assert in_profile(Picture(smooth(8, 9), icc=ADOBE), None).notes
