"""One measurement of time and memory, in a process of its own: `python -m` this file's module.

It reads a `Trial` as JSON from its first argument and prints what it found as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from iiccli.benchmarking.convolutions import Convolutions, roof, stopwatch
from iiccli.benchmarking.scenes import ZOOM, scene
from iiccli.carrier import free_samples
from iiccli.errors import IicError
from iiccli.evaluation.metrics import psnr
from iiccli.inference.converter import Converter, make_converter
from iiccli.inference.device import choose, enough_memory
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.networks.registry import build, settle
from iiccli.tasks.pictures import quality_index
from iiccli.zoo.modelfile import Card, load_model

PAPER = "iicnet-video-5"
"""Stands for the paper's own network, at the size that it published for five frames."""

_PAPER_CARD = Card(PAPER, "video", "iicnet", settle("iicnet", {"pictures": 5, "blocks": 10}))
_WARM = (128, 96)
_WATCHED = (427, 240)
_UNWATCHED = contextlib.nullcontext()
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Watch = contextlib.AbstractContextManager[Any]


@dataclass(frozen=True)
class Trial:
    """What is measured.

    Attributes:
        model: a model's file, or `PAPER`: random weights, which take the same time.
        width: of the pictures.
        height: of the pictures.
        quality: name of the carrier's quality.
        photographs: paths of what the pictures are made of.
        device: as `iiccli.inference.device.choose` takes it.
        precision: `fp32`, `bf16` or `fp16`; the latter two by autocast.
        compiled: whether torch compiles the network.
        rounds: how often; the fastest counts.
    """

    model: str
    width: int
    height: int
    quality: str
    photographs: tuple[str, ...]
    device: str = "cpu"
    precision: str = "fp32"
    compiled: bool = False
    rounds: int = 1

    @property
    def json(self) -> str:
        """What `main` reads."""
        return json.dumps(asdict(self))


def paper_parameters() -> int:
    """How many numbers the paper's network learns."""
    return sum(p.numel() for p in build("iicnet", _PAPER_CARD.config).parameters())


def measured(trial: Trial) -> dict[str, Any]:
    """Load, embed and restore.

    Returns:
        `embed_seconds`, `restore_seconds`, of the fastest round; `load_seconds`; `peak_bytes`, the
        most that this process had (on CUDA: that the device held), of which `above_bytes` since
        the model was loaded; `conv_gflops`, the rate of the network's convolutions both ways;
        `embed_in_network` and `restore_in_network`, the share of the time that is in torch's
        operations (these three of pictures of 427 × 240 at most, None where it is compiled);
        `roof_gflops`, that of a large matrix product; `restored_psnr` in dB; `threads`.

    Raises:
        IicError: see `iiccli.errors`.
    """
    device = choose(trial.device)
    paths = [Path(path) for path in trial.photographs]
    begun = time.perf_counter()
    converter = _converter(trial, device)
    loaded = time.perf_counter() - begun
    pictures = scene(converter.card, (trial.width, trial.height), paths)
    with enough_memory(), _precision(trial, device):
        _both_ways(converter, trial, scene(converter.card, _WARM, paths), device)
        before = _memory(device)
        rounds = [_both_ways(converter, trial, pictures, device) for _ in range(trial.rounds)]
        peak = _memory(device)
        meters = Convolutions(device), Convolutions(device)
        shares: tuple[float | None, ...] = (None, None)
        # Watching costs time where operations are small: it gets a round of its own, a short one.
        if not trial.compiled:
            watched = scene(converter.card, _at_most((trial.width, trial.height)), paths)
            seen = _both_ways(converter, trial, watched, device, meters)
            for meter in meters:
                meter.finish()
            spent = zip(meters, (seen.embed, seen.restore), strict=True)
            shares = tuple(meter.kernel_seconds / seconds for meter, seconds in spent)
        best = roof(device, _DTYPES[trial.precision])
    convolving = sum(meter.seconds for meter in meters)
    flops = sum(meter.flops for meter in meters)
    fastest = min(rounds, key=lambda r: r.embed + r.restore)
    return {
        "embed_seconds": fastest.embed,
        "restore_seconds": fastest.restore,
        "load_seconds": loaded,
        "peak_bytes": peak,
        "above_bytes": max(0, peak - before),
        "conv_gflops": flops / convolving / 1e9 if convolving else None,
        "embed_in_network": shares[0],
        "restore_in_network": shares[1],
        "roof_gflops": best / 1e9,
        "restored_psnr": fastest.psnr,
        "threads": torch.get_num_threads(),
    }


def _at_most(size: tuple[int, int]) -> tuple[int, int]:
    """A size, or the one at which convolutions are watched if that is smaller."""
    width, height = size
    return min(width, _WATCHED[0]), min(height, _WATCHED[1])


@dataclass(frozen=True)
class _Round:
    embed: float
    restore: float
    psnr: float


def _both_ways(
    converter: Converter,
    trial: Trial,
    pictures: list[Any],
    device: torch.device,
    meters: tuple[Watch, Watch] = (_UNWATCHED, _UNWATCHED),
) -> _Round:
    """Pictures to a carrier and back, as the tasks do, without files; each way inside its meter."""
    level = quality_index(trial.quality, converter.qualities)
    height, width = pictures[0].shape[:2]
    across, down = converter.carrier_size(width, height)
    free = free_samples(down, across, converter.channels, locked=False)
    zoom = float(ZOOM) if converter.card.task == "dual" else 1.0
    carrier: list[Any] = []
    back: list[Any] = []
    with meters[0]:
        embed = stopwatch(
            device, lambda: carrier.append(converter.embed(pictures, level, free, zoom=zoom))
        )
    with meters[1]:
        restore = stopwatch(
            device,
            lambda: back.append(
                converter.restore(carrier[0], (width, height), level, free, zoom=zoom).pictures
            ),
        )
    each = [min(psnr(a, b), 100.0) for a, b in zip(back[0], pictures, strict=True)]
    return _Round(embed, restore, mean(each) if np.isfinite(each).all() else 0.0)


def _converter(trial: Trial, device: torch.device) -> Converter:
    if trial.model == PAPER:
        torch.manual_seed(0)
        card, state = _PAPER_CARD, build("iicnet", _PAPER_CARD.config).state_dict()
    else:
        card, state = load_model(Path(trial.model))
    converter = make_converter(card, state, device, DEFAULT_TILE, frugal=False)
    if trial.compiled:
        _compile(converter)
    return converter


def _compile(converter: Any) -> None:
    """Let torch compile what has the convolutions."""
    remote = getattr(converter, "remote", None)
    if remote is not None:
        remote.enhancer.compile()
        return
    converter.net.embed = torch.compile(converter.net.embed)
    converter.net.restore = torch.compile(converter.net.restore)


@contextlib.contextmanager
def _precision(trial: Trial, device: torch.device) -> Iterator[None]:
    if trial.precision == "fp32":
        yield
        return
    with torch.autocast(device.type, _DTYPES[trial.precision]):
        yield


def _memory(device: torch.device) -> int:
    """The most bytes that the device held, or that this process ever had."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(words: list[str], tell: Callable[[str], None] = print) -> int:
    """Measure what the first word says; an error becomes a sentence under `why`."""
    values = json.loads(words[0])
    trial = Trial(**{**values, "photographs": tuple(values["photographs"])})
    try:
        found = measured(trial)
    except IicError as error:
        found = {"why": error.message}
    tell(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
