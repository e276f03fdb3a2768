"""Small untrained models for conversions of one picture: they start at the best linear guess."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from iiccli.networks.fast import FastConfig, FastNet
from iiccli.zoo.modelfile import Card, save_model

CONFIGS = {
    "gray": FastConfig(1, out_channels=1, start="gray", quantiser="plain", width=8, blocks=1),
    "rescale-2": FastConfig(1, scale=2, start="rescale", quantiser="plain", width=8, blocks=1),
    "rescale-4": FastConfig(1, scale=4, start="rescale", quantiser="plain", width=8, blocks=1),
}


def save_fast_models(folder: Path) -> Path:
    """Write gray.v1, rescale-2.v1 and rescale-4.v1; the result is the folder."""
    torch.manual_seed(0)
    for name, config in CONFIGS.items():
        card = Card(
            name=f"{name}.v1",
            task=name.split("-")[0],
            network="fast",
            config=asdict(config),
        )
        save_model(folder / f"{name}.v1.safetensors", card, FastNet(config).state_dict())
    return folder
