"""Making an adaptive network: calibrate its tables, make examples, get the enhancer ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from iiccli.errors import ModelError, TrainingError
from iiccli.inference.adaptive import AdaptiveConverter, tables_of
from iiccli.inference.threads import in_pieces
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet
from iiccli.networks.registry import build
from iiccli.training import checkpoints
from iiccli.training.calibration import calibrate
from iiccli.training.checkpoints import UNREADABLE
from iiccli.training.footage import Footage
from iiccli.training.groups import Groups, Wish
from iiccli.training.recipes import Recipe
from iiccli.training.repair import Repair
from iiccli.training.run import Run
from iiccli.training.samples import Example, Item, Sample, analysed, examples, sample_of
from iiccli.training.sequencing import begin_modes, calibrate_sequence, sequenced
from iiccli.zoo.modelfile import Card, load_model

if TYPE_CHECKING:
    from accelerate import Accelerator

_EXAMPLES = 60
"""So many samples, or a little more, are decoded for the enhancer to learn from."""

Report = Callable[[str], None]


def network_of(recipe: Recipe) -> AdaptiveNet:
    """The network of a recipe, without tables."""
    net = build("adaptive", recipe.config)
    assert isinstance(net, AdaptiveNet)
    return net.eval().requires_grad_(False)


def prepare(
    recipe: Recipe,
    footage: Footage,
    run: Run,
    engine: Accelerator,
    *,
    resume: bool,
    init: Path | None,
    report: Report,
) -> Repair | None:
    """Calibrate, unless the run has been, and make what the enhancer learns from.

    Args:
        recipe: of an adaptive network.
        footage: to fit and to learn from.
        run: gets the tables.
        engine: see `engine.make_engine`.
        resume: take the tables that the run has.
        init: a model file whose enhancer to start from, as far as shapes fit.
        report: called with what is going on.

    Returns:
        The objective; None where the recipe has no time for it.

    Raises:
        TrainingError: nothing serves, or the tables belong to another network.
        ModelError: nothing of `init` fits.
    """
    net = network_of(recipe)
    found = _samples(recipe, footage, net.config)
    report(f"{len(found)} samples out of {footage.index.count}")
    card = Card(recipe.name, recipe.task, "adaptive", dict(recipe.config), reference="first")
    if init is not None:
        _start_from(net, init, report)
    if engine.is_main_process:
        run.begin(recipe)
    with engine.main_process_first():
        # The other processes find what the first has made.
        known = (resume or not engine.is_main_process) and run.tables.exists()
        if known:
            load_tables(net, run.tables)
        converter = AdaptiveConverter(card, net, torch.device("cpu"), DEFAULT_TILE)
        items = items_of(converter, found, report, fit=not known)
        if not known:
            checkpoints.write(run.tables, net.state_dict())
    if not net.config.depth or recipe.loop.minutes == 0:
        return None
    own, kept = _examples(converter, items, recipe, report)
    device = engine.device
    net.to(device)
    net.enhancer.requires_grad_(True)
    return Repair(net, recipe, _on(own, device), _on(kept, device))


def items_of(
    converter: AdaptiveConverter, found: Sequence[Sample], report: Report, *, fit: bool
) -> Sequence[Item]:
    """Samples on their way through a model, whose tables are fitted to them if so wanted."""
    numbered = [(sample, i % converter.qualities) for i, sample in enumerate(found)]
    if converter.config.modes:
        random = np.random.default_rng(1)
        if fit:
            begin_modes(converter.net)
        with in_pieces():
            ready = [sequenced(converter, *own, random) for own in numbered]
            if fit:
                calibrate_sequence(converter, ready, report)
        return ready
    items = [analysed(converter, *own) for own in numbered]
    return calibrate(converter, items, report) if fit else items


def _samples(recipe: Recipe, footage: Footage, config: AdaptiveConfig) -> list[Sample]:
    """What the tables are fitted to; what is used elsewhere on the device comes to the CPU."""
    wish = Wish(
        recipe.task,
        recipe.pictures,
        recipe.calibration.side,
        exact=False,
        scale=config.scale,
        centred=config.prediction == "zoom",
        seed=recipe.loop.seed,
    )
    groups = Groups(footage, wish)
    count = recipe.calibration.samples
    count = min(count, groups.distinct or count)
    drawn = (sample_of(groups.draw(i)) for i in range(count))
    found = [s for s in drawn if min(s.pictures[0].shape[:2]) >= 2 * config.cell]
    if not found:
        raise TrainingError(
            f"Nothing of {footage.index.count} serves to train {recipe.task}.",
            "Give --data a folder with pictures that are larger.",
        )
    return found


def _examples(
    converter: AdaptiveConverter, items: Sequence[Item], recipe: Recipe, report: Report
) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and to validate on: of each sample at one quality or more.

    Finding the level that fits takes longer than all else, so that many samples share out the
    qualities, and few have them all.
    """
    random = np.random.default_rng(2)
    own: list[Example] = []
    kept: list[Example] = []
    qualities, every = converter.qualities, recipe.data.validation
    each = max(1, min(qualities, _EXAMPLES // len(items)))
    chosen = items[:: max(1, len(items) // _EXAMPLES)]
    for number, item in enumerate(chosen):
        if number % 20 == 0:
            report(f"examples: {number} of {len(chosen)}")
        held = len(chosen) > 1 and number % every == 0
        for i in range(each):
            # Held-out samples are qualities apart too.
            quality = (number + number // every + i) % qualities
            made = examples(converter, item.at(quality), random)
            (kept if held else own).extend(made)
    return own, kept[: recipe.data.validated]


def _on(items: Sequence[Example], device: torch.device) -> list[Example]:
    return [Example(e.decoded.to(device), e.original.to(device), e.side.to(device)) for e in items]


def load_tables(net: AdaptiveNet, path: Path) -> None:
    """Fill a network's tables from a run.

    Raises:
        TrainingError: they are damaged, or another network's.
    """
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
