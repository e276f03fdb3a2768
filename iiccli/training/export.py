"""A run as a model file, whether it has ended or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from iiccli.errors import TrainingError
from iiccli.training import adaptive, checkpoints, dense
from iiccli.training.checkpoints import UNREADABLE
from iiccli.training.recipes import Recipe, as_table
from iiccli.training.run import Run
from iiccli.zoo.modelfile import Card, save_model

_ENHANCER = "enhancer."
_REFERENCES = {"video": "middle"}


def export(run: Run, target: Path, *, name: str | None = None, force: bool = False) -> Card:
    """Write the averaged weights of a run's last checkpoint as a model file.

    Args:
        run: begun; an adaptive network's is calibrated.
        target: the model file.
        name: of the model; None: as the recipe says.
        force: replace the target.

    Returns:
        The model's card; its figures come with `iic evaluate`.

    Raises:
        TrainingError: the run holds nothing to export, or what it holds is damaged.
        OutputExistsError, OutputError: the target cannot be written.
    """
    recipe = run.recipe()
    state = checkpoints.load(run.checkpoints, as_table(recipe))
    if recipe.network == "adaptive":
        net: nn.Module = _tables(recipe, run)
        module = net.enhancer
        assert isinstance(module, nn.Module)
    else:
        net = module = dense.network_of(recipe)
        if state is None:
            raise TrainingError(
                f"{run.folder} holds no checkpoint yet.", "Wait for the first, or train."
            )
    if state is not None:
        _fill(module, state, run)
    facts = run.facts()
    card = Card(
        name=name or recipe.name,
        task=recipe.task,
        network=recipe.network,
        config=dict(recipe.config),
        reference=_REFERENCES.get(recipe.task, "first"),
        recipe={**as_table(recipe), **_made(facts, state)},
        data=str(facts.get("data", "")),
    )
    save_model(target, card, _lean(net.state_dict()), force=force)
    return card


def _lean(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as a file keeps them: an enhancer's in half precision, which halves it.

    They are read back into float32, in which they are computed with, and measured. Tables have to
    stay as they are.
    """
    return {
        name: weight.half() if name.startswith(_ENHANCER) else weight
        for name, weight in state.items()
    }


def _tables(recipe: Recipe, run: Run) -> Any:
    if not run.tables.exists():
        raise TrainingError(
            f"{run.folder} is not calibrated yet.", "Go on with `iic train --resume`."
        )
    net = adaptive.network_of(recipe)
    adaptive.load_tables(net, run.tables)
    return net


def _fill(module: nn.Module, state: dict[str, Any], run: Run) -> None:
    try:
        module.load_state_dict(state["module"])
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(state["average"][name])
    except UNREADABLE as error:
        raise TrainingError(
            f"The checkpoint in {run.checkpoints} is from another network.", "Train anew."
        ) from error


def _made(facts: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
    """How it came about, besides the recipe."""
    # Where pictures lie on somebody's machine is nobody's business.
    own = {k: v for k, v in facts.items() if k not in ("data", "sources")}
    if state is not None:
        own |= {"steps_done": state["step"], "minutes_used": round(state["used"] / 60, 1)}
    return own
