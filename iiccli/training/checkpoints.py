"""Checkpoints of a run: whole or absent, the last few kept."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from struct import error as StructError
from typing import Any

import torch

from iiccli.atomic import atomic_path
from iiccli.errors import TrainingError
from iiccli.training.recipes import differences

UNREADABLE = (
    *(EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(StructError, UnpicklingError),
)
"""What torch raises where a checkpoint is cut off, is no checkpoint, or does not fit."""

FORMAT = 1


def found(folder: Path) -> list[Path]:
    """The checkpoints in a run's folder, the newest first."""
    return sorted(folder.glob("step-*.pt"), reverse=True)


def save(folder: Path, state: Mapping[str, Any], keep: int) -> Path:
    """Write a checkpoint, and remove all but the last `keep`.

    Those of later steps go too: they are damaged, or the training has begun anew.

    Args:
        folder: of the run's checkpoints.
        state: its `step` names the file.
        keep: at least 1.

    Raises:
        OutputError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{state['step']:08d}.pt"
    write(target, {"format": FORMAT, **state})
    paths = found(folder)
    place = paths.index(target)
    for old in (*paths[:place], *paths[place + keep :]):
        old.unlink(missing_ok=True)
    return target


def write(target: Path, state: Mapping[str, Any]) -> None:
    """Save tensors, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    # Through memory: with a full disk torch raises what could be anything.
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    with atomic_path(target, force=True) as path:
        path.write_bytes(buffer.getbuffer())


def load(folder: Path, recipe: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The newest checkpoint that can be read; None where there is none.

    Args:
        folder: of the run's checkpoints.
        recipe: what is to go on; None takes any.

    Raises:
        TrainingError: it is from another recipe, or all are damaged.
    """
    paths = found(folder)
    for path in paths:
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
            version, stored = int(state["format"]), state["recipe"]
        except UNREADABLE:
            continue
        if version > FORMAT:
            raise TrainingError(f"{path} was made by a newer iic.", "Upgrade iic.")
        different = [] if recipe is None else differences(stored, recipe)
        if different:
            raise TrainingError(
                f"{path} is from another training ({'; '.join(different)}).",
                "Start in another folder, or with the recipe it was made with.",
            )
        return dict(state)
    if paths:
        raise TrainingError(
            f"{paths[0]} is damaged, or is no checkpoint.", "Start in another folder, or remove it."
        )
    return None
