"""The protocol gives what an independent computation gives."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from iiccli.carrier import read_carrier, write_carrier
from iiccli.errors import InputError, UsageError
from iiccli.evaluation.protocol import evaluate_group, evaluate_video
from iiccli.media.clip import write_clip
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures
from iiccli.zoo.catalogue import find
from tests.conftest import Pixels, moving_clip


@pytest.fixture
def loader(tiny_models: Path) -> Loader:
    return Loader(device="cpu", override=str(tiny_models / "video-3.v1.safetensors"))


@pytest.fixture
def model(loader: Loader) -> LoadedModel:
    assert loader.override is not None
    return loader.load(find(loader.override))


def ssim(a: Pixels, b: Pixels) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(a, b, data_range=255, channel_axis=2, **options))


def test_a_group(tmp_path: Path, loader: Loader, model: LoadedModel) -> None:
    pictures = moving_clip(50, 64, 3, (2, 1), seed=4)
    result = evaluate_group("it", pictures, 0, model, loader, "cover")
    pixels, header = embed_pictures(model, pictures, 0, "cover")
    write_carrier(tmp_path / "c.png", pixels, header, target=pictures[0])
    carrier = read_carrier(tmp_path / "c.png")
    back = restore_pictures(loader, carrier).pictures
    assert result.name == "it"
    assert result.cover_psnr == pytest.approx(peak_signal_noise_ratio(pictures[0], carrier.pixels))
    assert result.cover_ssim == pytest.approx(ssim(pictures[0], carrier.pixels))
    assert result.reference_psnr == pytest.approx(peak_signal_noise_ratio(pictures[0], back[0]))
    others = [peak_signal_noise_ratio(pictures[i], back[i]) for i in (1, 2)]
    assert result.others_psnr == pytest.approx(np.mean(others))
    assert result.others_ssim == pytest.approx(
        np.mean([ssim(pictures[i], back[i]) for i in (1, 2)])
    )


def test_clips_are_taken_from_the_fourth_frame_on(
    tmp_path: Path, loader: Loader, model: LoadedModel
) -> None:
    clips = {"a": moving_clip(32, 40, 8, seed=1), "b": moving_clip(40, 32, 4, seed=2)}
    clips["c"] = moving_clip(40, 32, 2, seed=3)
    for name, frames in clips.items():
        write_clip(tmp_path / name, frames, Fraction(25))
    told: list[tuple[int, int, float]] = []
    results = evaluate_video(
        tmp_path, model, loader, "balanced", progress=lambda *share: told.append(share)
    )
    chosen = {"a": clips["a"][3:6], "b": clips["b"][1:4], "c": clips["c"]}
    expected = [
        evaluate_group(name, frames, len(frames) // 2, model, loader, "balanced")
        for name, frames in chosen.items()
    ]
    assert results == expected
    assert told == [(0, 3, 0.0), (1, 3, 0.0), (2, 3, 0.0), (3, 3, 0.0)]


def test_what_cannot_be_evaluated(tmp_path: Path, loader: Loader, model: LoadedModel) -> None:
    with pytest.raises(InputError, match="no folder"):
        evaluate_video(tmp_path / "none", model, loader, "cover")
    with pytest.raises(InputError, match="holds no clips"):
        evaluate_video(tmp_path, model, loader, "cover")
    with pytest.raises(UsageError, match="no quality"):
        evaluate_group("x", moving_clip(16, 16), 0, model, loader, "best")
