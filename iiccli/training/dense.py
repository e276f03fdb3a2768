"""Making a dense network, `fast` or `iicnet`: groups to learn from, weights to start with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from iiccli.errors import ModelError, TrainingError
from iiccli.networks.registry import build
from iiccli.tasks.layer_pictures import roles_of
from iiccli.training.embedding import Embedding
from iiccli.training.footage import Footage
from iiccli.training.groups import Groups, Wish
from iiccli.training.recipes import Recipe
from iiccli.zoo.modelfile import Card, load_model

if TYPE_CHECKING:
    from accelerate import Accelerator


def network_of(recipe: Recipe) -> nn.Module:
    """The network of a recipe, as training begins with it: the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.loop.seed)
        return build(recipe.network, recipe.config)


def prepare(
    recipe: Recipe,
    footage: Footage,
    validation: Footage | None,
    engine: Accelerator,
    *,
    init: Path | None,
    report: Callable[[str], None],
) -> Embedding:
    """The objective, with its network on its device.

    Args:
        recipe: of a dense network.
        footage: to learn from.
        validation: to validate on; None keeps some of `footage` out for that.
        engine: see `engine.make_engine`.
        init: a model file to start from, as far as names and shapes fit.
        report: called with what is going on.

    Raises:
        TrainingError: nothing serves.
        ModelError: nothing of `init` fits.
    """
    groups, kept = _groups(recipe, footage, validation)
    report(f"to learn from: {groups.footage.index.count}")
    report(f"to validate on: {kept.footage.index.count if kept else 'nothing'}")
    net = network_of(recipe)
    if init is not None:
        start_from(net, init, report)
    net.to(engine.device)
    return Embedding(net, recipe, groups, kept)


def _groups(
    recipe: Recipe, footage: Footage, validation: Footage | None
) -> tuple[Groups, Groups | None]:
    """Groups to learn from, and to validate on; where there is too little for both, the former."""
    wish = wish_of(recipe)
    if validation is not None:
        return Groups(footage, wish), Groups(validation, wish)
    own, kept = footage.split(recipe.data.validation)
    try:
        return Groups(own, wish), Groups(kept, wish)
    except TrainingError:
        return Groups(footage, wish), None


def wish_of(recipe: Recipe) -> Wish:
    """The groups that a recipe wants."""
    wish = Wish(
        recipe.task,
        recipe.pictures,
        recipe.data.crop,
        scale=2,
        resize=recipe.data.resize > 0,
        seed=recipe.loop.seed,
    )
    if recipe.task != "layers":
        return wish
    return replace(wish, roles=roles_of(Card(recipe.name, "layers", recipe.network, recipe.config)))


def start_from(net: nn.Module, init: Path, report: Callable[[str], None]) -> None:
    """Take over what fits of another model's weights, by name and shape.

    Raises:
        ModelError: nothing does.
    """
    card, state = load_model(init)
    own = net.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and v.shape == own[k].shape}
    if not fitting:
        raise ModelError(
            f"Nothing of {init.name} fits the network to train.", "Start from a model of its kind."
        )
    net.load_state_dict({**own, **fitting})
    report(f"started from {card.name}: {len(fitting)} of {len(own)} tensors fit")
