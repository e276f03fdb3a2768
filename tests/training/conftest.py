"""Small footage of every kind, and recipes that take no time."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.training.data import Footage, load_footage
from iiccli.training.loop import Schedule
from iiccli.training.recipes import Recipe
from tests.adaptive_models import KINDS, coloured, photograph
from tests.conftest import Pixels, moving_clip


def save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def cutout(height: int, width: int, seed: int) -> Pixels:
    """A picture with a soft disc of alpha."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    alpha = np.rint(255 * np.clip((0.45 - away) * 12, 0, 1)).astype(np.uint8)
    return np.dstack((photograph(height, width, seed), alpha))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips, four photographs, two stereo pairs and two cut-outs; and what is none."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("data")
    for seed in range(2):
        for i, frame in enumerate(moving_clip(64, 80, 5, (2, 1), seed)):
            save(folder / f"clip{seed}" / f"{i:03}.png", frame)
        left, right = moving_clip(66, 83, 2, (4, 0), 20 + seed)
        save(folder / "pairs" / f"{seed}_L.png", left)
        save(folder / "pairs" / f"{seed}_R.png", right)
        save(folder / "cut" / f"{'ab'[seed]}.png", cutout(60, 200 - 150 * seed, 40 + seed))
    for number, name in enumerate(("one", "two", "three", "four")):
        save(folder / f"{name}.png", coloured(160 + number, 190, 60 + number))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="session")
def footage(data: Path) -> Footage:
    """The same, read."""
    return load_footage([data], frames=3)


def recipe_of(kind: str, *, steps: int = 3, minutes: float = 1e6, **changes: object) -> Recipe:
    """A recipe for one of the tiny networks."""
    wanted = KINDS[kind]
    recipe = Recipe(
        name=f"{kind}.v1",
        task=wanted.task,
        network=wanted.config,
        schedule=Schedule(minutes=minutes, rate=1e-3, steps=steps),
        samples=3,
        side=64,
        crop=32,
        batch=2,
    )
    return dataclasses.replace(recipe, **changes)  # type: ignore[arg-type]
