"""Names of files, as callers give them."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

Name = str | PathLike[str]
"""A file or folder."""


def paths_of(names: Name | Sequence[Name]) -> list[Path]:
    """One name or several, as paths."""
    several = [names] if isinstance(names, str | PathLike) else names
    return [Path(name) for name in several]
