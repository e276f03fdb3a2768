"""Small footage of every kind, and recipes that take no time."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.training.engine import make_engine
from iiccli.training.footage import Footage, load_footage
from iiccli.training.recipes import Recipe
from iiccli.training.recipes import recipe_of as read
from tests.adaptive_models import KINDS, coloured, photograph
from tests.conftest import Pixels, moving_clip

if TYPE_CHECKING:
    from accelerate import Accelerator


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


@pytest.fixture
def engine() -> Accelerator:
    """One process on the CPU."""
    return make_engine(torch.device("cpu"))


def recipe_of(kind: str, *, steps: int | None = 3, **changes: Any) -> Recipe:
    """A recipe for one of the tiny networks.

    Args:
        kind: one of `KINDS`.
        steps: of the enhancer's training.
        changes: tables of the recipe; with `__` for dots, single values.
    """
    wanted = KINDS[kind]
    table: dict[str, Any] = {
        "name": f"{kind}.v1",
        "task": wanted.task,
        "network": "adaptive",
        "config": asdict(wanted.config),
        "data": {"crop": 32},
        "loss": [{"of": "restored", "kind": "psnr"}],
        "optimiser": {"rate": 1e-3},
        "loop": {"steps": steps, "batch": 2},
        "calibration": {"samples": 3, "side": 64},
    }
    for key, value in changes.items():
        part, _, name = key.partition("__")
        table[part] = {**table[part], name: value} if name else value
    return read(table, kind)
