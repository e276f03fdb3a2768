"""Fully convolutional networks on pictures of any size, by tiles, in either colour order."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from iiccli.errors import ModelError
from iiccli.inference.converter import Converter, make_converter
from iiccli.inference.dense import DenseConverter
from iiccli.networks.fast import FastConfig, FastNet
from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.zoo.modelfile import Card
from tests.conftest import Pixels, moving_clip, psnr, reference_first

CPU = torch.device("cpu")
IICNETS: dict[str, dict[str, object]] = {
    "plain": {"pictures": 3, "relation": False},
    "relation": {"pictures": 3, "relation": True, "relation_features": 4},
    "haar": {"pictures": 3, "relation": False, "downscale": "haar", "conv1x1": True},
    "hl": {"pictures": 1, "relation": False, "downscale": "haar", "order": "hl"},
    "squeeze": {"pictures": 1, "relation": False, "downscale": "squeeze", "order": "hl"},
    "gray": {"pictures": 1, "relation": False, "out_channels": 1},
}
FAST = {
    "fast": FastConfig(3, width=8, blocks=1),
    "fast plain": FastConfig(3, width=8, blocks=1, quantiser="plain"),
    "fast half": FastConfig(1, width=8, blocks=1, scale=2, start="rescale", quantiser="plain"),
    "fast quarter": FastConfig(1, width=8, blocks=1, scale=4, start="rescale", quantiser="plain"),
    "fast gray": FastConfig(1, out_channels=1, width=8, blocks=1, start="gray"),
}
ALL = [*IICNETS, *FAST]


def network(name: str) -> IICNet | FastNet:
    torch.manual_seed(3)
    if name in FAST:
        net: IICNet | FastNet = FastNet(FAST[name])
        for parameter in net.parameters():  # else it starts as the identity
            parameter.data += 0.01 * torch.randn_like(parameter)
        return net
    net = IICNet(IICNetConfig(blocks=1, **IICNETS[name]))  # type: ignore[arg-type]
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data *= 0.5
    return net


def converter(name: str, tile: int = 512, colour: str = "RGB") -> DenseConverter:
    net = network(name)
    kind = "fast" if name in FAST else "iicnet"
    card = Card(name, "video", kind, asdict(net.config), colour=colour)
    made = make_converter(card, net.state_dict(), CPU, tile)
    assert isinstance(made, DenseConverter)
    return made


def some(made: Converter, height: int, width: int) -> list[Pixels]:
    return reference_first(moving_clip(height, width, made.card.pictures, (1, 1), seed=6))


def everywhere(picture: Pixels) -> np.ndarray:
    return np.ones(picture.shape, bool)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 50), (37, 22)])
def test_any_size(name: str, size: tuple[int, int]) -> None:
    made = converter(name)
    pictures = some(made, *size)
    carrier = made.embed(pictures, 0, everywhere(pictures[0]))
    width, height = made.carrier_size(size[1], size[0])
    scale = made.net.scale
    assert (height, width) == (-(-size[0] // scale), -(-size[1] // scale))
    assert carrier.shape == ((height, width) if made.channels == 1 else (height, width, 3))
    assert carrier.dtype == np.uint8
    restored = made.restore(carrier, (size[1], size[0]), 0, everywhere(carrier))
    assert [picture.shape for picture in restored.pictures] == [(*size, 3)] * len(pictures)
    assert restored.damaged is None
    assert made.qualities == 1
    assert made.channels == (1 if "gray" in name else 3)


@pytest.mark.parametrize("name", ALL)
def test_tiles_leave_no_trace(name: str) -> None:
    whole, parts = converter(name), converter(name, 16)
    pictures = some(whole, 38, 54)
    free = everywhere(pictures[0])
    carrier = whole.embed(pictures, 0, free)
    tiled = parts.embed(pictures, 0, free)
    assert np.abs(carrier.astype(int) - tiled).max() <= (
        8 if name in FAST and FAST[name].quantiser == "modulo" else 1
    )
    assert (carrier != tiled).mean() < 2e-3
    back = whole.restore(carrier, (54, 38), 0, free).pictures
    again = parts.restore(carrier, (54, 38), 0, free).pictures
    for a, b in zip(back, again, strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1
        assert (a != b).mean() < 2e-3


@pytest.mark.parametrize("name", ["plain", "gray", "fast plain"])
def test_bgr_is_rgb_with_red_and_blue_swapped(name: str) -> None:
    rgb, bgr = converter(name), converter(name, colour="BGR")
    pictures = some(rgb, 20, 30)
    swapped = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
    free = everywhere(pictures[0])
    carrier, other = rgb.embed(pictures, 0, free), bgr.embed(swapped, 0, free)
    assert (carrier == (other if rgb.channels == 1 else other[..., ::-1])).all()
    back = rgb.restore(carrier, (30, 20), 0, free).pictures
    for a, b in zip(back, bgr.restore(other, (30, 20), 0, free).pictures, strict=True):
        assert (a == b[..., ::-1]).all()


def test_it_computes_what_the_network_does() -> None:
    made, net = converter("haar"), network("haar").eval()
    pictures = some(made, 24, 32)
    x = torch.from_numpy(np.concatenate(pictures, axis=2).transpose(2, 0, 1).copy())
    with torch.no_grad():
        y = (net.embed(x.float()[None] / 255)[0] * 255).round().clamp(0, 255)
        z = net.restore(y[None] / 255)[0] * 255
    carrier = made.embed(pictures, 0, everywhere(pictures[0]))
    assert np.abs(carrier - y.permute(1, 2, 0).numpy()).max() <= 1
    restored = made.restore(carrier, (32, 24), 0, everywhere(carrier)).pictures
    expected = z.round().clamp(0, 255).permute(1, 2, 0).numpy()
    for i, picture in enumerate(restored):
        assert psnr(picture, expected[..., 3 * i : 3 * i + 3]) > 45


def test_progress_rises_to_one() -> None:
    made = converter("plain", 16)
    pictures = some(made, 40, 40)
    shares: list[float] = []
    made.embed(pictures, 0, everywhere(pictures[0]), shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert len(shares) > 4


def test_weights_that_do_not_fit() -> None:
    net = network("plain")
    card = Card("odd", "video", "iicnet", asdict(net.config) | {"blocks": 2})
    with pytest.raises(ModelError, match="odd"):
        make_converter(card, net.state_dict(), CPU)
