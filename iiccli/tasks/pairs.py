"""What the inputs of a verb mean that takes two pictures for a carrier, or one that is both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from iiccli.errors import InputError, UsageError
from iiccli.media.fitting import Rule as Rule  # the API names it, too
from iiccli.media.fitting import cropped, fit, inner
from iiccli.media.frames import STILL_SUFFIXES
from iiccli.media.resize import Pixels, resize
from iiccli.tasks.batch import Item, Job, find_items


def fitted_second(
    second: Pixels, size: tuple[int, int], rule: Rule, *, most: int
) -> tuple[Pixels, Pixels, bool]:
    """Bring the second picture of a pair to the first one's size, so that it comes back.

    Args:
        second: (h, w, 3) uint8.
        size: width and height of the first.
        rule: see there. Nothing is turned.
        most: the longest side that may be padded, as the carrier has no room to say more.

    Returns:
        What goes in; what will come back, which is less if it was cropped; and whether there are
        borders.

    Raises:
        UsageError: it is too large.
    """
    if rule == "crop":
        second = cropped(second, size, turning=False)
    own = (second.shape[1], second.shape[0])
    if rule != "pad" or own == size:
        return resize(second, size), second, False
    if max(own) > most:
        raise UsageError(
            f"A picture of {own[0]}×{own[1]} pixels cannot be padded: at most {most} a side.",
            "Choose another --fit.",
        )
    return fit(second, size, "pad", turning=False)[0], second, True


def unfitted_second(second: Pixels, own: tuple[int, int], *, padded: bool) -> Pixels:
    """Undo `fitted_second`: the picture at its own size, perhaps without its borders."""
    if padded:
        height, width = second.shape[:2]
        left, top, *inside = inner(own, (width, height))
        second = np.ascontiguousarray(second[top : top + inside[1], left : left + inside[0]])
    return resize(second, own)


def fit_words(own: tuple[int, int], size: tuple[int, int], rule: Rule) -> str:
    """What is done to a picture of another size; empty where nothing is.

    Args:
        own: its width and height.
        size: those that it gets.
        rule: see there.
    """
    if own == size:
        return ""
    across = abs(own[0] * size[1] / (own[1] * size[0]) - 1) > 0.02
    words = f"from {own[0]}×{own[1]} to {size[0]}×{size[1]}"
    if rule == "pad":
        return f"resized {words} with borders; when restored it has its own size"
    if rule == "crop" and across:
        return f"cut to the proportions and resized {words}; what was cut is lost"
    words = f"resized {words}"
    if across:
        words += ", which changes its proportions (--fit crop or pad does not)"
    return f"{words}; when restored it has its own size"


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
