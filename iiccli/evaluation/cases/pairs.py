"""Left and right views, for `mono`."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from iiccli.errors import InputError
from iiccli.evaluation.cases.base import Case, Plan, Planned, check_folder, pictures_in, read_pixels

_SIDES = {"l": 0, "left": 0, "r": 1, "right": 1}
_ENDING = re.compile(r"(?P<base>.*?)[ _.-]*(?<![a-z])(?P<side>left|right|l|r)", re.IGNORECASE)


def pairs(folder: Path) -> Plan:
    """Stereo pairs: `NAME_L` and `NAME_R`, `NAME_left` and `NAME_right`, or two sub-folders.

    The sub-folders are called left and right, or L and R; a pair has one name in both, but for
    such an ending.

    Raises:
        InputError: there is no pair.
    """
    check_folder(folder)
    sides: tuple[dict[str, Path], dict[str, Path]] = ({}, {})
    folders = _side_folders(folder)
    if folders is not None:
        for views, side in zip(sides, folders, strict=True):
            views.update({_split(path.stem)[0]: path for path in pictures_in(side)})
    else:
        for path in pictures_in(folder):
            base, number = _split(path.stem)
            if number is not None:
                sides[number].setdefault(base, path)
    left, right = sides
    both = [base for base in left if base in right]
    if not both:
        raise InputError(
            f"The folder {folder} holds no stereo pairs.",
            "Call them NAME_L and NAME_R, or put them into the sub-folders left and right.",
        )
    names = {base: base or left[base].stem for base in both}
    cases = [Planned(n, partial(_read, n, left[base], right[base])) for base, n in names.items()]
    paired = {path for base in both for path in (left[base], right[base])}
    alone = sorted({*left.values(), *right.values()} - paired)
    return Plan(cases, [f"{path.name} has no partner" for path in alone])


def _side_folders(folder: Path) -> tuple[Path, Path] | None:
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name.lower() in _SIDES:
            found.setdefault(_SIDES[path.name.lower()], path)
    return (found[0], found[1]) if len(found) == 2 else None


def _split(stem: str) -> tuple[str, int | None]:
    """A name without the ending that says which view it is, and which it says: 0 is left."""
    match = _ENDING.fullmatch(stem)
    return (match["base"], _SIDES[match["side"].lower()]) if match else (stem, None)


def _read(name: str, left: Path, right: Path) -> Case:
    pictures = [read_pixels(left), read_pixels(right)]
    if pictures[0].shape != pictures[1].shape:
        raise InputError(f"{left.name} and {right.name} differ in size.")
    return Case(name, pictures)
