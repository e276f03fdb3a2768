"""Covers, and what iic makes of them: what a detector is trained and tried on."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iiccli.carrier import VEIL_LENGTH, can_be_veiled, write_carrier
from iiccli.errors import InputError
from iiccli.evaluation.cases.base import (
    crop_alike,
    crop_centre,
    pictures_in,
    read_pixels,
)
from iiccli.evaluation.cases.photographs import turned_as
from iiccli.evaluation.metrics import Pixels
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pictures import embed_pictures


@dataclass(frozen=True)
class Manner:
    """How the carriers are made; locked ones are, if the model has a pass phrase.

    Attributes:
        quality: `cover`, `balanced` or `content`.
        header: whether they say what they are.
        size: covers and secrets are cropped around their middle to such sides, at most.
    """

    quality: str = "balanced"
    header: bool = True
    size: int = 512


Group = tuple[Path, ...]
"""A cover and its secrets."""


def split_groups(
    data: Path, training: Path | None, secrets: int, limit: int | None = None
) -> tuple[list[Group], list[Group]]:
    """What to train on, and what to try on; no picture is in both.

    Each picture is the cover of the next ones in name order; after the last comes the first.

    Args:
        data: a folder of photographs to try on; without `training` its first half, by name, is
            trained on.
        training: another folder.
        secrets: in each cover.
        limit: so many covers at most, of each kind.

    Raises:
        InputError: no such folder, or too few pictures.
    """
    paths = pictures_in(data)
    half = (len(paths) + 1) // 2
    first, second = (
        (paths[:half], paths[half:])
        if training is None
        else (
            pictures_in(training),
            paths,
        )
    )
    for some in (first, second):
        if len(some) <= secrets:
            raise InputError(
                f"{len(some)} pictures are too few: a cover and {secrets} to hide are "
                f"{secrets + 1}.",
                "Give a folder of more photographs.",
            )
    return _groups(first, secrets)[:limit], _groups(second, secrets)[:limit]


def _groups(paths: Sequence[Path], secrets: int) -> list[Group]:
    count = len(paths)
    return [tuple(paths[(i + k) % count] for k in range(secrets + 1)) for i in range(count)]


def specimen(group: Group, model: LoadedModel, manner: Manner) -> tuple[Pixels, Pixels]:
    """A cover and its carrier, as it is in the file: (H, W, 3) uint8 both.

    Raises:
        InputError: a picture cannot be read, or is too small.
    """
    pictures = [read_pixels(path) for path in group]
    alike = crop_alike([turned_as(picture, pictures[0]) for picture in pictures])
    height, width = (min(side, manner.size) for side in alike[0].shape[:2])
    cropped = [crop_centre(picture, width, height) for picture in alike]
    pixels, header = embed_pictures(model, cropped, 0, manner.quality)
    veil = None
    if not manner.header and header.lock is not None and model.phrase is not None:
        if not can_be_veiled(height, width, 3):
            raise InputError(f"{group[0].name} is too small for a locked carrier without header.")
        veil = model.phrase.veil(header.lock, VEIL_LENGTH)
    cover = model.converter.cover(cropped[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        write_carrier(
            path,
            pixels,
            header,
            target=cover,
            pixel_header=manner.header or veil is not None,
            veil=veil,
            metadata=manner.header,
        )
        return cropped[0], read_pixels(path)
