"""Recipes: how models are made. YAML files with one schema."""

from iiccli.training.recipes.choosing import ALIASES, TASKS, recipe_for, shipped, task_of
from iiccli.training.recipes.reading import as_yaml, names, parse_changes, read_recipe
from iiccli.training.recipes.schema import (
    Calibration,
    Data,
    Loop,
    Optimiser,
    Recipe,
    Term,
    as_table,
    differences,
    recipe_of,
)

__all__ = [
    "ALIASES",
    "TASKS",
    "Calibration",
    "Data",
    "Loop",
    "Optimiser",
    "Recipe",
    "Term",
    "as_table",
    "as_yaml",
    "differences",
    "names",
    "parse_changes",
    "read_recipe",
    "recipe_for",
    "recipe_of",
    "shipped",
    "task_of",
]
