"""Cases from any folder of photographs, for `dual`, `hide`, `gray` and `rescale`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from iiccli.carrier.header import MAX_SIDE
from iiccli.errors import InputError
from iiccli.evaluation.cases.base import (
    Case,
    Pixels,
    Plan,
    Planned,
    crop_alike,
    crop_to_multiple,
    pictures_in,
    read_pixels,
)
from iiccli.media.opening import opened
from iiccli.tasks.dual_view import essentials_of, views_of

MIN_SIDE = 48
"""Dual views whose wide view has a shorter side are left out."""


def colours(folder: Path) -> Plan:
    """Every photograph as it is.

    Raises:
        InputError: there is none.
    """
    return high_resolution(folder, 1)


def high_resolution(folder: Path, scale: int) -> Plan:
    """Every photograph, cropped to a multiple of `scale` as the literature does.

    Raises:
        InputError: there is none that is large enough.
    """
    paths = _large_enough(folder, scale, f"a scale of {scale}")
    return Plan([_planned(path, scale) for path in paths.large], paths.left_out)


def _planned(path: Path, multiple: int) -> Planned:
    def read() -> Case:
        return Case(path.stem, [crop_to_multiple(read_pixels(path), multiple)])

    return Planned(path.stem, read)


def dual_views(folder: Path, zoom: int) -> Plan:
    """Every photograph at low resolution, and its centre at full resolution.

    Args:
        folder: of photographs.
        zoom: 2 or more.

    Raises:
        InputError: there is no photograph that is large enough.
    """
    paths = _large_enough(folder, MIN_SIDE * zoom, f"a zoom of {zoom}")
    cases = [Planned(path.stem, partial(_dual_view, path, zoom)) for path in paths.large]
    return Plan(cases, paths.left_out)


@dataclass(frozen=True)
class _Paths:
    """Pictures that are large enough, and a phrase on each that is not."""

    large: list[Path]
    left_out: list[str]


def _large_enough(folder: Path, least: int, purpose: str) -> _Paths:
    """The pictures in a folder whose shorter side has at least so many pixels.

    Raises:
        InputError: there is none.
    """
    paths = pictures_in(folder)
    large = [path for path in paths if least == 1 or _shorter_side(path) >= least]
    if not large:
        raise InputError(
            f"The folder {folder} holds no picture large enough for {purpose}.",
            f"Both sides of one must be {least} pixels or more.",
        )
    small = [path for path in paths if path not in large]
    return _Paths(large, [f"{path.name} is too small for {purpose}" for path in small])


def _shorter_side(path: Path) -> int:
    """In pixels; of a file that cannot be read, any: reading it will say what is wrong."""
    try:
        with opened(path) as image:
            return min(image.size)
    except InputError:
        return MAX_SIDE


def _dual_view(path: Path, zoom: int) -> Case:
    wide, tele = views_of(read_pixels(path), zoom)
    essentials = essentials_of(wide, zoom, tele)
    return Case(path.stem, [wide, tele], zoom=float(zoom), header={"essentials": essentials})


def groups(folder: Path, secrets: int) -> Plan:
    """Every photograph as the cover of the next ones; after the last comes the first again.

    Raises:
        InputError: there are not enough photographs for one group.
    """
    paths = pictures_in(folder)
    if len(paths) <= secrets:
        raise InputError(
            f"The folder {folder} holds {len(paths)} pictures; a group takes {secrets + 1}.",
            "Give a folder of more pictures, or a model that hides fewer.",
        )
    count = len(paths)
    chosen = [[paths[(i + k) % count] for k in range(secrets + 1)] for i in range(count)]
    return Plan([Planned(group[0].stem, partial(_group, group)) for group in chosen])


def turned_as(picture: Pixels, cover: Pixels) -> Pixels:
    """A portrait turned by 90° where the cover is a landscape, and the other way round."""
    height, width = picture.shape[:2]
    across, up = cover.shape[1] > cover.shape[0], cover.shape[1] < cover.shape[0]
    if (across and width < height) or (up and width > height):
        return np.ascontiguousarray(np.rot90(picture))
    return picture


def _group(paths: list[Path]) -> Case:
    pictures = [read_pixels(path) for path in paths]
    return Case(paths[0].stem, crop_alike([turned_as(p, pictures[0]) for p in pictures]))
