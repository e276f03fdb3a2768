"""Bringing pictures to one profile."""

from __future__ import annotations

import struct

import numpy as np
from PIL import ImageCms

from iiccli.media.image import Picture
from iiccli.media.profiles import in_profile
from tests.media.conftest import smooth

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """A profile in which red and blue have changed places: their tags have."""
    names = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ", b"rTRC": b"bTRC", b"bTRC": b"rTRC"}
    profile = bytearray(SRGB)
    (count,) = struct.unpack_from(">I", profile, 128)
    for i in range(count):
        place = 132 + 12 * i
        name = bytes(profile[place : place + 4])
        profile[place : place + 4] = names.get(name, name)
    return bytes(profile)


def test_the_same_profile_changes_nothing() -> None:
    picture = Picture(smooth(8, 9), icc=SRGB, notes=("read somehow",))
    found = in_profile(picture, SRGB)
    assert found.pixels is picture.pixels
    assert found.notes == ()


def test_two_descriptions_of_one_space_change_nothing() -> None:
    picture = Picture(smooth(8, 9))
    found = in_profile(picture, SRGB)
    assert found.pixels is picture.pixels
    assert (found.icc, found.notes) == (SRGB, ())


def test_colours_stay_and_samples_change() -> None:
    picture = Picture(smooth(8, 9), alpha=np.full((8, 9), 7, np.uint8), icc=swapped(), xmp=b"x")
    found = in_profile(picture, None)
    assert np.abs(found.pixels.astype(int) - picture.pixels[..., ::-1]).max() <= 2
    assert found.icc is None
    assert found.notes == ("its colours were converted to the other's profile",)
    assert (found.alpha is picture.alpha, found.xmp) == (True, b"x")
    there = in_profile(Picture(smooth(8, 9)), swapped())
    assert np.abs(there.pixels.astype(int) - smooth(8, 9)[..., ::-1]).max() <= 2


def test_a_profile_of_no_use_is_said() -> None:
    picture = Picture(smooth(8, 9), icc=b"no profile")
    found = in_profile(picture, None)
    assert found.pixels is picture.pixels
    assert (found.icc, found.notes) == (None, ("its colour profile could not be converted",))
