"""A wide and a near view in one carrier: the zoom on both sides, and what a header may say."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import Header, read_carrier
from iiccli.errors import DamagedCarrierError, InputError, UsageError
from iiccli.tasks.dual_view import check_zoom, embed_dual, outputs, views_of, zoom_of
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.zoo.catalogue import Entry
from tests.conftest import Pixels, moving_clip, psnr
from tests.tasks.pairs import put_pair_models
from tests.transform_tables import Group

PHOTO = moving_clip(256, 320, 1, seed=4)[0]
WIDE, TELE = views_of(PHOTO, 2)


@pytest.fixture(scope="module")
def model_file(training_groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = put_pair_models(tmp_path_factory.mktemp("pair-models"), training_groups)
    return folder / "dual.v1.safetensors"


@pytest.fixture
def loader(model_file: Path) -> Loader:
    return Loader(device="cpu", override=str(model_file))


@pytest.fixture
def model(loader: Loader, model_file: Path) -> LoadedModel:
    return loader.load(Entry("dual.v1", model_file))


def put(path: Path, pixels: Pixels) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def back(loader: Loader, path: Path) -> list[Pixels]:
    carrier = read_carrier(path)
    found = outputs(carrier.header, restore_pictures(loader, carrier))
    assert [output.name for output in found] == ["wide", "tele"]
    return [output.pixels for output in found]


def test_two_views_of_one_picture() -> None:
    wide, tele = views_of(PHOTO[:255, :319], 4)
    assert wide.shape == tele.shape == (62, 78, 3)
    # Cut to 248 × 312, of which the middle 62 × 78 begins at 93 and 117 (and 3 at the border).
    assert (tele == PHOTO[3 + 93 : 3 + 155, 3 + 117 : 3 + 195]).all()
    mean = PHOTO[3:251, 3:315].reshape(62, 4, 78, 4, 3).mean(axis=(1, 3))
    assert psnr(wide, mean.round().astype(np.uint8)) > 30


def test_too_small_for_two_views() -> None:
    assert views_of(PHOTO[:16, :16], 8)[1].shape == (2, 2, 3)
    with pytest.raises(InputError, match="too small"):
        views_of(PHOTO[:15, :16], 8)


def test_there_and_back_at_the_zoom_found(
    model: LoadedModel, loader: Loader, tmp_path: Path
) -> None:
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "t.png", TELE)]
    told: list[str] = []
    made = embed_dual(sources, tmp_path / "c.png", model, note=told.append)
    assert zoom_of(made.header) == pytest.approx(2, rel=0.01)
    assert "t.png is 2.0" in told[0] or "t.png is 1.99" in told[0]
    wide, tele = back(loader, made.path)
    assert psnr(wide, WIDE) > 40
    assert psnr(tele, TELE) > 24


def test_one_picture_is_enough(model: LoadedModel, loader: Loader, tmp_path: Path) -> None:
    made = embed_dual([put(tmp_path / "p.png", PHOTO)], tmp_path / "c.png", model, zoom=2)
    assert zoom_of(made.header) == 2
    assert (made.cover == WIDE).all()
    assert (made.originals[1].pixels == TELE).all()
    assert len(back(loader, made.path)) == 2


def test_both_sides_compute_with_the_same_zoom(
    model: LoadedModel, loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def spy(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, zoom: float, **more: Any) -> Any:
            seen.append(zoom)
            return inner(*args, zoom=zoom, **more)

        return call

    for name in ("embed", "restore"):
        monkeypatch.setattr(model.converter, name, spy(getattr(model.converter, name)))
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "t.png", TELE)]
    made = embed_dual(sources, tmp_path / "c.png", model, zoom=10 / 3)
    back(loader, made.path)
    back(loader, put(tmp_path / "stripped.png", made.pixels))
    assert seen == [218453 / 65536] * 3


def test_a_near_view_of_another_size_comes_back_at_its_own(
    model: LoadedModel, loader: Loader, tmp_path: Path
) -> None:
    small = np.asarray(Image.fromarray(TELE).resize((101, 77)))
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "t.png", small)]
    told: list[str] = []
    made = embed_dual(sources, tmp_path / "c.png", model, zoom=2, note=told.append)
    assert "from 101×77 to 160×128" in told[0]
    for path in (made.path, put(tmp_path / "stripped.png", made.pixels)):
        assert back(loader, path)[1].shape == (77, 101, 3)


@pytest.mark.parametrize(("rule", "shape"), [("pad", (60, 120, 3)), ("crop", (60, 75, 3))])
def test_a_near_view_of_other_proportions(
    model: LoadedModel, loader: Loader, tmp_path: Path, rule: Any, shape: tuple[int, ...]
) -> None:
    wide = np.asarray(Image.fromarray(TELE).resize((120, 60)))
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "t.png", wide)]
    made = embed_dual(sources, tmp_path / "c.png", model, zoom=2, fit=rule)
    for path in (made.path, put(tmp_path / "stripped.png", made.pixels)):
        tele = back(loader, path)[1]
        assert tele.shape == shape == made.originals[1].pixels.shape
        assert psnr(tele, made.originals[1].pixels) > 20


def test_what_does_not_match_is_refused_by_name(model: LoadedModel, tmp_path: Path) -> None:
    other = moving_clip(128, 160, 1, seed=9)[0]
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "other.png", other)]
    with pytest.raises(InputError, match=r"other\.png is not found in the middle of w\.png") as e:
        embed_dual(sources, tmp_path / "c.png", model)
    assert "--zoom" in e.value.hint
    embed_dual(sources, tmp_path / "c.png", model, zoom=2)


def test_sizes_that_cannot_go_together(model: LoadedModel, tmp_path: Path) -> None:
    sources = [put(tmp_path / "w.png", WIDE), put(tmp_path / "t.png", TELE[:5])]
    with pytest.raises(InputError, match="do not go together"):
        embed_dual(sources, tmp_path / "c.png", model, zoom=2)


@pytest.mark.parametrize("zoom", [0.5, 64.1, -2, float("nan"), float("inf")])
def test_impossible_zooms(zoom: float) -> None:
    with pytest.raises(UsageError, match="impossible"):
        check_zoom(zoom, single=False)


@pytest.mark.parametrize("zoom", [None, 1, 3, 2.5, 16])
def test_one_picture_needs_a_zoom_of_three(zoom: float | None) -> None:
    with pytest.raises(UsageError, match="2, 4, 8"):
        check_zoom(zoom, single=True)


def header(essentials: bytes) -> Header:
    return Header(
        task="dual",
        model="dual.v1",
        model_hash="0" * 64,
        size=(160, 128),
        pictures=2,
        reference=0,
        valid=2,
        essentials=essentials,
    )


@pytest.mark.parametrize("fixed", [0, 65535, 64 * 65536 + 1, 2**32 - 1])
def test_a_header_with_an_impossible_zoom(fixed: int) -> None:
    with pytest.raises(DamagedCarrierError):
        zoom_of(header(struct.pack(">IIIHH", 160, 128, fixed, 160, 128)))


def test_a_header_without_zoom() -> None:
    with pytest.raises(DamagedCarrierError):
        zoom_of(header(b"\0" * 8))


@pytest.mark.parametrize("own", [(0, 0), (65535, 65535), (9, 128), (160, 2049)])
def test_a_header_is_not_believed(own: tuple[int, int]) -> None:
    lying = header(struct.pack(">IIIHH", 160, 128, 131072, *own))
    found = outputs(lying, RestoredPictures([WIDE, TELE], 0, None))
    assert (found[1].pixels == TELE).all()
    with pytest.raises(DamagedCarrierError):
        outputs(lying, RestoredPictures([WIDE], 0, None))
