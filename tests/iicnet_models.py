"""Tiny networks of the official kind with random weights, as importing a checkpoint leaves them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.zoo.modelfile import Card, save_model
from tests.networks.iicnet_parity import fill

TINY = {"blocks": 1, "relation_features": 4}

CONFIGS = {
    "video": IICNetConfig(3, **TINY),
    "mono": IICNetConfig(2, **TINY),
    "dual": IICNetConfig(2, **TINY),
    "hide": IICNetConfig(3, **TINY),
    "layers": IICNetConfig(3, **TINY),
    "layers-2": IICNetConfig(2, **TINY),
    "layers-4": IICNetConfig(4, **TINY),
    "gray": IICNetConfig(1, order="hl", out_channels=1, **TINY),
    "rescale": IICNetConfig(1, downscale="squeeze", order="hl", **TINY),
}


def save_iicnet(folder: Path, name: str) -> Path:
    """Write one of `CONFIGS` as iicnet-NAME.v1; the result is the file."""
    config, task = CONFIGS[name], name.split("-")[0]
    net = IICNet(config)
    net.load_state_dict(fill({key: tuple(v.shape) for key, v in net.state_dict().items()}))
    card = Card(
        name=f"iicnet-{name}.v1",
        task=task,
        network="iicnet",
        config=asdict(config),
        reference="middle" if task == "video" else "first",
        colour="BGR",
    )
    path = folder / f"{card.name}.safetensors"
    save_model(path, card, net.state_dict())
    return path
