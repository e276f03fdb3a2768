"""Networks of every kind are measured on every task, by the pictures that they were trained on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from iiccli.carrier import read_carrier, write_carrier
from iiccli.errors import ModelError
from iiccli.evaluation.cases import Case
from iiccli.evaluation.comparing import taken
from iiccli.evaluation.protocol import evaluate_case
from iiccli.networks.fast import FastConfig, FastNet
from iiccli.networks.registry import build
from iiccli.tasks.dual_view import essentials_of, views_of
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures
from iiccli.zoo.catalogue import find
from iiccli.zoo.modelfile import Card, load_model, save_model
from tests.conftest import Pixels, moving_clip
from tests.iicnet_models import CONFIGS, save_iicnet
from tests.task_models import disc, photograph

HEIGHT, WIDTH = 33, 46

FAST = {
    "video": FastConfig(3, width=8, blocks=1),
    "mono": FastConfig(2, width=8, blocks=1, start="stereo"),
    "dual": FastConfig(2, width=8, blocks=1, start="stereo"),
    "hide": FastConfig(2, width=8, blocks=1, start="hide"),
    "layers": FastConfig(3, width=8, blocks=1, start="stereo"),
    "gray": FastConfig(1, 1, width=8, blocks=1, start="gray", quantiser="plain"),
    "rescale": FastConfig(1, scale=2, width=8, blocks=1, start="rescale", quantiser="plain"),
}


def case_of(task: str, pictures: int) -> Case:
    if task == "video":
        return Case("it", moving_clip(HEIGHT, WIDTH, pictures, seed=3), pictures // 2)
    if task == "dual":
        wide, tele = views_of(photograph(4 * HEIGHT, 4 * WIDTH, 1), 2)
        header = {"essentials": essentials_of(wide, 2, tele)}
        return Case("it", [wide, tele], zoom=2.0, header=header)
    if task == "layers":
        front, back, alpha = (
            photograph(HEIGHT, WIDTH, 4),
            photograph(HEIGHT, WIDTH, 5),
            disc(33, 46),
        )
        share = alpha[..., None] / 255
        composite = np.rint(share * front + (1 - share) * back).astype(np.uint8)
        gray = np.repeat(alpha[..., None], 3, axis=2)
        return Case("it", [composite, back, gray], foreground=front)
    return Case("it", [photograph(HEIGHT, WIDTH, seed) for seed in range(pictures)])


def loaded(path: Path) -> tuple[LoadedModel, Loader]:
    loader = Loader(device="cpu", override=str(path))
    return loader.load(find(str(path))), loader


def official_input(name: str, case: Case) -> list[Pixels]:
    """What the official code gives its networks, the reference first."""
    if name.startswith("layers"):
        composite, background, alpha = case.pictures
        assert case.foreground is not None
        dot = np.rint(case.foreground * (alpha / 255)).astype(np.uint8)
        return [composite, background, dot, alpha][: CONFIGS[name].pictures]
    others = [p for i, p in enumerate(case.pictures) if i != case.reference]
    return [case.pictures[case.reference], *others]


@pytest.mark.parametrize("name", CONFIGS)
def test_iicnet_as_the_official_code_measures_it(tmp_path: Path, name: str) -> None:
    """The network alone, in BGR and without tiles, on the carrier that evaluating writes."""
    path = save_iicnet(tmp_path, name)
    model, loader = loaded(path)
    card, state = load_model(path)
    case = case_of(card.task, card.pictures)
    given = official_input(name, case)
    result = evaluate_case(case, model, loader, "balanced")

    net = build("iicnet", card.config)
    net.load_state_dict(state)
    stacked = np.concatenate([picture[..., ::-1] for picture in given], axis=2)
    size = stacked.shape[:2]
    odd = [side % 2 if card.scale == 2 else 0 for side in size]
    stacked = np.pad(stacked, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")

    def run(function: str, samples: Pixels) -> Pixels:
        x = torch.from_numpy(samples.transpose(2, 0, 1).copy())[None].float() / 255
        with torch.inference_mode():
            y = getattr(net.eval(), function)(x)[0]
        found: Pixels = (255 * y).round().clamp(0, 255).byte().numpy().transpose(1, 2, 0)
        return found

    pixels, header = embed_pictures(
        model, taken(card, case), case.reference, "balanced", zoom=case.zoom, **case.header
    )
    theirs = run("embed", stacked)
    assert (theirs[..., ::-1] if theirs.shape[2] == 3 else theirs[..., 0]).tolist() == (
        pixels.tolist()
    )
    cover = model.converter.cover(given[0])
    write_carrier(tmp_path / "c.png", pixels, header, target=cover)
    carrier = read_carrier(tmp_path / "c.png").pixels
    samples = carrier[..., ::-1] if carrier.ndim == 3 else carrier[..., None]
    restored = run("restore", samples)[: size[0], : size[1]]
    frames = [restored[..., i : i + 3][..., ::-1] for i in range(0, restored.shape[2], 3)]
    each = [peak_signal_noise_ratio(a, b) for a, b in zip(given, frames, strict=True)]

    assert result.cover_psnr == pytest.approx(peak_signal_noise_ratio(cover, carrier))
    assert result.restored_psnr == pytest.approx(mean(each))
    assert result.reference_psnr == pytest.approx(each[0])
    assert result.others_psnr == pytest.approx(mean(each[1:] or each))


@pytest.mark.parametrize("name", FAST)
def test_fast_networks(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    card = Card(name=f"{name}.v1", task=name, network="fast", config=asdict(FAST[name]))
    save_model(tmp_path / "m.safetensors", card, FastNet(FAST[name]).state_dict())
    model, loader = loaded(tmp_path / "m.safetensors")
    case = case_of(name, FAST[name].pictures)
    result = evaluate_case(case, model, loader, "balanced")
    pixels, header = embed_pictures(
        model, case.pictures, case.reference, "balanced", zoom=case.zoom, **case.header
    )
    cover = model.converter.cover(case.pictures[case.reference])
    write_carrier(tmp_path / "c.png", pixels, header, target=cover)
    carrier = read_carrier(tmp_path / "c.png")
    back = restore_pictures(loader, carrier).pictures
    assert result.cover_psnr == pytest.approx(peak_signal_noise_ratio(cover, carrier.pixels))
    first = peak_signal_noise_ratio(case.pictures[case.reference], back[case.reference])
    assert result.reference_psnr == pytest.approx(first)
    if name != "layers":  # whose layers are measured, not the network's own pictures
        pairs = zip(case.pictures, back, strict=True)
        each = [peak_signal_noise_ratio(*pair) for pair in pairs]
        assert result.restored_psnr == pytest.approx(mean(each))


def test_layers_that_a_case_does_not_know(tmp_path: Path) -> None:
    whole = case_of("layers", 3)
    case = Case("it", whole.pictures[:2])
    model, loader = loaded(save_iicnet(tmp_path, "layers-2"))
    result = evaluate_case(case, model, loader, "balanced")
    assert result.foreground_psnr is None
    assert result.background_psnr == result.others_psnr
    for name, role in (("layers", "premultiplied"), ("layers-4", "premultiplied")):
        model, loader = loaded(save_iicnet(tmp_path, name))
        with pytest.raises(ModelError, match=f"but no {role} is known"):
            evaluate_case(case, model, loader, "balanced")


def test_a_foreground_that_is_known_times_alpha_only(tmp_path: Path) -> None:
    model, loader = loaded(save_iicnet(tmp_path, "layers"))
    whole = case_of("layers", 3)
    expected = evaluate_case(whole, model, loader, "balanced")
    dot = official_input("layers", whole)[2]
    case = Case("it", whole.pictures, premultiplied=dot)
    assert evaluate_case(case, model, loader, "balanced") == expected
