"""Recipes by name, from files, and with single values changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from iiccli.errors import TrainingError
from iiccli.training.recipes.bounded import (
    MOST_BYTES,
    NoYamlError,
    TooMuchError,
    parse,
    shown,
    shown_key,
    yaml_package,
)
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
    recipe = recipe_of({"name": own, **table}, f"recipe {shown_key(own)}")
    return fitted(recipe)


def parse_changes(words: Sequence[str]) -> dict[str, Any]:
    """`key=value` words as changes; values are read as YAML.

    Raises:
        TrainingError: a word without `=`, or a value that is no YAML or too large.
    """
    changes = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise TrainingError(f"{word!r} is no KEY=VALUE.", "For example: optimiser.rate=1e-3")
        try:
            changes[key] = parse(value)
        except (NoYamlError, TooMuchError) as error:
            said = f"The value of {shown_key(key)} cannot be read: {shown(value)}."
            raise TrainingError(said) from error
    return changes


def as_yaml(recipe: Recipe) -> str:
    """The resolved recipe as a YAML file."""
    text: str = yaml_package().safe_dump(
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
        TrainingError: it cannot be read, is no YAML, too large, or no table.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TooMuchError
        table = parse(content.decode("utf-8"))
    except OSError as error:
        raise TrainingError(f"Cannot read the recipe {path}: {error.strerror}.") from error
    except TooMuchError as error:
        raise TrainingError(
            f"{path} holds more than a recipe may.", "A recipe is a small table of keys and values."
        ) from error
    except (NoYamlError, UnicodeDecodeError) as error:
        line = getattr(error, "line", None)
        where = "" if line is None else f", line {line}"
        raise TrainingError(f"{path}{where} is no YAML.") from error
    if not isinstance(table, dict):
        raise TrainingError(f"{path} holds no recipe.", "A recipe is a table of keys and values.")
    return table


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    """Change one value of nested tables; `recipe_of` finds keys that are none."""
    *way, last = key.split(".")
    for part in way:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise TrainingError(f"There is no key {shown_key(key)}: {shown_key(part)} is no table.")
        table = inner
    if isinstance(table.get(last), dict) and not isinstance(value, dict):
        raise TrainingError(
            f"{key} is a table, not {shown(value)}.", f"Change one of its keys: {key}.…"
        )
    table[last] = value
