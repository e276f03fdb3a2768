"""Small models for every task but video, and pictures of the kinds that are measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from iiccli.networks.fast import FastConfig, FastNet
from iiccli.networks.transform import TransformNet
from iiccli.zoo.modelfile import Card, save_model
from tests.conftest import Pixels, moving_clip
from tests.fast_models import save_fast_models


def save_task_models(folder: Path, three: TransformNet) -> Path:
    """Write mono.v1, dual.v1, hide-2.v1, layers.v1, gray.v1, rescale-2.v1, video-half-3.v1, ...

    The first four are the network given, which is for three pictures. The result is the folder.
    """
    save_fast_models(folder)
    for name in ("mono", "dual", "hide-2", "layers"):
        card = Card(
            name=f"{name}.v1",
            task=name.split("-")[0],
            network="transform",
            config=asdict(three.config),
        )
        save_model(folder / f"{name}.v1.safetensors", card, three.state_dict())
    half = FastConfig(3, scale=2, start="rescale", quantiser="plain", width=8, blocks=1)
    torch.manual_seed(0)
    card = Card(name="video-half-3.v1", task="video", network="fast", config=asdict(half))
    save_model(folder / "video-half-3.v1.safetensors", card, FastNet(half).state_dict())
    return folder


def photograph(height: int, width: int, seed: int) -> Pixels:
    (picture,) = moving_clip(height, width, 1, seed=seed)
    return picture


def save(path: Path, pixels: Pixels, alpha: Pixels | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = pixels if alpha is None else np.dstack((pixels, alpha))
    Image.fromarray(layers).save(path)


def disc(height: int, width: int) -> Pixels:
    """Alpha of a soft disc that touches no border."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    return np.rint(255 * np.clip((0.4 - away) * 12, 0, 1)).astype(np.uint8)
