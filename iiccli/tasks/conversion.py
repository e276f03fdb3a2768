"""What every conversion has: a name, what comes back, and what restoring it needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from iiccli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from iiccli.carrier import Attached, Header
    from iiccli.tasks.pictures import RestoredPictures

Pixels = npt.NDArray[np.uint8]

MODULES: Mapping[str, str] = {
    "video": "video",
    "mono": "stereo",
    "dual": "dual_view",
    "hide": "hiding",
    "layers": "layers",
    "gray": "gray",
    "rescale": "rescale",
}
"""The module of `iiccli.tasks` that defines each conversion, as `CONVERSION`."""


@dataclass(frozen=True)
class Output:
    """One picture that comes back, or that went in.

    Attributes:
        name: what it is, fit to be a file's stem: `left`, `secret-1`.
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8, 255 is opaque; None is opaque everywhere.
        attached: whether EXIF and XMP in the carrier describe this picture, and are given back
            with it.
        icc: a profile of its own, which goes before the carrier's.
    """

    name: str
    pixels: Pixels
    alpha: Pixels | None = None
    attached: bool = True
    icc: bytes | None = None


@dataclass(frozen=True)
class Made:
    """A carrier that was made.

    Attributes:
        path: where it was written.
        pixels: (h, w, 3) or (h, w) uint8, as written.
        header: what it says about itself.
        cover: what it should look like; shaped as `pixels`.
        originals: what should come back.
    """

    path: Path
    pixels: Pixels
    header: Header
    cover: Pixels
    originals: list[Output]


@dataclass(frozen=True)
class Form:
    """A way to give back all that a carrier holds in one file; `iic restore --as` names it.

    Without `combine` and `write` it is the usual way: a picture for each output.

    Attributes:
        combine: makes one picture of the outputs. It is written as any picture is, and those of
            a clip's carriers, one after the other, as a clip.
        write: writes the file itself, given the target, the outputs, the carrier's own profile,
            EXIF and XMP, and whether to replace what exists.
        suffix: of the file where none is named.
        implied: suffixes of targets that ask for this form by themselves, such as `.mpo`.
    """

    combine: Callable[[list[Output]], Output] | None = None
    write: Callable[[Path, list[Output], Attached, bool], None] | None = None
    suffix: str = ".png"
    implied: tuple[str, ...] = ()


def numbers(header: Header) -> list[str]:
    """Names of a clip's frames, from 1."""
    return [f"{i + 1:04}" for i in range(header.valid)]


@dataclass(frozen=True)
class Conversion:
    """What the rest of the house needs to know of a conversion.

    Attributes:
        task: its name in cards and headers.
        outputs: what a restored carrier holds, by name; the main one, which is written where
            only one file is asked for, comes first.
        zoom: what its header says of how much nearer the second picture is; see
            `iiccli.inference.converter.Converter.restore`.
        clip: whether the pictures are frames of a clip.
        names: the names of the outputs, in order, as far as the header tells them before
            anything is restored.
        forms: further ways to give back what a carrier holds, by name.
        transparent: the output whose alpha is that of the carrier, if there is one.
    """

    task: str
    outputs: Callable[[Header, RestoredPictures], list[Output]]
    zoom: Callable[[Header], float] = lambda header: 1.0
    clip: bool = False
    names: Callable[[Header], Sequence[str]] = numbers
    forms: Mapping[str, Form] = field(default_factory=dict)
    transparent: str = ""


def conversion(task: str) -> Conversion:
    """The conversion of that name.

    Raises:
        ModelError: this iic knows none.
    """
    if task not in MODULES:
        raise ModelError(f"This iic knows no conversion {task!r}.", "Upgrade iic.")
    found: Conversion = import_module(f"iiccli.tasks.{MODULES[task]}").CONVERSION
    return found


ALPHA = "alpha"
"""Key of the header's `extra`: true where the carrier was given an alpha channel."""


def numbered(header: Header, restored: RestoredPictures) -> list[Output]:
    """Outputs of a clip: its frames, numbered from 1."""
    return [Output(f"{i + 1:04}", picture) for i, picture in enumerate(restored.pictures)]


COVER = "cover"
"""Name of an output that the carrier shows anyway, and that nobody asks for alone."""
