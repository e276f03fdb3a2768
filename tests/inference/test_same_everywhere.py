"""The models that ship: the same twice, whatever the threads, the tiles and the device."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from iiccli.inference.converter import Converter, make_converter
from iiccli.zoo.modelfile import load_model
from tests.conftest import Pixels, moving_clip, psnr, reference_first

MODELS = Path(__file__).parents[2] / "models"
SIZE = (80, 104)
NAMES = ["video-5.v3", "hide-1.v1", "gray.v1"]
MISSING = [name for name in NAMES if not (MODELS / f"{name}.safetensors").exists()]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not here: {MISSING}")


def converter_of(name: str, tile: int = 512, device: str = "cpu") -> Converter:
    path = MODELS / f"{name}.safetensors"
    return make_converter(*load_model(path), torch.device(device), tile)


def pictures_for(name: str) -> list[Pixels]:
    if name.startswith("video"):
        return reference_first(moving_clip(*SIZE, 5, (2, 1), seed=3))
    if name.startswith("hide"):
        return [moving_clip(*SIZE, 1, (0, 0), seed=seed)[0] for seed in (4, 5)]
    return moving_clip(*SIZE, 1, (0, 0), seed=6)


def embedded(converter: Converter, pictures: Sequence[Pixels]) -> Pixels:
    free = np.ones((*SIZE, converter.channels), bool)
    return converter.embed(pictures, 1, free)


def restored(converter: Converter, carrier: Pixels) -> list[Pixels]:
    free = np.ones((*SIZE, converter.channels), bool)
    return converter.restore(carrier, SIZE[::-1], 1, free).pictures


def quality(back: Sequence[Pixels], pictures: Sequence[Pixels]) -> float:
    return float(np.mean([psnr(a, b) for a, b in zip(back, pictures, strict=True)]))


@pytest.mark.parametrize("name", NAMES)
def test_twice_the_same_and_no_matter_how_many_threads_or_how_large_the_tiles(name: str):
    pictures = pictures_for(name)
    converter = converter_of(name)
    carrier = embedded(converter, pictures)
    back = restored(converter, carrier)
    assert np.array_equal(carrier, embedded(converter_of(name), pictures))
    assert np.array_equal(back, restored(converter_of(name), carrier))
    good = quality(back, pictures)
    assert good > 30
    torch.set_num_threads(2)
    other = embedded(converter, pictures)
    torch.set_num_threads(1)
    assert quality(restored(converter, other), pictures) == pytest.approx(good, abs=0.01)
    for tile in (64, 128):
        tiled = quality(restored(converter_of(name, tile), carrier), pictures)
        assert tiled == pytest.approx(good, abs=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_halved_on_the_cpu(name: str):
    inner = vars(converter_of(name))
    kinds = {p.dtype for p in inner["remote"].parameters()}
    assert kinds == {torch.float32}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_cpu_and_gpu_restore_each_others_carriers(name: str):
    pictures = pictures_for(name)
    for maker in ("cpu", "cuda"):
        carrier = embedded(converter_of(name, device=maker), pictures)
        figures = [
            quality(restored(converter_of(name, device=device), carrier), pictures)
            for device in ("cpu", "cuda")
        ]
        assert figures[0] == pytest.approx(figures[1], abs=0.01)
