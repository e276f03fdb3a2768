"""Sample sheets: what a network makes of some pictures, drawn at each validation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iiccli.evaluation.metrics import psnr
from iiccli.evaluation.sheet import (
    AMPLIFICATION,
    Panel,
    cell_for,
    decibels,
    difference,
    draw,
    shown,
)
from iiccli.media.image import write_picture
from iiccli.training.watching.base import Pixels, writing

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "sheets"
"""In a run's folder."""

KEPT = 20
"""Sheets that stay in a run's folder: those of the latest steps."""

Group = tuple[Sequence[Pixels], Pixels, Sequence[Pixels], Pixels]
"""Originals, the carrier, what was restored, and the cover that the carrier should look like.

Each picture is (H, W), (H, W, 3) or (H, W, 4) uint8; restored ones are as large as their originals,
and the carrier is as large as the cover.
"""

WIDEST, HIGHEST = 1920, 3200
"""A sheet in pixels, at most."""

_GROUPS, _PICTURES = 6, 16
"""Groups, and pictures of each, that are shown at most."""

_LEGIBLE = 200
"""So wide a picture has to be, unless it is smaller, for all of a group to stand in one row."""


def sample_sheet(groups: Sequence[Group], title: str = "") -> Pixels:
    """Draw what a network makes of some groups of pictures.

    Each group is a row: originals, the cover and the carrier, what was restored, differences. Where
    that would be too small it is three: the cover and the originals; under each of them the
    carrier, and what was restored; under those the differences.

    Args:
        groups: at least one; what is more than a sheet can hold is left out.
        title: above them all.

    Returns:
        (H, W, 3) uint8, at most `HIGHEST` × `WIDEST` pixels, however large the pictures.
    """
    triples = [_triples(group) for group in groups[:_GROUPS]]
    rows = [_one_row(*zip(*group, strict=True)) for group in triples]
    cell = cell_for(rows, WIDEST, HIGHEST)
    if cell < min(_LEGIBLE, max(panel.pixels.shape[1] for row in rows for panel in row)):
        rows = [list(row) for group in triples for row in zip(*group, strict=True)]
        cell = cell_for(rows, WIDEST, HIGHEST)
    return draw(rows, title or "Samples", cell)


def pixels_of(pictures: Tensor) -> list[Pixels]:
    """Tensors (K, 1 or 3, H, W) in 0..1 as pictures (H, W, 3) uint8."""
    values = (255 * pictures).round().clamp(0, 255).byte()
    values = values.expand(-1, 3, -1, -1) if values.shape[1] == 1 else values
    return [np.ascontiguousarray(p.permute(1, 2, 0).cpu().numpy()) for p in values]


class SheetFiles:
    """Writes each sheet into a folder, as ``step-000500.png``; `KEPT` of them stay.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def started(self, facts: Mapping[str, Any]) -> None:
        """Nothing is drawn yet."""

    def progress(self, step: int, share: float, seconds: float) -> None:
        """Not drawn."""

    def line(self, line: Mapping[str, Any]) -> None:
        """Not drawn."""

    def sheet(self, step: int, picture: Pixels) -> None:
        """Write it; remove the oldest, and those of later steps, which are done again."""
        write_picture(self._folder / f"step-{step:06}.png", picture, force=True)
        present = self._present()
        later = [path for number, path in present if number > step]
        earlier = [path for number, path in present if number <= step]
        for path in [*later, *earlier[:-KEPT]]:
            with writing(path):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open."""

    def _present(self) -> list[tuple[int, Path]]:
        """The sheets in the folder with their steps, in order."""
        with writing(self._folder):
            paths = list(self._folder.iterdir())
        named = [(re.fullmatch(r"step-(\d+)\.png", path.name), path) for path in paths]
        return sorted((int(match[1]), path) for match, path in named if match)


def _triples(group: Group) -> list[tuple[Panel, Panel, Panel]]:
    """What each picture should be, what became of it, and the difference; first of the cover."""
    originals, carrier, restored, cover = group
    names = [f"original {number + 1}" for number in range(len(originals))]
    kinds = ("restored" for _ in originals)
    return [
        _triple(cover, carrier, "cover", "carrier"),
        *list(map(_triple, originals, restored, names, kinds))[:_PICTURES],
    ]


def _triple(wanted: Pixels, found: Pixels, name: str, kind: str) -> tuple[Panel, Panel, Panel]:
    wanted, found = _visible(wanted), _visible(found)
    return (
        Panel(wanted, name),
        Panel(found, f"{kind}: {decibels(psnr(found, wanted))}"),
        Panel(difference(found, wanted), f"difference {AMPLIFICATION}x"),
    )


def _one_row(
    wanted: Sequence[Panel], found: Sequence[Panel], differences: Sequence[Panel]
) -> list[Panel]:
    return [*wanted[1:], wanted[0], *found, *differences]


def _visible(picture: Pixels) -> Pixels:
    """A picture as the sheet shows it: gray, or colours without alpha."""
    channels = picture.shape[2] if picture.ndim == 3 else 0
    if channels == 4:
        return shown(picture[..., :3], picture[..., 3])
    return picture[..., 0] if channels == 1 else picture
