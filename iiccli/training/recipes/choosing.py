"""Which recipe a task takes, and which make the models that ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

from iiccli.datasets.catalogue import LAYOUTS
from iiccli.errors import UsageError
from iiccli.training.recipes.reading import load_table, read_recipe
from iiccli.training.recipes.schema import Recipe, Task, nearest

TASKS: tuple[str, ...] = get_args(Task)

ALIASES = {alias: layout.task for alias, layout in LAYOUTS.items()}
"""The paper's data sets, and what they are for."""

_SHIPPED = Path(__file__).parent / "shipped.yaml"


def recipe_for(
    task: str,
    *,
    pictures: int | None = None,
    scale: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Recipe:
    """Our own recipe for a task.

    Args:
        task: one of `TASKS`, or a data set's alias.
        pictures: frames of a video, or secrets to hide; None: as many as the recipe says.
        scale: the carrier is so many times smaller, where the task has that choice.
        changes: further dotted keys to values.

    Raises:
        UsageError: no such task, or an option that the task does not have.
        TrainingError: no such network.
    """
    task, _ = task_of(task)
    name = "video-half" if task == "video" and (scale or 1) > 1 else task
    return read_recipe(name, {**options(task, pictures, scale), **(changes or {})})


def task_of(name: str) -> tuple[str, str | None]:
    """The task that a name stands for, and the data set if it names one.

    Raises:
        UsageError: neither a task nor a data set.
    """
    if name in TASKS:
        return name, None
    if name in ALIASES:
        return ALIASES[name], name
    known = (*TASKS, *ALIASES)
    raise UsageError(f"There is no recipe for the task {name!r}.", nearest(name, known))


def options(task: str, pictures: int | None, scale: int | None) -> dict[str, Any]:
    """The number of pictures and the scale, as changes of a recipe.

    Raises:
        UsageError: an option that the task does not have.
    """
    changes: dict[str, Any] = {}
    if pictures is not None:
        if task not in ("video", "hide"):
            raise UsageError(f"The task {task} has no choice of pictures.", "Leave out --pictures.")
        changes["config.pictures"] = pictures + (task == "hide")
    if scale is not None:
        if task not in ("video", "rescale"):
            raise UsageError(f"The task {task} has no choice of scale.", "Leave out --scale.")
        changes["config.scale"] = scale
    return changes


@cache
def shipped() -> dict[str, Recipe]:
    """The models of `models/` and how each was made, in the order in which they are trained."""
    made = {}
    for name, line in load_table(_SHIPPED).items():
        changes = dict(line)
        recipe = read_recipe(changes.pop("recipe"), changes)
        made[name] = replace(recipe, name=name)
    return made
