"""Pictures into a carrier and back, apart from any clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from iiccli.carrier import Carrier, Header, header_samples, read_carrier, write_carrier
from iiccli.errors import DamagedCarrierError, ModelError, UsageError
from iiccli.networks.fast import FastConfig, FastNet
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import QUALITIES, embed_pictures, quality_index, restore_pictures
from iiccli.zoo import catalogue
from iiccli.zoo.catalogue import find
from iiccli.zoo.modelfile import Card, load_model, save_model
from tests.conftest import Pixels, moving_clip, psnr


@pytest.fixture(autouse=True)
def only_tiny_models(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield tiny_models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.fixture
def loader() -> Loader:
    return Loader(device="cpu")


@pytest.fixture
def model(loader: Loader) -> LoadedModel:
    return loader.load(find("video-3"))


def carried(
    tmp_path: Path, model: LoadedModel, pictures: list[Pixels], reference: int = 1
) -> Carrier:
    pixels, header = embed_pictures(model, pictures, reference, "balanced")
    path = tmp_path / "carrier.png"
    same = pixels.shape == pictures[0].shape
    target = pictures[reference] if same else None
    write_carrier(path, pixels, header, target=target, force=True)
    return read_carrier(path)


@pytest.mark.parametrize(
    ("count", "levels"), [(1, [0, 0, 0]), (2, [0, 1, 1]), (3, [0, 1, 2]), (5, [0, 2, 4])]
)
def test_qualities_of_a_model_with_more_or_fewer(count: int, levels: list[int]) -> None:
    assert [quality_index(name, count) for name in QUALITIES] == levels


def test_no_such_quality() -> None:
    with pytest.raises(UsageError, match="no quality 'best'") as caught:
        quality_index("best", 3)
    assert caught.value.hint == "Choose one of: cover, balanced, content."


@pytest.mark.parametrize("count", [1, 2, 3])
def test_order_is_kept_and_fillers_are_left_out(
    tmp_path: Path, model: LoadedModel, loader: Loader, count: int
) -> None:
    pictures = [np.full((32, 40, 3), 60 + 60 * i, np.uint8) for i in range(count)]
    for reference in range(count):
        carrier = carried(tmp_path, model, pictures, reference)
        assert (carrier.header.valid, carrier.header.pictures) == (count, 3)
        restored = restore_pictures(loader, carrier)
        assert restored.reference == reference
        assert restored.notes == ()
        for picture, original in zip(restored.pictures, pictures, strict=True):
            assert abs(float(picture.mean()) - float(original.mean())) < 8


def test_the_header_s_samples_carry_no_message(tmp_path: Path, model: LoadedModel) -> None:
    pictures = moving_clip(64, 64, 3, seed=2)
    pixels, header = embed_pictures(model, pictures, 1, "cover")
    there = header_samples(64, 64, 3)
    assert there.any()
    assert (pixels[there] == pictures[1][there]).all()
    assert int.from_bytes(header.essentials[:4], "big") == 64


def test_what_cannot_be_embedded(model: LoadedModel) -> None:
    pictures = moving_clip(16, 16, 3)
    for reference in (-1, 3):
        with pytest.raises(UsageError, match="no picture"):
            embed_pictures(model, pictures, reference, "cover")
    with pytest.raises(UsageError, match="differ in size"):
        embed_pictures(model, [*pictures[:2], pictures[2][1:]], 0, "cover")
    with pytest.raises(ModelError, match="takes 3 pictures, not 4"):
        embed_pictures(model, [*pictures, pictures[0]], 0, "cover")


def test_a_header_that_lies(tmp_path: Path, model: LoadedModel, loader: Loader) -> None:
    """Nothing in a carrier is trusted; what it promises too much is left out."""
    carrier = carried(tmp_path, model, moving_clip(32, 40, 3, seed=3))
    for fields in (
        {"pictures": 255, "valid": 255, "reference": 200},
        {"quality": 15},
        {"essentials": b"\xff" * 8},
        {"essentials": b""},
        {"valid": 1, "reference": 2},
    ):
        lying = replace(carrier, header=replace(carrier.header, **fields))
        try:
            restored = restore_pictures(loader, lying)
        except DamagedCarrierError:
            continue
        assert 1 <= len(restored.pictures) <= 3
        assert 0 <= restored.reference < len(restored.pictures)
        assert all(picture.shape == (32, 40, 3) for picture in restored.pictures)


def test_a_gray_file_is_taken_for_rgb(tmp_path: Path, model: LoadedModel, loader: Loader) -> None:
    carrier = carried(tmp_path, model, moving_clip(32, 40, 3, seed=3))
    with pytest.raises(DamagedCarrierError, match=r"Nothing of the message in carrier\.png"):
        restore_pictures(loader, replace(carrier, pixels=carrier.pixels[..., 0]))


def test_another_model_of_the_same_shape_is_named(
    tmp_path: Path, model: LoadedModel, loader: Loader, tiny_models: Path
) -> None:
    carrier = carried(tmp_path, model, moving_clip(64, 64, 3, seed=4))
    card, state = load_model(tiny_models / "video-3.v1.safetensors")
    other = tmp_path / "other.safetensors"
    save_model(other, card, {k: v + 1 if k.endswith("waters") else v for k, v in state.items()})
    (tmp_path / "five").mkdir()
    forced = Loader(device="cpu", override="video-5")
    with pytest.raises(ModelError, match=r"made by video-3\.v1; video-5\.v1 cannot restore it"):
        restore_pictures(forced, carrier)
    blank = replace(carrier, pixels=np.full_like(carrier.pixels, 90))
    save_model(other, replace(card, name="twin"), state, force=True)
    with pytest.raises(ModelError, match="twin cannot restore it"):
        restore_pictures(Loader(device="cpu", override=str(other)), blank)
    restored = restore_pictures(Loader(device="cpu", override=str(other)), carrier)
    assert restored.notes == ("restored with twin, though made by video-3.v1",)


def test_models_are_loaded_once(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loader.load(find("video-3"))
    monkeypatch.setattr("iiccli.tasks.models.load_model", None)
    assert loader.load(find("video-3.v1")) is first
    facts = {"task": "video", "size": (1, 1), "pictures": 1, "reference": 0, "valid": 1}
    stripped = Header(model="", model_hash=first.hash[:16], **facts)
    assert loader.load_for_carrier(stripped) is first
    with pytest.raises(ModelError, match="not here"):
        loader.load_for_carrier(Header(model="elsewhere.v1", model_hash="1" * 64, **facts))


def test_names_that_no_header_can_hold(tmp_path: Path, loader: Loader, tiny_models: Path) -> None:
    card, state = load_model(tiny_models / "video-3.v1.safetensors")
    for name, expected in (("mein Modell", "mein-Modell"), ("", "unnamed"), ("x" * 99, "x" * 64)):
        path = tmp_path / "m.safetensors"
        save_model(path, replace(card, name=name), state, force=True)
        loaded = loader.load(find(str(path)))
        assert loaded.name == expected
        assert Header(
            task="video",
            model=loaded.name,
            model_hash=loaded.hash,
            size=(1, 1),
            pictures=1,
            reference=0,
            valid=1,
        ).complete


def test_a_carrier_smaller_than_its_pictures(tmp_path: Path, loader: Loader) -> None:
    torch.manual_seed(0)
    net = FastNet(FastConfig(1, width=8, blocks=1, scale=2, start="rescale", quantiser="plain"))
    card = Card("half.v1", "rescale", "fast", asdict(net.config))
    path = tmp_path / "half.v1.safetensors"
    save_model(path, card, net.state_dict())
    half = loader.load(find(str(path)))
    (picture,) = moving_clip(37, 51, 1, seed=5)
    carrier = carried(tmp_path, half, [picture], 0)
    assert carrier.pixels.shape == (19, 26, 3)
    (back,) = restore_pictures(loader, carrier).pictures
    assert back.shape == picture.shape
    assert psnr(back, picture) > 20
    # Without a believable size, the nearest that fits.
    odd = replace(carrier, header=replace(carrier.header, essentials=b"\xff" * 8))
    assert restore_pictures(loader, odd).pictures[0].shape == (38, 52, 3)
