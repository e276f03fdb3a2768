"""What of a case goes into a carrier, and what of it is compared with what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from iiccli.carrier import Header
from iiccli.evaluation.cases import Case
from iiccli.evaluation.metrics import Pixels, psnr
from iiccli.tasks.conversion import conversion
from iiccli.tasks.layer_pictures import (
    ALPHA,
    BACKGROUND,
    COMPOSITE,
    PREMULTIPLIED,
    fed,
    premultiplied,
    roles_of,
)
from iiccli.tasks.layers import FOREGROUND
from iiccli.tasks.pictures import RestoredPictures
from iiccli.zoo.modelfile import Card

Pair = tuple[Pixels, Pixels]
"""What came back, and what it should be."""


@dataclass(frozen=True)
class Compared:
    """What is measured of a case.

    Attributes:
        pairs: of every picture, in the case's order.
        reference: which of them is the one that the carrier looks like.
        special: figures that only this kind of case has, by name.
    """

    pairs: Sequence[Pair]
    reference: int
    special: dict[str, float] = field(default_factory=dict)


def taken(card: Card, case: Case) -> list[Pixels]:
    """The pictures of a case as its model takes them, in the case's order.

    Raises:
        ModelError: it takes a layer that the case does not know.
    """
    return fed(card, _layers(case)) if card.task == "layers" else list(case.pictures)


def compared(card: Card, case: Case, header: Header, back: RestoredPictures) -> Compared:
    """Put what came back beside what it should be.

    Of layers, a model that gives the foreground times alpha itself is measured by its own
    pictures, as the official code does; of others the layers are, as a user gets them.

    Raises:
        ModelError: see `taken`.
    """
    pairs = list(zip(back.pictures, taken(card, case), strict=True))
    if card.task != "layers":
        return Compared(pairs, case.reference)
    truth = _layers(case)
    outputs = {output.name: output for output in conversion("layers").outputs(header, back)}
    background = outputs[BACKGROUND].pixels
    special = {"background_psnr": psnr(background, truth[BACKGROUND])}
    if FOREGROUND not in outputs or ALPHA not in truth:
        return Compared(pairs, case.reference, special)
    front, shape = outputs[FOREGROUND].pixels, outputs[FOREGROUND].alpha
    assert shape is not None  # a foreground has one
    shown = premultiplied(front, shape)
    special["foreground_psnr"] = psnr(shown, truth[PREMULTIPLIED])
    error = np.abs(shape.astype(np.float64) - truth[ALPHA]).mean() / 255
    special["alpha_error"] = float(error)
    if PREMULTIPLIED not in roles_of(card):
        pairs = [pairs[0], (background, truth[BACKGROUND]), (shown, truth[PREMULTIPLIED])]
    return Compared(pairs, case.reference, special)


def _layers(case: Case) -> dict[str, Pixels]:
    """The layers of a case by their role, as far as they are known; alpha as (H, W)."""
    found = dict(zip((COMPOSITE, BACKGROUND), case.pictures, strict=False))
    if len(case.pictures) > len(found):
        found[ALPHA] = case.pictures[-1][..., 0]
    if case.premultiplied is not None:
        found[PREMULTIPLIED] = case.premultiplied
    elif case.foreground is not None and ALPHA in found:
        found[PREMULTIPLIED] = premultiplied(case.foreground, found[ALPHA])
    return found
