"""Tiny adaptive networks of every kind, calibrated on the spot, and pictures to send through."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass

import numpy as np
import torch

from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.inference.converter import Restored, make_converter
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.media.resize import resize
from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet
from iiccli.training.adaptive import items_of
from iiccli.training.samples import Sample
from iiccli.zoo.modelfile import Card
from tests.conftest import Pixels, moving_clip, reference_first, texture

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Kind:
    """A conversion: its task, the network's shape, and the zoom of its samples."""

    task: str
    config: AdaptiveConfig
    zoom: float = 1.0


def _small(pictures: int, **values: object) -> AdaptiveConfig:
    defaults: dict[str, object] = {"cell": 8, "width": 8, "depth": 1}
    return AdaptiveConfig(pictures, **{**defaults, **values})  # type: ignore[arg-type]


KINDS = {
    "hide": Kind("hide", _small(3, prediction="none", joint=False)),
    "video": Kind("video", _small(3, motion=8, moduli=((4, 4, 4), (3, 5, 6)))),
    "sequence": Kind("video", _small(4, motion=8, modes=3, moduli=((4, 4, 4), (3, 5, 6)))),
    "half": Kind("video", _small(3, scale=2, motion=8, moduli=((4, 4, 4),))),
    "half-sequence": Kind("video", _small(3, scale=2, motion=8, modes=4, moduli=((4, 4, 4),))),
    "rescale-2": Kind("rescale", _small(1, scale=2)),
    "rescale-4": Kind("rescale", _small(1, scale=4, cell=16, moduli=((8, 8, 8),))),
    "gray": Kind("gray", _small(1, kind="gray", moduli=((2,), (3,)))),
    "layers": Kind("layers", _small(3, kind="layers")),
    "dual": Kind("dual", _small(2, prediction="zoom", motion=4), 2.0),
    "weighed": Kind("dual", _small(2, prediction="zoom", modes=4), 2.0),
}
"""Every conversion that the network makes."""


def pictures_of(kind: str, height: int, width: int, seed: int = 0) -> list[Pixels]:
    """Pictures as the conversion would embed them, the cover first."""
    if KINDS[kind].task == "video":
        count = 4 if kind == "sequence" else 3
        return reference_first(moving_clip(height, width, count, (3, -2), seed))
    if kind == "hide":
        return [photograph(height, width, 10 * seed + i) for i in range(3)]
    if kind == "layers":
        front, back = (photograph(height, width, 10 * seed + i) for i in range(2))
        y, x = np.mgrid[:height, :width]
        away = np.hypot((y - height / 2) / height, (x - width / 2) / width)
        alpha = np.clip((0.4 - away) * 12, 0, 1)[..., None]
        composite = np.rint(alpha * front + (1 - alpha) * back).astype(np.uint8)
        return [composite, back, np.rint(alpha.repeat(3, 2) * 255).astype(np.uint8)]
    if KINDS[kind].task == "dual":
        near = photograph(2 * height, 2 * width, seed)
        top, left = (2 * height - height) // 2, (2 * width - width) // 2
        return [resize(near, (width, height)), near[top : top + height, left : left + width].copy()]
    return [coloured(height, width, seed)]


def photograph(height: int, width: int, seed: int = 0) -> Pixels:
    """A texture with a little noise."""
    (picture,) = moving_clip(height, width, 1, seed=seed)
    return picture


def coloured(height: int, width: int, seed: int = 0) -> Pixels:
    """A texture whose colours have little to do with its luma."""
    planes = torch.stack([texture(height, width, 5 * seed + i)[0] for i in range(3)])
    return (planes * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


@functools.cache
def calibrated(kind: str) -> AdaptiveNet:
    """The network of a kind, fitted to two samples; not to be changed by tests."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    wanted = KINDS[kind]
    with torch.inference_mode(False):  # whoever asks first
        net = AdaptiveNet(wanted.config).eval().requires_grad_(False)
        converter = AdaptiveConverter(card_of(kind), net, CPU, DEFAULT_TILE)
        sets = [pictures_of(kind, 64, 80, 100 + i) for i in range(2)]
        samples = [Sample(tuple(s), wanted.zoom) for s in sets]
        items_of(converter, samples, report=lambda _: None, fit=True)
    return net


def card_of(kind: str) -> Card:
    """What the model's file would say."""
    wanted = KINDS[kind]
    return Card(f"{kind}-tiny", wanted.task, "adaptive", asdict(wanted.config), reference="first")


def converter_of(kind: str, net: AdaptiveNet | None = None, tile: int = DEFAULT_TILE):
    """The calibrated network, or another of the same shape, ready to run."""
    state = (net or calibrated(kind)).state_dict()
    converter = make_converter(card_of(kind), state, CPU, tile)
    assert isinstance(converter, AdaptiveConverter)
    return converter


def everywhere(converter: AdaptiveConverter, pictures: list[Pixels]) -> np.ndarray:
    """All samples of the carrier are free."""
    return np.ones(converter.cover(pictures[0]).shape, bool)


def round_trip(
    kind: str, pictures: list[Pixels], quality: int = 0, tile: int = DEFAULT_TILE
) -> tuple[Pixels, Restored]:
    """Embed and restore with the calibrated network."""
    converter = converter_of(kind, tile=tile)
    height, width = pictures[0].shape[:2]
    free, zoom = everywhere(converter, pictures), KINDS[kind].zoom
    carrier = converter.embed(pictures, quality, free, zoom=zoom)
    return carrier, converter.restore(carrier, (width, height), quality, free, zoom=zoom)
