"""What a case is, and what all kinds of cases share: listing, reading and cropping pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from iiccli.errors import InputError, UsageError
from iiccli.media.frames import frames_in_folder
from iiccli.media.image import read_picture

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CaseOptions:
    """What is taken from a folder.

    Attributes:
        first: of clips, the number of the first frame, from 0; earlier if a clip is too short.
        exclude: patterns (`vid4-*`) of clips' names to leave out.
        zoom: how many times nearer the second view of `dual` is: a whole number above 1.
        backgrounds: the photographs under the cut-outs of `layers`.
        limit: so many cases at most, the first ones.
        step: of a manifest of clips, only windows of frames that are so many apart.

    Raises:
        UsageError: a number that makes no sense.
    """

    first: int = 3
    exclude: tuple[str, ...] = ()
    zoom: int = 2
    backgrounds: Path | None = None
    limit: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, least in (("first", 0), ("zoom", 2), ("limit", 1), ("step", 1)):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= least):
                raise UsageError(f"{value} is no {name}.", f"Give a whole number from {least} on.")


@dataclass(frozen=True)
class Case:
    """One measurement: pictures that go into one carrier.

    Attributes:
        name: of the case, from its files.
        pictures: (H, W, 3) uint8 each, all of one size. Of `layers`: the composite, the
            background and, where it is known, alpha in all three channels, whatever the model
            takes.
        reference: which of them the carrier should look like.
        zoom: see `iiccli.inference.converter.Converter.embed`.
        header: further fields of the carrier's header that restoring needs.
        foreground: of `layers`, (H, W, 3) uint8; its alpha is the last of `pictures`.
        premultiplied: of `layers`, the foreground times its alpha, where it is known only so.
    """

    name: str
    pictures: list[Pixels]
    reference: int = 0
    zoom: float = 1.0
    header: Mapping[str, Any] = field(default_factory=dict)
    foreground: Pixels | None = None
    premultiplied: Pixels | None = None


@dataclass(frozen=True)
class Planned:
    """A case that is not read yet.

    Attributes:
        name: as the case's.
        read: reads its files; raises InputError.
    """

    name: str
    read: Callable[[], Case]


@dataclass(frozen=True)
class Plan:
    """All cases that a folder gives.

    Attributes:
        cases: in order.
        left_out: files that give none, and why: one phrase each.
        words: what the cases are, where it is not what folders give.
    """

    cases: list[Planned]
    left_out: list[str] = field(default_factory=list)
    words: str = ""


def check_folder(folder: Path) -> None:
    """Refuse what is no folder.

    Raises:
        InputError: it is none.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder in natural order; hidden and other files are left out.

    Raises:
        InputError: there is none, or no such folder.
    """
    check_folder(folder)
    return frames_in_folder(folder)


def read_pixels(path: Path) -> Pixels:
    """A picture as (H, W, 3) uint8 RGB, upright; what is transparent shows its own colour.

    Raises:
        InputError: it cannot be read.
    """
    return read_picture(path).pixels


def crop_to_multiple(pixels: Pixels, multiple: int) -> Pixels:
    """Leave out rows below and columns to the right, as is usual in super-resolution."""
    height, width = (side - side % multiple for side in pixels.shape[:2])
    return pixels[:height, :width]


def crop_centre(pixels: Pixels, width: int, height: int) -> Pixels:
    """The middle of a picture, or as near to it as whole pixels allow (up and left of it)."""
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def crop_alike(pictures: Sequence[Pixels]) -> list[Pixels]:
    """Crop pictures around their middle to the largest size that they have in common."""
    height = min(picture.shape[0] for picture in pictures)
    width = min(picture.shape[1] for picture in pictures)
    return [crop_centre(picture, width, height) for picture in pictures]
