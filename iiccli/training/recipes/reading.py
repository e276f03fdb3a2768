"""Recipes by name, from files, and with single values changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from iiccli.errors import TrainingError
from iiccli.training.recipes.schema import Recipe, as_table, nearest, recipe_of

_FILES = Path(__file__).parent / "files"
_SUFFIXES = (".yaml", ".yml")


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in _FILES.glob("*.yaml"))


def read_recipe(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe, with some values changed.

    Args:
        name: of a recipe that comes with the package, or a YAML file.
        changes: dotted keys (`optimiser.rate`) to values.

    Raises:
        TrainingError: there is no such recipe, it breaks the schema, or so does a change.
    """
    path = Path(name)
    if path.suffix in _SUFFIXES:
        table = load_table(path)
        own = table.pop("name", path.stem)
    elif name in names():
        table, own = copy.deepcopy(_packaged(name)), name
    else:
        raise TrainingError(f"There is no recipe {name!r}.", nearest(name, names()))
    for key, value in (changes or {}).items():
        _put(table, key, value)
    recipe = recipe_of({"name": own, **table}, f"recipe {own}")
    return fitted(recipe)


def parse_changes(words: Sequence[str]) -> dict[str, Any]:
    """`key=value` words as changes; values are read as YAML.

    Raises:
        TrainingError: a word without `=`, or a value that is no YAML.
    """
    yaml = _yaml()
    changes = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise TrainingError(f"{word!r} is no KEY=VALUE.", "For example: optimiser.rate=1e-3")
        try:
            changes[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2001-99-99
            raise TrainingError(f"The value of {key} cannot be read: {value!r}.") from error
    return changes


def as_yaml(recipe: Recipe) -> str:
    """The resolved recipe as a YAML file."""
    text: str = _yaml().safe_dump(
        as_table(recipe), sort_keys=False, default_flow_style=None, allow_unicode=True
    )
    return text


def fitted(recipe: Recipe) -> Recipe:
    """Crops as the network's sizes need them.

    Raises:
        TrainingError: the crop is no multiple of what the network needs.
    """
    config = recipe.config
    # The couplings of the dense networks work at half the size, those of rescaling ×4 at a quarter.
    unit = {"adaptive": config.get("scale", 1), "fast": max(2, config.get("scale", 1))}.get(
        recipe.network, 2
    )
    side = recipe.data.resize or recipe.data.crop
    if side % unit:
        name = "data.resize" if recipe.data.resize else "data.crop"
        raise TrainingError(f"recipe {recipe.name}: {name} is a multiple of {unit}, not {side}.")
    if recipe.data.resize:
        return replace(recipe, data=replace(recipe.data, crop=recipe.data.resize))
    return recipe


@cache
def _packaged(name: str) -> dict[str, Any]:
    return load_table(_FILES / f"{name}.yaml")


def load_table(path: Path) -> dict[str, Any]:
    """What a YAML file holds.

    Raises:
        TrainingError: it cannot be read, is no YAML, or no table.
    """
    yaml = _yaml()
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"Cannot read the recipe {path}: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where is not None else ""
        raise TrainingError(f"{path}{line} is no YAML.") from error
    if not isinstance(table, dict):
        raise TrainingError(f"{path} holds no recipe.", "A recipe is a table of keys and values.")
    return table


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    """Change one value of nested tables; `recipe_of` finds keys that are none."""
    *way, last = key.split(".")
    for part in way:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise TrainingError(f"There is no key {key}: {part} is no table.")
        table = inner
    if isinstance(table.get(last), dict) and not isinstance(value, dict):
        raise TrainingError(f"{key} is a table, not {value!r}.", f"Change one of its keys: {key}.…")
    table[last] = value


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise TrainingError(
            "Training needs packages that are not installed.", "pip install 'iiccli[train]'"
        ) from error
    return yaml
