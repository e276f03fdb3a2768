"""What the inputs of a verb mean that takes two pictures for a carrier, or one that is both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from iiccli.errors import InputError, UsageError
from iiccli.media.frames import STILL_SUFFIXES
from iiccli.tasks.batch import Item, Job, find_items

Arrangement = Literal["each", "pair", "folders"]
"""Every input for itself, two files for one carrier, or two folders whose pictures go together in
order."""


def arrangement(inputs: Sequence[str], *, each: bool) -> Arrangement:
    """Tell how inputs belong together: two are a pair, unless `each` is for itself.

    Raises:
        UsageError: a folder and a file.
    """
    if each or len(inputs) != 2:
        return "each"
    folders = [Path(given).is_dir() for given in inputs]
    if all(folders):
        return "folders"
    if any(folders):
        raise UsageError(
            f"Of {inputs[0]} and {inputs[1]} only one is a folder.",
            "Give two pictures, or two folders of as many pictures each.",
        )
    return "pair"


def items_of(
    how: Arrangement,
    *,
    recursive: bool,
    more_suffixes: Sequence[str] = (),
    leave_out: Callable[[Path], bool] = lambda path: False,
) -> Callable[[list[Path]], list[Item]]:
    """Give what turns inputs so arranged into items, for `iiccli.tasks.batch.plan`.

    Args:
        how: see there.
        recursive: go into folders of folders.
        more_suffixes: of files that are taken out of folders besides usual pictures.
        leave_out: see `find_items`.
    """

    def find(paths: list[Path]) -> list[Item]:
        suffixes = (*STILL_SUFFIXES, *more_suffixes)
        if how == "pair":
            return [Item(tuple(paths), Path(paths[0].stem))]
        if how == "each":
            return find_items(paths, recursive=recursive, suffixes=suffixes, leave_out=leave_out)
        sides = [
            find_items([path], recursive=recursive, suffixes=suffixes, leave_out=leave_out)
            for path in paths
        ]
        if len(sides[0]) != len(sides[1]):
            raise InputError(
                f"{paths[0]} holds {len(sides[0])} pictures, {paths[1]} holds {len(sides[1])}.",
                "Pictures go together in the order of their names: give as many of each.",
            )
        return [
            Item((*one.sources, *other.sources), one.place, one.folder)
            for one, other in zip(*sides, strict=True)
        ]

    return find


def up_to_date(job: Job) -> bool:
    """Tell whether a target is at least as new as all its sources."""
    try:
        made = job.target.stat().st_mtime
        return all(source.stat().st_mtime <= made for source in job.sources)
    except OSError:
        return False
