"""From pictures to a model file: calibrate, make examples, train the enhancer, export."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from iiccli.atomic import atomic_path
from iiccli.errors import ModelError, TrainingError
from iiccli.inference.adaptive import AdaptiveConverter, tables_of
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.training.calibration import calibrate
from iiccli.training.data import Footage, load_footage
from iiccli.training.loop import UNREADABLE, train
from iiccli.training.recipes import Recipe
from iiccli.training.repair import Repair
from iiccli.training.samples import Analysed, Example, analysed, examples
from iiccli.training.sources import Wish, samples
from iiccli.zoo.modelfile import Card, load_model, save_model

_VALIDATION_EVERY = 12
"""One sample in so many is kept out of training to validate on."""

_VALIDATED = 6
"""So many examples at most: they are measured whole."""

_EXAMPLES = 60
"""So many samples, or a little more, are decoded for the enhancer to learn from."""

Report = Callable[[str], None]


def train_model(
    recipe: Recipe,
    data: Sequence[Path],
    run: Path,
    *,
    device: torch.device,
    precision: torch.dtype,
    resume: bool = True,
    init: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    report: Report = lambda _: None,
) -> Path:
    """Train one model; every stage is kept in `run`, so that a restart goes on where it was.

    Args:
        recipe: what to train.
        data: folders of photographs, clips, pairs and cut-outs.
        run: folder of the run.
        device: for the enhancer's training.
        precision: float32 or bfloat16.
        resume: use what an earlier start left in `run`.
        init: a model file whose enhancer to start from, as far as shapes fit.
        stop: asked after every step; true ends with a checkpoint.
        report: called with what is going on.

    Returns:
        `run/model.safetensors`, without figures.

    Raises:
        TrainingError: no data, or `run` belongs to another recipe.
    """
    begun = time.monotonic()
    config = recipe.network
    footage = load_footage(data, frames=config.pictures if recipe.task == "video" else 2)
    for message in footage.skipped:
        report(f"left out: {message}")
    generator = torch.Generator().manual_seed(recipe.schedule.seed)
    found = samples(recipe.task, footage, Wish(config, recipe.samples, recipe.side, generator))
    found = [s for s in found if min(s.pictures[0].shape[:2]) >= 2 * config.cell]
    if not found:
        raise TrainingError(
            f"Nothing in {', '.join(map(str, data))} serves to train {recipe.task}.",
            "Give --data a folder with pictures of the right kind that are large enough.",
        )
    report(f"{len(found)} samples out of {_count(footage)}")
    counted = _count(footage)
    del footage
    run.mkdir(parents=True, exist_ok=True)
    net = AdaptiveNet(config).eval().requires_grad_(False)
    card = Card(recipe.name, recipe.task, "adaptive", asdict(config), reference="first")
    converter = AdaptiveConverter(card, net, torch.device("cpu"), DEFAULT_TILE)
    tables = run / "calibrated.pt"
    qualities = len(config.moduli)
    if resume and tables.exists():
        _load_tables(net, tables)
        converter = AdaptiveConverter(card, net, torch.device("cpu"), DEFAULT_TILE)
        items = [analysed(converter, s, i % qualities) for i, s in enumerate(found)]
    else:
        items = [analysed(converter, s, i % qualities) for i, s in enumerate(found)]
        items = calibrate(converter, items, report)
        with atomic_path(tables, force=True) as path:
            torch.save(net.state_dict(), path)
    if init is not None and not (run / "checkpoint.pt").exists():
        _start_from(net, init, report)
    figures = {}
    if config.depth and recipe.schedule.minutes > 0:
        own, kept = _examples(converter, items, report)
        net.to(device)
        net.enhancer.requires_grad_(True)
        objective = Repair(
            net, _on(own, device), _on(kept, device), crop=recipe.crop, batch=recipe.batch
        )
        figures = train(
            objective,
            recipe.schedule,
            run,
            resume=resume,
            precision=precision,
            stop=stop,
            report=lambda line: report(" ".join(f"{k} {v}" for k, v in line.items())),
        )
        net.to("cpu")
    made = replace(
        card,
        recipe={
            **{k: v for k, v in asdict(recipe).items() if k != "network"},
            "validation": figures,
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {device.type}",
            "torch": torch.__version__,
            "minutes_this_start": round((time.monotonic() - begun) / 60, 1),
            "init": init.name if init is not None else "",
        },
        data=f"{len(found)} samples out of {counted} of "
        f"{', '.join(folder.name for folder in data)}",
    )
    target = run / "model.safetensors"
    save_model(target, made, net.state_dict(), force=True)
    return target


def _examples(
    converter: AdaptiveConverter, items: Sequence[Analysed], report: Report
) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and to validate on: of each sample at one quality or more.

    Finding the level that fits takes longer than all else, so that many samples share out the
    qualities, and few have them all.
    """
    random = np.random.default_rng(2)
    own: list[Example] = []
    kept: list[Example] = []
    qualities = converter.qualities
    each = max(1, min(qualities, _EXAMPLES // len(items)))
    chosen = items[:: max(1, len(items) // _EXAMPLES)]
    for number, item in enumerate(chosen):
        if number % 20 == 0:
            report(f"examples: {number} of {len(chosen)}")
        held = len(chosen) > 1 and number % _VALIDATION_EVERY == 0
        for i in range(each):
            # Held-out samples are qualities apart too.
            quality = (number + number // _VALIDATION_EVERY + i) % qualities
            made = examples(converter, replace(item, quality=quality), random)
            (kept if held else own).extend(made)
    return own, kept[:_VALIDATED]


def _on(items: Sequence[Example], device: torch.device) -> list[Example]:
    return [Example(e.decoded.to(device), e.original.to(device), e.side.to(device)) for e in items]


def _count(footage: Footage) -> str:
    parts = {
        "photographs": len(footage.stills),
        "clips": len(footage.clips),
        "pairs": len(footage.pairs),
        "cut-outs": len(footage.cutouts),
    }
    return ", ".join(f"{number} {name}" for name, number in parts.items() if number)


def _load_tables(net: AdaptiveNet, path: Path) -> None:
    try:
        net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        tables_of(net)
    except UNREADABLE as error:
        raise TrainingError(
            f"{path} is damaged, or is from another network.",
            "Start in another folder, or remove it.",
        ) from error


def _start_from(net: AdaptiveNet, init: Path, report: Report) -> None:
    """Take over another model's enhancer, as far as the two overlap.

    Channels of pictures that only one of them has are left as they are; so are side planes,
    unless both networks have the same.

    Raises:
        ModelError: its enhancer is of another width, or there is none.
    """
    card, state = load_model(init)
    found = {k.removeprefix("enhancer."): v for k, v in state.items() if k.startswith("enhancer.")}
    own = net.enhancer.state_dict()
    if "head.weight" not in found or len(found["head.weight"]) != len(own["head.weight"]):
        raise ModelError(
            f"Nothing of {init.name} fits the network to train.", "Start from a model of its kind."
        )
    mine, other = own["head.weight"], found["head.weight"]
    # The tail writes the pictures' channels, so it tells how many there are.
    pictures = (len(own["tail.bias"]), len(found["tail.bias"]))
    shared = min(pictures)
    mine[:, :shared] = other[:, :shared]
    mine[:, pictures[0] :] = 0
    if card.network == "adaptive" and mine.shape[1] - pictures[0] == other.shape[1] - pictures[1]:
        mine[:, pictures[0] :] = other[:, pictures[1] :]
    for name in ("tail.weight", "tail.bias"):
        own[name][:shared] = found[name][:shared]
    same = [k for k, v in own.items() if k in found and v.shape == found[k].shape]
    for name in same:
        own[name] = found[name]
    net.enhancer.load_state_dict(own)
    report(f"started from the enhancer of {card.name}")
