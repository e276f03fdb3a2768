"""Rectangles of a picture as tensors, and digits into a carrier: what regional networks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.layout import Span
from iiccli.inference.converter import Mask, Pixels
from iiccli.networks.invertible.quantise import embed_modulo

Scalar = TypeVar("Scalar", bound=np.generic)

CONTEXT = 64
"""Pixels around a region that motion vectors may point into; part of the carrier format."""


def in_pixels(cells: Span, cell: int) -> Span:
    """A rectangle of cells in pixels."""
    return Span(cells.top * cell, cells.bottom * cell, cells.left * cell, cells.right * cell)


def surroundings(span: Span, height: int, width: int) -> Span:
    """A rectangle with `CONTEXT` pixels around it, inside a picture of that size."""
    return Span(
        max(0, span.top - CONTEXT),
        min(height, span.bottom + CONTEXT),
        max(0, span.left - CONTEXT),
        min(width, span.right + CONTEXT),
    )


def shifted(span: Span, window: Span, unit: int) -> tuple[slice, slice]:
    """Rows and columns of `span` inside `window`, in units of so many pixels."""
    return (
        slice((span.top - window.top) // unit, (span.bottom - window.top) // unit),
        slice((span.left - window.left) // unit, (span.right - window.left) // unit),
    )


def margins(
    inner: tuple[slice, slice], size: Sequence[int], step: int
) -> tuple[int, int, int, int]:
    """How many vectors, `step` pixels apart, lie left, right, above and below of `inner`.

    `size` are the height and width of what it is inside of; the order is that of `F.pad`.
    """
    rows, columns = inner
    return (
        columns.start // step,
        (size[-1] - columns.stop) // step,
        rows.start // step,
        (size[-2] - rows.stop) // step,
    )


def padded(picture: npt.NDArray[Scalar], span: Span) -> Tensor:
    """A rectangle of (H, W, c) pixels, (c, h, w) in 0..1; beyond the border that is repeated."""
    part = picture[span.slices]
    missing = (span.shape[0] - part.shape[0], span.shape[1] - part.shape[1])
    if any(missing):
        part = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    tensor = torch.from_numpy(part.transpose(2, 0, 1).copy())
    return tensor.float() / 255


def put_digits(
    cover: Pixels,
    numbers: npt.NDArray[np.int16],
    used: Mask,
    moduli: Sequence[int],
    pad: Pixels | None = None,
) -> Pixels:
    """The carrier of a cover (h, w, c): where a digit is used, the nearest value that holds it.

    See `Converter.embed` for the pad; with one, `used` has to be all samples that are free.
    """
    carrier = cover.copy()
    if pad is not None:
        numbers = ((numbers + pad) % np.array(moduli)).astype(np.int16)
    for channel, q in enumerate(moduli):
        digits = torch.from_numpy(np.ascontiguousarray(numbers[..., channel]))
        value = torch.from_numpy(cover[..., channel].astype(np.float32))
        samples = embed_modulo(value, digits, q).numpy().astype(np.uint8)
        carrier[..., channel] = np.where(used[..., channel], samples, cover[..., channel])
    return carrier


def take_digits(carrier: Pixels, moduli: Sequence[int], pad: Pixels | None = None) -> Pixels:
    """The digits of a carrier (h, w, c), which `put_digits` put there."""
    q = np.array(moduli, np.uint16)
    if pad is None:
        return (carrier % q).astype(np.uint8)
    return ((carrier % q + q - pad) % q).astype(np.uint8)


def on_average(cover: Pixels, moduli: Sequence[int]) -> npt.NDArray[np.float32]:
    """What a carrier of a cover (h, w, c) shows on the average over all messages.

    That is the cover but for its darkest and brightest values, which have room on one side only:
    white comes out (q - 1) / 2 darker. What is predicted from this makes up for it.
    """
    values = torch.arange(256.0)
    tables = [embed_modulo(values, torch.arange(q)[:, None], q).mean(0).numpy() for q in moduli]
    return np.stack([table[cover[..., i]] for i, table in enumerate(tables)], -1)
