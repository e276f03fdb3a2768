"""Names of files, as callers give them."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from iiccli.locking import Phrase

Name = str | PathLike[str]
"""A file or folder."""


def paths_of(names: Name | Sequence[Name]) -> list[Path]:
    """One name or several, as paths."""
    several = [names] if isinstance(names, str | PathLike) else names
    return [Path(name) for name in several]


def phrase_of(key: str | bytes | None) -> Phrase | None:
    """The pass phrase that a caller gave, if any.

    Raises:
        UsageError: it is empty.
    """
    return None if key is None else Phrase(key)
