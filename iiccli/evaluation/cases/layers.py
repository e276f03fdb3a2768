"""Cut-outs over photographs, for `layers`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.errors import InputError, UsageError
from iiccli.evaluation.cases.base import Case, Pixels, Plan, Planned, pictures_in, read_pixels
from iiccli.media.compositing import composed, placed
from iiccli.media.image import read_picture

FILLED = 0.9
"""Share of the background's height that a cut-out takes, or of its width if that is less."""


def composites(folder: Path, backgrounds: Path | None) -> Plan:
    """Every cut-out in `folder` in the middle of a photograph, in order, these again and again.

    Raises:
        UsageError: no folder of backgrounds is named.
        InputError: there is no cut-out, or no background.
    """
    if backgrounds is None:
        raise UsageError(
            "Layers need photographs to put the cut-outs on.", "Name a folder with --backgrounds."
        )
    below = pictures_in(backgrounds)
    return Plan(
        [
            Planned(path.stem, partial(_read, path, below[i % len(below)]))
            for i, path in enumerate(pictures_in(folder))
        ]
    )


def _read(path: Path, below: Path) -> Case:
    picture = read_picture(path)
    if picture.alpha is None or not picture.alpha.any():
        raise InputError(f"{path.name} is no cut-out: nothing of it is transparent, or all.")
    background = read_pixels(below)
    size = (background.shape[1], background.shape[0])
    pixels, shape = fitted(picture.pixels, picture.alpha, size)
    corner = ((size[0] - shape.shape[1]) // 2, (size[1] - shape.shape[0]) // 2)
    foreground, alpha, _ = placed(pixels, shape, size, corner)
    composite = composed(foreground, background, alpha)
    gray = np.repeat(alpha[..., None], 3, axis=2)
    return Case(path.stem, [composite, background, gray], foreground=foreground)


def fitted(pixels: Pixels, alpha: Pixels, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """Scale what is to be seen of a cut-out so that it takes `FILLED` of a canvas.

    Args:
        pixels: (H, W, 3) uint8.
        alpha: (H, W) uint8, somewhere above 0.
        size: width and height of the canvas.

    Returns:
        Pixels (h, w, 3) and alpha (h, w).
    """
    cut = Image.fromarray(np.dstack((pixels, alpha)))
    box = Image.fromarray(alpha).getbbox()
    assert box is not None  # alpha is somewhere above 0
    width, height = box[2] - box[0], box[3] - box[1]
    factor = FILLED * min(size[0] / width, size[1] / height)
    target = (max(1, round(width * factor)), max(1, round(height * factor)))
    # Pillow weighs colours by alpha, so nothing of what is hidden comes in from the side.
    scaled = np.array(cut.crop(box).resize(target, Image.Resampling.LANCZOS))
    return np.ascontiguousarray(scaled[..., :3]), np.ascontiguousarray(scaled[..., 3])
