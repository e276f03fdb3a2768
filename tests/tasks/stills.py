"""What the tests of hiding and layers share: tiny models, and pictures in files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.zoo.modelfile import load_model, save_model
from tests.conftest import Pixels, moving_clip


def put_still_models(folder: Path, tiny_models: Path) -> Path:
    """Tiny models for 2 and 4 secrets and for layers: those for clips, under other names."""
    for source, name, task in (
        ("video-3.v1", "hide-2.v1", "hide"),
        ("video-5.v1", "hide-4.v1", "hide"),
        ("video-3.v1", "layers.v1", "layers"),
    ):
        card, state = load_model(tiny_models / f"{source}.safetensors")
        save_model(folder / f"{name}.safetensors", replace(card, name=name, task=task), state)
    return folder


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    """A textured picture; of another seed, another one."""
    return moving_clip(height, width, 1, seed=seed)[0]


def put(path: Path, pixels: Pixels, **options: object) -> Path:
    """Write a picture."""
    Image.fromarray(pixels).save(path, **options)
    return path


def disc(height: int, width: int) -> Pixels:
    """An alpha channel: opaque in the middle, with a soft edge."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    alpha: Pixels = np.clip((0.45 - away) * 255 * 8, 0, 255).astype(np.uint8)
    return alpha
