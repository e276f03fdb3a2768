"""Small untrained models under the names of all those that ship, for tests of whole commands."""

from __future__ import annotations

from pathlib import Path

import torch

from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet
from iiccli.networks.registry import settle
from iiccli.training.calibration import first_frequencies
from iiccli.training.recipes import shipped
from iiccli.zoo.modelfile import Card, save_model


def put_stand_ins(folder: Path) -> Path:
    """Write a model for each recipe that ships; the result is the folder."""
    for recipe in shipped().values():
        values = settle("adaptive", {**recipe.config, "cell": 8, "width": 8, "depth": 0})
        card = Card(recipe.name, recipe.task, "adaptive", values, reference="first")
        net = guessed(AdaptiveConfig(**values))
        save_model(folder / f"{recipe.name}.safetensors", card, net.state_dict())
    return folder


def guessed(config: AdaptiveConfig) -> AdaptiveNet:
    """A network whose tables suit any picture a little: magnitudes that fall with frequency.

    Calibrating on pictures, as training does, takes far longer than a test may.
    """
    net = AdaptiveNet(config)
    frequency = torch.arange(config.cell)
    octaves = torch.log2(1.0 + frequency[:, None] + frequency).reshape(-1, 1)
    scales = -256 * (2 + 1.5 * octaves)
    net.scales.copy_(scales.round().int().expand_as(net.scales))
    net.frequencies.copy_(torch.from_numpy(first_frequencies().astype("int32")))
    return net
