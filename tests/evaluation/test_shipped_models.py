"""Every model that ships: small enough, complete, and as good as on the day of its release.

`python -m tests.evaluation.test_shipped_models` prints the figures anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from iiccli.evaluation.cases import Case
from iiccli.evaluation.protocol import evaluate_case
from iiccli.tasks.dual_view import essentials_of, views_of
from iiccli.tasks.models import Loader
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import read_card
from iiccli.zoo.packing import models_in, stem
from tests.conftest import Pixels, moving_clip, texture

FOLDER = Path(__file__).parents[2] / "models"
SHIPPED = [path for path in models_in(FOLDER) if read_card(path).network == "adaptive"]

MOST_BYTES, MOST_BYTES_TOGETHER = 8_000_000, 40_000_000

GOLDEN = {
    "dual.v1": (49.85, 50.73),
    "gray.v1": (49.79, 46.56),
    "hide-1.v1": (46.09, 55.78),
    "hide-2.v1": (46.07, 47.47),
    "hide-3.v1": (46.07, 43.32),
    "hide-4.v1": (46.08, 40.63),
    "layers.v1": (49.82, 51.13),
    "mono.v1": (49.94, 47.41),
    "mono.v2": (49.91, 48.43),
    "rescale-2.v1": (42.78, 45.93),
    "rescale-4.v1": (42.81, 45.64),
    "video-3.v2": (46.45, 44.98),
    "video-3.v3": (46.45, 46.64),
    "video-5.v2": (46.44, 43.98),
    "video-5.v3": (46.45, 44.78),
    "video-7.v2": (46.43, 42.16),
    "video-7.v3": (46.43, 43.02),
    "video-9.v2": (46.45, 41.09),
    "video-9.v3": (46.45, 41.55),
    "video-half-3.v1": (46.66, 39.29),
    "video-half-3.v2": (46.66, 39.58),
    "video-half-5.v1": (46.65, 36.02),
    "video-half-5.v2": (46.65, 35.92),
}
"""PSNR of the carrier and of what is restored, at quality `balanced`, on `scene`.

Measured when vectors became worth their bits, after most models; a change of the code may move
them by `SLACK`.
"""

SLACK = 0.15


def scene(task: str, pictures: int, scale: int) -> Case:
    """A small group of pictures for a task."""
    if task == "video":
        frames = moving_clip(144, 176, pictures, (3, 2), seed=2024)
        return Case("scene", frames, pictures // 2)
    if task == "mono":
        return Case("scene", moving_clip(144, 176, 2, (6, 0), seed=2025))
    if task == "dual":
        wide, tele = views_of(colourful(288, 352, 5), 2)
        header = {"essentials": essentials_of(wide, 2, tele)}
        return Case("scene", [wide, tele], zoom=2.0, header=header)
    if task == "layers":
        front, back = colourful(144, 176, 6), colourful(144, 176, 7)
        y, x = np.mgrid[:144, :176]
        alpha = np.clip(60 - np.hypot(y - 70, x - 90), -4, 4)[..., None] / 8 + 0.5
        composite = np.rint(alpha * front + (1 - alpha) * back).astype(np.uint8)
        mask = np.rint(255 * np.repeat(alpha, 3, axis=2)).astype(np.uint8)
        return Case("scene", [composite, back, mask], foreground=front)
    size = (144 * scale, 176 * scale)
    return Case("scene", [colourful(*size, 10 + i) for i in range(pictures)])


def colourful(height: int, width: int, seed: int) -> Pixels:
    """A texture with more colour in it than `texture` has."""
    gray = texture(height, width, seed)
    colours = texture(height // 8, width // 8, seed + 100) - 0.5
    wide = torch.nn.functional.interpolate(colours[None], (height, width), mode="bicubic")[0]
    picture = (gray + 1.5 * wide).clamp(0, 1)
    return (picture * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def figures(path: Path) -> tuple[float, float]:
    loader = Loader(device="cpu", override=str(path))
    model = loader.load(Entry(stem(path), path))
    card = model.converter.card
    case = scene(card.task, card.pictures, card.scale)
    found = evaluate_case(case, model, loader, "balanced")
    return found.cover_psnr, found.others_psnr


@pytest.mark.parametrize("path", SHIPPED, ids=stem)
def test_it_is_as_good_as_it_was(path: Path) -> None:
    assert figures(path) == pytest.approx(GOLDEN[stem(path)], abs=SLACK)


@pytest.mark.parametrize("path", SHIPPED, ids=stem)
def test_it_says_what_it_is(path: Path) -> None:
    card = read_card(path)
    assert path.stat().st_size <= MOST_BYTES
    assert card.name == stem(path)
    assert card.licence and card.data and card.recipe
    assert card.metrics["protocol"] and card.metrics["sets"]


def test_together_they_are_not_too_large() -> None:
    assert sum(path.stat().st_size for path in models_in(FOLDER)) <= MOST_BYTES_TOGETHER


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in SHIPPED:
        cover, restored = figures(each)
        print(f'    "{stem(each)}": ({cover:.2f}, {restored:.2f}),')
