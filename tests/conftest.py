"""What several folders of tests share: textured clips and a tiny calibrated model."""

import functools
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

# As `iic` does, before torch is loaded: threads that spin while they wait take ten times as long
# beside the tests of other cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
import torch.nn.functional as F
import typer.main
from hypothesis import HealthCheck, settings
from torch import Tensor

from iiccli.cli import signals
from iiccli.networks.transform import TransformConfig, TransformNet
from iiccli.zoo.modelfile import Card, load_model, save_model
from tests.shared import shared
from tests.transform_tables import Group, calibrate

Pixels = npt.NDArray[np.uint8]

# The machine is shared: how long an example takes says nothing about the code.
settings.register_profile("iic", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("iic")

TINY = TransformConfig(3, ranks=(2,), width=8, depth=1)
"""Small enough to calibrate in a second, otherwise shaped as the models that ship."""
TINY_FIVE = TransformConfig(5, ranks=(2, 6), width=8, depth=1)
SPEEDS = ((2, 1), (-3, 2), (1, -1), (5, 0))


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    """A picture with detail at every scale, mostly grey, (3, height, width) in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    result = torch.full((3, height, width), 0.5)
    for size, amplitude in ((3, 0.1), (8, 0.08), (24, 0.06), (64, 0.04)):
        noise = torch.randn(1, 1, size, size, generator=generator)
        noise = noise + 0.3 * torch.randn(1, 3, size, size, generator=generator)
        wave = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)
        result += amplitude * wave[0]
    return result.clamp(0, 1)


def moving_clip(
    height: int,
    width: int,
    frames: int = 3,
    speed: tuple[int, int] = (2, 1),
    seed: int = 0,
) -> list[Pixels]:
    """A camera panning over a texture by `speed` (x, y) pixels a frame, in order of time.

    The light changes a little and the sensor is noisy, so that motion does not explain it all.
    """
    generator = torch.Generator().manual_seed(seed)
    x, y = speed
    margin = frames * max(abs(x), abs(y))
    world = texture(height + 2 * margin, width + 2 * margin, seed)
    result = []
    for t in range(frames):
        top, left = margin + t * y, margin + t * x
        frame = world[:, top : top + height, left : left + width]
        light = 0.2 * (texture(height, width, 1000 * seed + t) - 0.5)
        noise = torch.randn(frame.shape, generator=generator) / 255
        frame = (frame + light + noise).clamp(0, 1)
        result.append((frame * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy())
    return result


def reference_first(frames: Sequence[Pixels]) -> list[Pixels]:
    """Frames in the order that a converter takes them: the middle one first."""
    middle = len(frames) // 2
    return [frames[middle], *frames[:middle], *frames[middle + 1 :]]


def as_group(frames: Sequence[Pixels]) -> Group:
    """Frames as the training takes them: reference (3, H, W) and others (P, 3, H, W)."""
    pictures = torch.stack([torch.from_numpy(f.transpose(2, 0, 1).copy()) for f in frames])
    middle = len(frames) // 2
    scaled = pictures.float() / 255
    return scaled[middle], torch.cat((scaled[:middle], scaled[middle + 1 :]))


def psnr(a: Pixels, b: Pixels) -> float:
    """In dB over all samples; 99 where equal."""
    error = float(np.mean((a.astype(float) - b.astype(float)) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


@pytest.fixture(autouse=True, scope="session")
def _one_parser() -> Iterator[None]:
    """Typer makes the parser of all verbs anew in each call: as much work as many a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def _quiet_machine() -> Iterator[None]:
    """Tiny tensors are slower on several threads; and every test has the same chances.

    A command takes signals until its process ends, which here goes on.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    before = {number: signal.getsignal(number) for number in signals.NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def training_groups() -> list[Group]:
    """What the tiny model is calibrated on."""
    return _groups(3)


def _groups(frames: int) -> list[Group]:
    return [as_group(moving_clip(96, 112, frames, s, seed=10 + i)) for i, s in enumerate(SPEEDS)]


@pytest.fixture(scope="session")
def tiny_net(tiny_models: Path) -> TransformNet:
    """A calibrated network whose enhancer does nothing yet. Not to be changed by tests."""
    net = TransformNet(TINY)
    net.load_state_dict(load_model(tiny_models / "video-3.v1.safetensors")[1])
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_card() -> Card:
    """The tiny model's description."""
    return Card(name="video-3-tiny", task="video", network="transform", config=asdict(TINY))


@pytest.fixture(scope="session")
def tiny_model(
    tiny_net: TransformNet, tiny_card: Card, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny model as a file, for whatever takes `--model PATH`."""
    path = tmp_path_factory.mktemp("models") / "video-3-tiny.safetensors"
    save_model(path, tiny_card, tiny_net.state_dict())
    return path


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny calibrated models called video-3.v1 and video-5.v1, for `IIC_MODELS`."""
    return shared(tmp_path_factory, "tiny-models", _put_tiny_models)


def _put_tiny_models(folder: Path) -> None:
    torch.set_num_threads(1)
    for config in (TINY, TINY_FIVE):
        torch.manual_seed(0)
        net = TransformNet(config).eval()
        calibrate(net, _groups(config.pictures))
        name = f"video-{config.pictures}.v1"
        card = Card(name=name, task="video", network="transform", config=asdict(config))
        save_model(folder / f"{name}.safetensors", card, net.state_dict())
