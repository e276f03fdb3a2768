"""The folder of a training: what it is for, and what it has made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.atomic import atomic_path
from iiccli.errors import TrainingError
from iiccli.training import checkpoints
from iiccli.training.loop import CHECKPOINTS
from iiccli.training.recipes import Recipe, as_table, as_yaml, differences, read_recipe


@dataclass(frozen=True)
class Run:
    """A folder of a training.

    By and by it holds `recipe.yaml`, resolved; `facts.json`, what else its model's card says;
    `calibrated.pt`, the tables of an adaptive network; `checkpoints/`; `log.jsonl`; `sheets/`;
    `tensorboard/`; `curves.png`; `model.safetensors`.

    Attributes:
        folder: there.
    """

    folder: Path

    @property
    def recipe_file(self) -> Path:
        """The resolved recipe."""
        return self.folder / "recipe.yaml"

    @property
    def facts_file(self) -> Path:
        """What else the model's card says."""
        return self.folder / "facts.json"

    @property
    def tables(self) -> Path:
        """The tables of an adaptive network."""
        return self.folder / "calibrated.pt"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / CHECKPOINTS

    @property
    def model(self) -> Path:
        """The finished model."""
        return self.folder / "model.safetensors"

    @property
    def begun(self) -> bool:
        """Whether a training has begun here."""
        return self.recipe_file.exists() or bool(checkpoints.found(self.checkpoints))

    def recipe(self) -> Recipe:
        """The recipe that it was begun with.

        Raises:
            TrainingError: there is none, or it cannot be read.
        """
        if not self.recipe_file.exists():
            raise TrainingError(
                f"{self.folder} holds no training.", "Name the folder that --run was given."
            )
        return read_recipe(str(self.recipe_file))

    def check(self, recipe: Recipe) -> None:
        """Refuse another recipe than the training was begun with.

        Raises:
            TrainingError: it differs in more than `schema.FREE`.
        """
        if self.recipe_file.exists():
            different = differences(as_table(self.recipe()), as_table(recipe))
            if different:
                raise TrainingError(
                    f"{self.folder} is another training ({'; '.join(different)}).",
                    "Start in another folder, or with the recipe it was made with.",
                )

    def begin(self, recipe: Recipe) -> None:
        """Keep the recipe.

        Raises:
            TrainingError: as `check`.
            OutputError: it cannot be written.
        """
        self.check(recipe)
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.recipe_file, force=True) as path:
            path.write_text(as_yaml(recipe), encoding="utf-8")

    def facts(self) -> dict[str, Any]:
        """What else the model's card says; empty before the training has begun."""
        try:
            facts: dict[str, Any] = json.loads(self.facts_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise TrainingError(f"{self.facts_file} cannot be read.", "Remove it.") from error
        return facts

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Add to the facts.

        Raises:
            OutputError: they cannot be written.
        """
        together = {**self.facts(), **facts}
        with atomic_path(self.facts_file, force=True) as path:
            path.write_text(json.dumps(together, indent=1, sort_keys=True) + "\n", encoding="utf-8")
