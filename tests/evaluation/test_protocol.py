"""The protocol gives what an independent computation gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from iiccli.carrier import read_carrier, write_carrier
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases import Case, Plan, Planned
from iiccli.evaluation.metrics import y_psnr, y_ssim
from iiccli.evaluation.protocol import (
    PROTOCOL,
    Result,
    evaluate_case,
    evaluate_group,
    evaluate_plan,
    evaluate_video,
    means,
    protocol_of,
)
from iiccli.media.clip import write_clip
from iiccli.tasks.conversion import MODULES, conversion
from iiccli.tasks.dual_view import essentials_of, views_of
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures
from iiccli.zoo.catalogue import find
from tests.conftest import Pixels, moving_clip
from tests.task_models import disc, photograph


@pytest.fixture
def loader(tiny_models: Path) -> Loader:
    return Loader(device="cpu", override=str(tiny_models / "video-3.v1.safetensors"))


@pytest.fixture
def model(loader: Loader) -> LoadedModel:
    assert loader.override is not None
    return loader.load(find(loader.override))


Load = Callable[[str], tuple[LoadedModel, Loader]]


def there_and_back(
    path: Path, case: Case, model: LoadedModel, loader: Loader
) -> tuple[Pixels, list[Pixels]]:
    """The carrier as read, and what comes back from it."""
    pixels, header = embed_pictures(
        model, case.pictures, case.reference, "balanced", zoom=case.zoom, **case.header
    )
    cover = model.converter.cover(case.pictures[case.reference])
    write_carrier(path, pixels, header, target=cover)
    carrier = read_carrier(path)
    return carrier.pixels, restore_pictures(loader, carrier).pictures


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
    all_three = [peak_signal_noise_ratio(p, b) for p, b in zip(pictures, back, strict=True)]
    assert [one.psnr for one in result.pictures] == pytest.approx(all_three)
    assert result.restored_psnr == pytest.approx(np.mean(all_three))
    assert result.restored_ssim == pytest.approx(np.mean([one.ssim for one in result.pictures]))
    assert result.cover_y_psnr == pytest.approx(y_psnr(pictures[0], carrier.pixels))
    assert result.cover_y_ssim == pytest.approx(y_ssim(pictures[0], carrier.pixels))
    pairs = list(zip(pictures, back, strict=True))
    assert result.restored_y_psnr == pytest.approx(np.mean([y_psnr(*pair) for pair in pairs]))
    assert result.restored_y_ssim == pytest.approx(np.mean([y_ssim(*pair) for pair in pairs]))
    assert result.others_y_ssim == pytest.approx(np.mean([y_ssim(*pair) for pair in pairs[1:]]))
    assert len(result.figures) == 14


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


@pytest.mark.parametrize("name", ["mono", "hide-2", "video-half-3"])
def test_pictures_beside_the_reference(tmp_path: Path, load: Load, name: str) -> None:
    model, loader = load(name)
    count = 2 if name == "mono" else 3
    case = Case("it", moving_clip(51, 64, count, (2, 1), seed=4), 1 if "video" in name else 0)
    result = evaluate_case(case, model, loader, "balanced")
    carrier, back = there_and_back(tmp_path / "c.png", case, model, loader)
    cover = model.converter.cover(case.pictures[case.reference])
    assert cover.shape == carrier.shape == ((26, 32, 3) if "half" in name else (51, 64, 3))
    assert result.cover_psnr == pytest.approx(peak_signal_noise_ratio(cover, carrier))
    pairs = list(zip(case.pictures, back, strict=True))
    reference = pairs.pop(case.reference)
    assert result.reference_psnr == pytest.approx(peak_signal_noise_ratio(*reference))
    assert result.reference_ssim == pytest.approx(ssim(*reference))
    expected = np.mean([peak_signal_noise_ratio(*pair) for pair in pairs])
    assert result.others_psnr == pytest.approx(expected)
    assert result.others_y_psnr == pytest.approx(np.mean([y_psnr(*pair) for pair in pairs]))
    assert result.alpha_error is None
    assert "alpha_error" not in result.figures


@pytest.mark.parametrize(("name", "scale"), [("gray", 1), ("rescale-2", 2), ("rescale-4", 4)])
def test_one_picture(tmp_path: Path, load: Load, name: str, scale: int) -> None:
    model, loader = load(name)
    case = Case("it", [photograph(48, 64, 3)])
    result = evaluate_case(case, model, loader, "balanced")
    carrier, (back,) = there_and_back(tmp_path / "c.png", case, model, loader)
    cover = model.converter.cover(case.pictures[0])
    assert cover.shape == ((48, 64) if name == "gray" else (48 // scale, 64 // scale, 3))
    assert result.cover_psnr == pytest.approx(peak_signal_noise_ratio(cover, carrier))
    assert result.others_psnr == result.reference_psnr
    assert result.others_psnr == pytest.approx(peak_signal_noise_ratio(case.pictures[0], back))
    border = 0 if name == "gray" else scale
    assert result.others_y_psnr == y_psnr(back, case.pictures[0], border)


def test_a_zoom_is_found_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    model, loader = load("dual")
    zooms: list[float] = []
    for name in ("embed", "restore"):
        method = getattr(model.converter, name)

        def spy(
            *words: object, zoom: float, method: Callable[..., object] = method, **more: object
        ) -> object:
            zooms.append(zoom)
            return method(*words, zoom=zoom, **more)

        monkeypatch.setattr(model.converter, name, spy)
    wide, tele = views_of(photograph(128, 192, 1), 4)
    header = {"essentials": essentials_of(wide, 4, tele)}
    result = evaluate_case(Case("it", [wide, tele], zoom=4, header=header), model, loader, "cover")
    assert zooms == [4, 4]
    assert result.cover_psnr > 44


def layers_case() -> Case:
    background, foreground = photograph(48, 64, 1), photograph(48, 64, 2)
    alpha = disc(48, 64)
    share = alpha[..., None] / 255
    composite = np.rint(share * foreground + (1 - share) * background).astype(np.uint8)
    gray = np.repeat(alpha[..., None], 3, axis=2)
    return Case("it", [composite, background, gray], foreground=foreground)


def shown(pixels: Pixels, alpha: Pixels) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = pixels * (alpha[..., None] / 255)
    return result


def test_layers(tmp_path: Path, load: Load) -> None:
    model, loader = load("layers")
    case = layers_case()
    result = evaluate_case(case, model, loader, "balanced")
    pixels, header = embed_pictures(model, case.pictures, 0, "balanced")
    write_carrier(tmp_path / "c.png", pixels, header, target=case.pictures[0])
    carrier = read_carrier(tmp_path / "c.png")
    restored = restore_pictures(loader, carrier)
    found = {o.name: o for o in conversion("layers").outputs(carrier.header, restored)}
    alpha = found["foreground"].alpha
    assert alpha is not None
    assert case.foreground is not None
    error = np.abs(alpha / 255 - case.pictures[2][..., 0] / 255).mean()
    assert result.alpha_error == pytest.approx(error)
    background = peak_signal_noise_ratio(case.pictures[1], found["background"].pixels)
    assert result.background_psnr == pytest.approx(background)
    before = shown(case.foreground, case.pictures[2][..., 0])
    after = shown(found["foreground"].pixels, alpha)
    foreground = peak_signal_noise_ratio(before, after, data_range=255)
    assert result.foreground_psnr == pytest.approx(foreground, abs=0.1)  # ours is in 8 bits
    assert result.others_psnr == pytest.approx((background + result.foreground_psnr) / 2)
    assert set(result.figures) >= {"alpha_error", "background_psnr", "foreground_psnr"}


FIGURES = [f.name for f in fields(Result) if f.default is MISSING and f.name != "name"]


def result_of(name: str, **figures: float) -> Result:
    return Result(name, **{**dict.fromkeys(FIGURES, 30.0), **figures})


def test_means_are_finite() -> None:
    results = [result_of("a", others_psnr=math.inf), result_of("b", others_psnr=40.0)]
    found: Mapping[str, float] = means(results)
    assert found["others_psnr"] == 70
    assert found["cover_psnr"] == 30
    assert "alpha_error" not in found
    assert means([result_of("a", alpha_error=0.5), result_of("b", alpha_error=0.25)])[
        "alpha_error"
    ] == pytest.approx(0.375)
    with pytest.raises(ValueError, match="nothing"):
        means([])


def test_one_case_that_cannot_be_read(load: Load) -> None:
    model, loader = load("gray")

    def damaged() -> Case:
        raise InputError("b.png is damaged.")

    good = Case("a", [photograph(16, 16, 1)])
    plan = Plan([Planned("b", damaged), Planned("a", lambda: good)])
    failed: list[tuple[str, str]] = []
    told: list[tuple[int, int, float]] = []
    results = evaluate_plan(
        plan,
        model,
        loader,
        "cover",
        failed=lambda name, error: failed.append((name, error.message)),
        progress=lambda *share: told.append(share),
    )
    assert [result.name for result in results] == ["a"]
    assert failed == [("b", "b.png is damaged.")]
    assert told == [(0, 2, 0.0), (1, 2, 0.0), (2, 2, 0.0)]
    with pytest.raises(InputError, match=r"b\.png is damaged"):
        evaluate_plan(plan, model, loader, "cover")
    with pytest.raises(InputError, match="None of the pictures"):
        evaluate_plan(Plan(plan.cases[:1]), model, loader, "cover", failed=lambda *_: None)


@pytest.mark.parametrize("size", [(2, 7), (5, 3)])
def test_tiny_pictures(load: Load, size: tuple[int, int]) -> None:
    for name, count in (("mono", 2), ("gray", 1), ("rescale-4", 1), ("hide-2", 3)):
        model, loader = load(name)
        pictures = [photograph(*size, seed) for seed in range(count)]
        result = evaluate_group("tiny", pictures, 0, model, loader, "content")
        assert all(not math.isnan(value) for value in result.figures.values())


def test_a_model_for_another_task_is_no_video_model(tmp_path: Path, load: Load) -> None:
    model, loader = load("gray")
    with pytest.raises(ModelError, match=r"gray\.v1 is for gray, not for video"):
        evaluate_video(tmp_path, model, loader, "cover")


def test_the_protocol_in_words() -> None:
    for task in MODULES:
        assert protocol_of(task).startswith(PROTOCOL)
        assert len(protocol_of(task)) > len(PROTOCOL) + 20
        assert protocol_of(task, "every second frame") == f"{PROTOCOL}. Cases: every second frame"
    assert protocol_of("magic") == PROTOCOL
