"""What the tests of stereo and dual view share: tiny models for two pictures, and pairs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from iiccli.networks.transform import TransformConfig, TransformNet
from iiccli.zoo.modelfile import Card, save_model
from tests.conftest import Pixels, moving_clip
from tests.transform_tables import Group, calibrate


def put_pair_models(folder: Path, groups: list[Group]) -> Path:
    """A tiny calibrated model called mono.v1, and once more as dual.v1."""
    net = TransformNet(TransformConfig(2, ranks=(2,), width=8, depth=1))
    calibrate(net, [(first, others[:1]) for first, others in groups])
    for task in ("mono", "dual"):
        card = Card(f"{task}.v1", task=task, network="transform", config=asdict(net.config))
        save_model(folder / f"{task}.v1.safetensors", card, net.state_dict())
    return folder


def views(height: int = 64, width: int = 96, seed: int = 3) -> tuple[Pixels, Pixels]:
    """A left and a right view: what is at column c of the left is at c - 4 of the right."""
    left, right = moving_clip(height, width, 2, (4, 0), seed)
    return left, right
