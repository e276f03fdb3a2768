"""Pictures of any size that look natural, for measuring time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from iiccli.errors import InputError
from iiccli.evaluation.metrics import Pixels
from iiccli.media.compositing import composed
from iiccli.media.image import read_picture
from iiccli.tasks.dual_view import views_of
from iiccli.tasks.layer_pictures import ALPHA, BACKGROUND, COMPOSITE, PREMULTIPLIED, fed
from iiccli.tasks.layer_pictures import premultiplied as times_alpha
from iiccli.zoo.modelfile import Card

ZOOM = 2
"""Of the near view."""

_STEP = (3, 2)
"""Pixels, across and down, that a camera moves from frame to frame."""
_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".avif", ".tif", ".tiff")
_FEW = 6


def photographs(folder: Path, count: int = _FEW) -> list[Path]:
    """The first pictures anywhere below a folder.

    Raises:
        InputError: there is none.
    """
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        raise InputError(f"The folder {folder} holds no pictures.", "Speed needs a photograph.")
    return found[:: max(1, len(found) // count)][:count]


def scene(card: Card, size: tuple[int, int], paths: Sequence[Path]) -> list[Pixels]:
    """Pictures as a model of that kind takes them, the reference first.

    Args:
        card: of the model.
        size: width and height of each.
        paths: of photographs, which are mirrored until they are large enough.

    Raises:
        InputError: a photograph cannot be read.
    """
    width, height = size
    whole = (ZOOM * width, ZOOM * height) if card.task == "dual" else size
    margin = card.pictures if card.task in ("video", "mono") else 0
    worlds = [
        _filled(read_picture(paths[i % len(paths)]).pixels, whole, margin)
        for i in range(1 if card.task in ("video", "mono", "dual") else card.pictures)
    ]
    if card.task in ("video", "mono"):
        frames = [_frame(worlds[0], size, number) for number in range(card.pictures)]
        middle = card.pictures // 2 if card.task == "video" else 0
        return [frames[middle], *frames[:middle], *frames[middle + 1 :]]
    if card.task == "dual":
        return list(views_of(worlds[0], ZOOM))
    if card.task == "layers":
        alpha = _disc(height, width)
        composite = composed(worlds[1], worlds[0], alpha)
        front = times_alpha(worlds[1], alpha)
        roles = {COMPOSITE: composite, BACKGROUND: worlds[0], ALPHA: alpha, PREMULTIPLIED: front}
        return fed(card, roles)
    return worlds


def _filled(picture: Pixels, size: tuple[int, int], margin: int) -> Pixels:
    """A picture mirrored at its borders, again and again, up to a size and some margin."""
    width, height = size[0] + margin * _STEP[0], size[1] + margin * _STEP[1]
    missing = [
        max(0, side - have) for side, have in zip((height, width), picture.shape, strict=False)
    ]
    filled = np.pad(picture, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    return np.ascontiguousarray(filled[:height, :width])


def _frame(world: Pixels, size: tuple[int, int], number: int) -> Pixels:
    """What a moving camera with a little noise sees."""
    left, top = (step * number for step in _STEP)
    view = world[top : top + size[1], left : left + size[0]].astype(np.int16)
    noise = np.random.default_rng(number).normal(0, 1, view.shape).round().astype(np.int16)
    return (view + noise).clip(0, 255).astype(np.uint8)


def _disc(height: int, width: int) -> Pixels:
    """Alpha of a soft disc."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    alpha: Pixels = np.rint(255 * np.clip((0.4 - away) * 12, 0, 1)).astype(np.uint8)
    return alpha
