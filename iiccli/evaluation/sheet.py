"""Preview sheets: originals, carrier, restored pictures and what is between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from iiccli.evaluation.metrics import psnr

Pixels = npt.NDArray[np.uint8]

Named = tuple[str, Pixels, Pixels | None]
"""A picture's name, its pixels, and its alpha or None."""

AMPLIFICATION = 8
_CELL_WIDTH = 320
_LEAST_WIDTH = 200
_NARROW = 130
_MARGIN = 12
_CAPTION = 22
_CHEQUER = 8
_TITLE = 40
_BACKGROUND, _INK, _FAINT = (250, 250, 248), (28, 28, 30), (120, 120, 124)


@dataclass(frozen=True)
class Panel:
    """One picture on a sheet, with the words under it."""

    pixels: Pixels
    caption: str


def difference(a: Pixels, b: Pixels) -> Pixels:
    """What differs, `AMPLIFICATION` times as strong; black where nothing does."""
    apart = np.abs(a.astype(np.int16) - b.astype(np.int16)) * AMPLIFICATION
    result: Pixels = np.minimum(apart, 255).astype(np.uint8)
    return result


def decibels(value: float) -> str:
    """A PSNR for people."""
    return "identical" if math.isinf(value) else f"{value:.2f} dB"


def embedding_sheet(
    originals: Sequence[Pixels],
    target: Pixels,
    cover: Pixels,
    restored: Sequence[Pixels],
    reference: int,
) -> list[list[Panel]]:
    """Rows of a sheet on an embedding: originals, the cover, restored pictures, differences.

    Args:
        originals: what went in.
        target: what the cover should look like: the reference, perhaps smaller.
        cover: as large as `target`.
        restored: what comes back.
        reference: which original it is.
    """
    rows = [[Panel(x, f"original {i + 1}") for i, x in enumerate(originals)]]
    height, width = target.shape[:2]
    same = target.shape == originals[reference].shape
    size = "" if same else f" at {width}x{height}"  # the font has no ×
    rows.append(
        [
            Panel(target, f"original {reference + 1}{size}"),
            Panel(cover, f"the carrier: {decibels(psnr(cover, target))}"),
            Panel(difference(cover, target), f"its difference, {AMPLIFICATION}x"),
        ]
    )
    pairs = list(zip(restored, originals, strict=True))
    rows.append(
        [Panel(x, f"restored {i + 1}: {decibels(psnr(x, o))}") for i, (x, o) in enumerate(pairs)]
    )
    rows.append([Panel(difference(x, o), f"its difference, {AMPLIFICATION}x") for x, o in pairs])
    return rows


def restoration_sheet(
    cover: Pixels, restored: Sequence[Pixels], reference: int
) -> list[list[Panel]]:
    """Rows of a sheet on a restoration, where the originals are not at hand."""
    near = restored[reference]
    rows = [[Panel(cover, "the carrier")]]
    if near.shape == cover.shape:
        apart = decibels(psnr(near, cover))
        rows[0].append(
            Panel(
                difference(near, cover),
                f"restored {reference + 1} minus carrier {AMPLIFICATION}x: {apart}",
            )
        )
    rows.append([Panel(x, f"restored {i + 1}") for i, x in enumerate(restored)])
    rows.append(
        [
            Panel(difference(x, near), f"{i + 1} minus {reference + 1} {AMPLIFICATION}x")
            for i, x in enumerate(restored)
        ]
    )
    return rows


def conversion_sheet(
    originals: Sequence[Named],
    cover: Pixels,
    carrier: Pixels,
    restored: Sequence[Named],
) -> list[list[Panel]]:
    """Rows of a sheet on any conversion: originals, the carrier, what comes back, differences.

    Args:
        originals: name, pixels and alpha (or None) of each picture that went in.
        cover: what the carrier should look like, (h, w, 3) or (h, w).
        carrier: as `cover`.
        restored: as `originals`; compared by name with them.
    """
    first = [Panel(shown(pixels, alpha), name) for name, pixels, alpha in originals]
    middle = [
        Panel(cover, "the cover"),
        Panel(carrier, f"the carrier: {decibels(psnr(carrier, cover))}"),
        Panel(difference(carrier, cover), f"its difference, {AMPLIFICATION}x"),
    ]
    before = {name: shown(pixels, alpha) for name, pixels, alpha in originals}
    back, apart = [], []
    for name, pixels, alpha in restored:
        whole, original = shown(pixels, alpha), before.get(name)
        caption = f"restored {name}"
        if original is not None and original.shape == whole.shape:
            caption += f": {decibels(psnr(whole, original))}"
            apart.append(Panel(difference(whole, original), f"its difference, {AMPLIFICATION}x"))
        back.append(Panel(whole, caption))
    if len(first) == len(back) == 1:  # as wide as the row of the carrier
        return [[*first, *back, *apart], middle]
    return [row for row in (first, middle, back, apart) if row]


def outputs_sheet(carrier: Pixels, restored: Sequence[Named]) -> list[list[Panel]]:
    """Rows of a sheet on a restoration of any conversion: the carrier and what came back."""
    return [
        [Panel(carrier, "the carrier")],
        [Panel(shown(pixels, alpha), name) for name, pixels, alpha in restored],
    ]


def shown(pixels: Pixels, alpha: Pixels | None) -> Pixels:
    """A picture as a sheet shows it: what is transparent lets a chequered ground through."""
    if alpha is None:
        return pixels
    rows, columns = np.indices(alpha.shape) // _CHEQUER
    ground = np.where((rows + columns) % 2, 255, 208)[..., None]
    weight = alpha[..., None].astype(np.float64) / 255
    result: Pixels = np.rint(weight * pixels + (1 - weight) * ground).astype(np.uint8)
    return result


def draw(rows: Sequence[Sequence[Panel]], title: str, cell: int = _CELL_WIDTH) -> Pixels:
    """Lay out rows of panels on one sheet, (H, W, 3) uint8.

    Args:
        rows: from top to bottom.
        title: above them.
        cell: how wide a picture is shown at most; its height is at most half as much again.
    """
    images = [[_fitted(panel.pixels, cell) for panel in row] for row in rows]
    width = max(min(_LEAST_WIDTH, cell), *(image.width for row in images for image in row))
    heights = [max(image.height for image in row) + _CAPTION + _MARGIN for row in images]
    columns = max(len(row) for row in rows)
    size = (max(_MARGIN + columns * (width + _MARGIN), 420), _TITLE + sum(heights) + _MARGIN)
    sheet = Image.new("RGB", size, _BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, 11), title, fill=_INK, font=ImageFont.load_default(17))
    small = ImageFont.load_default(13 if cell >= _NARROW else 10)
    top = _TITLE
    for row, pictures, height in zip(rows, images, heights, strict=True):
        for c, (panel, image) in enumerate(zip(row, pictures, strict=True)):
            left = _MARGIN + c * (width + _MARGIN)
            sheet.paste(image, (left, top))
            pen.text((left, top + image.height + 4), panel.caption, fill=_FAINT, font=small)
        top += height
    return np.asarray(sheet)


def cell_for(rows: Sequence[Sequence[Panel]], width: int, height: int) -> int:
    """How wide pictures may be shown, so that a sheet is at most of such a size in pixels."""
    columns = max(len(row) for row in rows)
    sizes = [panel.pixels.shape[:2] for row in rows for panel in row]
    wide = (width - _MARGIN) // columns - _MARGIN
    high = (height - _TITLE - _MARGIN) // len(rows) - _CAPTION - _MARGIN
    slope: float = min(max(h / w for h, w in sizes), 1.5)
    enough: int = max(_NARROW, *(w for _, w in sizes))
    return min(_CELL_WIDTH, wide, int(high / slope), enough)


def _fitted(pixels: Pixels, width: int) -> Image.Image:
    """A picture as large as a sheet shows it; small ones as they are."""
    image = Image.fromarray(pixels)
    image.thumbnail((width, width * 3 // 2), Image.Resampling.LANCZOS)
    return image
