"""Carriers that were turned or mirrored since, and those with an alpha channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier, write_carrier
from iiccli.carrier.turning import turned_back
from iiccli.errors import NotACarrierError
from tests.carrier.conftest import make_header, noise

WAYS = [
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_found_however_it_was_turned(
    tmp_path: Path, way: Image.Transpose, channels: int
) -> None:
    alpha = noise(120, 128, 1, seed=2)
    made = write_carrier(
        tmp_path / "made.png", noise(120, 128, channels), make_header((128, 120)), alpha=alpha
    )
    with Image.open(tmp_path / "made.png") as image:
        turned = image.transpose(way)
    turned.info.clear()
    turned.save(tmp_path / "turned.png")
    carrier = read_carrier(tmp_path / "turned.png")
    assert carrier.state == "stripped"
    assert (carrier.pixels == made).all()
    assert carrier.alpha is not None
    assert (carrier.alpha == alpha).all()
    assert any("since it was made, which was undone" in note for note in carrier.notes)


def test_each_way_is_tried_once() -> None:
    shape = np.arange(6).reshape(2, 3)
    ways = {turned.tobytes() + bytes(turned.shape) for _, turned in turned_back(shape)}
    assert len(ways) == 7
    assert shape.tobytes() + bytes(shape.shape) not in ways


def test_words_say_what_was_done(tmp_path: Path) -> None:
    write_carrier(tmp_path / "made.png", noise(120, 128), make_header((128, 120)))
    with Image.open(tmp_path / "made.png") as image:
        Image.fromarray(np.rot90(np.asarray(image), -1)).save(tmp_path / "clockwise.png")
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    assert "turned clockwise by 90°" in " ".join(read_carrier(tmp_path / "clockwise.png").notes)
    assert "It was mirrored since" in " ".join(read_carrier(tmp_path / "mirrored.png").notes)


def test_turned_with_its_metadata(tmp_path: Path) -> None:
    header = make_header((128, 120))
    made = write_carrier(tmp_path / "made.png", noise(120, 128), header)
    from PIL import PngImagePlugin

    with Image.open(tmp_path / "made.png") as image:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("iic", image.text["iic"])
        turned = Image.fromarray(np.ascontiguousarray(np.rot90(np.asarray(image))))
    turned.save(tmp_path / "turned.png", pnginfo=chunks)
    carrier = read_carrier(tmp_path / "turned.png")
    assert carrier.state == "whole"
    assert carrier.header.complete
    assert (carrier.pixels == made).all()
    painted = np.rot90(made).copy()
    painted[60, 60] ^= 255
    Image.fromarray(painted).save(tmp_path / "painted.png", pnginfo=chunks)
    carrier = read_carrier(tmp_path / "painted.png")
    assert carrier.state == "changed"
    assert carrier.pixels.shape == made.shape


def test_turned_and_cropped_is_none(tmp_path: Path) -> None:
    made = write_carrier(tmp_path / "made.png", noise(120, 128), make_header((128, 120)))
    Image.fromarray(np.rot90(made)[:-8].copy()).save(tmp_path / "less.png")
    with pytest.raises(NotACarrierError):
        read_carrier(tmp_path / "less.png")


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_travels_and_hides_no_colour(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"made.{suffix}"
    alpha = noise(80, 96, 1, seed=1)
    alpha[:40] = 0
    made = write_carrier(path, noise(80, 96, channels), make_header(), alpha=alpha)
    carrier = read_carrier(path)
    assert carrier.state == "whole"
    assert (carrier.pixels.reshape(made.shape) == made).all()
    assert carrier.alpha is not None
    assert (carrier.alpha == alpha).all()


def test_an_alpha_that_is_opaque_is_none(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    write_carrier(path, noise(80, 96), make_header(), alpha=np.full((80, 96), 255, np.uint8))
    with Image.open(path) as image:
        assert image.mode == "RGB"


def test_a_lost_alpha_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    made = write_carrier(path, noise(80, 96), make_header(), alpha=noise(80, 96, 1))
    with Image.open(path) as image:
        image.convert("RGB").save(tmp_path / "flat.png")  # drops alpha, keeps colours
    carrier = read_carrier(tmp_path / "flat.png")
    assert carrier.state == "stripped"
    assert (carrier.pixels == made).all()
    assert carrier.alpha is None


def test_an_alpha_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="alpha"):
        write_carrier(tmp_path / "a.png", noise(80, 96), make_header(), alpha=noise(96, 80, 1))
