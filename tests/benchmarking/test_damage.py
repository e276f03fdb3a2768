"""What happens to pictures on their way."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from iiccli.benchmarking import adobe_rgb
from iiccli.benchmarking.damage import DAMAGES, damaged, words
from tests.conftest import Pixels
from tests.task_models import photograph


@pytest.fixture
def carrier(tmp_path: Path) -> Path:
    path = tmp_path / "carrier.png"
    Image.fromarray(photograph(100, 200, 1)).save(path)
    return path


def after(name: str, carrier: Path) -> tuple[Path, Pixels]:
    before = carrier.read_bytes()
    place = carrier.parent / "damaged"
    place.mkdir(exist_ok=True)
    path = damaged(name, carrier, place)
    assert carrier.read_bytes() == before
    assert path.parent == place
    with Image.open(path) as image:
        return path, np.asarray(image)


def test_all_are_described() -> None:
    assert list(words()) == list(DAMAGES)


@pytest.mark.parametrize("name", ["none", "lossless re-save"])
def test_nothing_changes(name: str, carrier: Path) -> None:
    assert np.array_equal(after(name, carrier)[1], photograph(100, 200, 1))


def test_one_per_cent_is_painted(carrier: Path) -> None:
    changed = (after("1 % painted", carrier)[1] != photograph(100, 200, 1)).any(axis=2)
    assert changed.mean() == pytest.approx(0.01, abs=0.0005)


def test_noise_is_one_at_most(carrier: Path) -> None:
    apart = after("±1 noise", carrier)[1].astype(int) - photograph(100, 200, 1)
    assert set(np.unique(apart)) == {-1, 0, 1}
    assert (apart != 0).mean() == pytest.approx(2 / 3, abs=0.02)


def test_profiles_round_a_little(carrier: Path) -> None:
    apart = np.abs(after("colour profile", carrier)[1].astype(int) - photograph(100, 200, 1))
    assert 0 < apart.mean() < 1


@pytest.mark.parametrize("quality", [95, 90, 80])
def test_jpeg(quality: int, carrier: Path) -> None:
    path, pixels = after(f"JPEG {quality}", carrier)
    assert path.suffix == ".jpg"
    assert pixels.shape == (100, 200, 3)


@pytest.mark.parametrize("name", ["crop to 90 %", "resize to 0.9"])
def test_smaller(name: str, carrier: Path) -> None:
    pixels = after(name, carrier)[1]
    assert pixels.shape == (90, 180, 3)
    middle = photograph(100, 200, 1)[5:95, 10:190]
    assert np.array_equal(pixels, middle) == (name == "crop to 90 %")


@pytest.mark.parametrize("name", list(DAMAGES))
def test_gray_stays_gray(name: str, tmp_path: Path) -> None:
    Image.fromarray(photograph(40, 60, 1)[..., 0]).save(tmp_path / "carrier.png")
    assert after(name, tmp_path / "carrier.png")[1].ndim == 2


def test_the_profile_is_adobe_rgb() -> None:
    adobe = ImageCms.ImageCmsProfile(io.BytesIO(adobe_rgb.profile()))
    colours = [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128], [255, 255, 255]]]
    image = Image.fromarray(np.array(colours, np.uint8))
    there = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), adobe, outputMode="RGB"
    )
    assert there is not None
    # As published: sRGB's red is (219, 0, 0), its green (144, 255, 60), its blue (0, 0, 250).
    wanted = [[219, 0, 0], [144, 255, 60], [0, 0, 250], [127, 127, 127], [255, 255, 255]]
    assert np.abs(np.asarray(there).astype(int)[0] - wanted).max() <= 1
