"""Rectangles of a picture as tensors, and digits into a carrier: what regional networks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.layout import Span
from iiccli.inference.converter import Mask, Pixels
from iiccli.networks.invertible.quantise import embed_modulo

CONTEXT = 64
"""Pixels around a region that motion vectors may point into; part of the carrier format."""
_TOP = 255
_MIX = tuple(map(np.uint32, (0x9E3779B1, 0x85EBCA77, 0x2C1B3C6D, 0x297A2D39)))
"""Odd numbers that spread bits."""


class OnAverage:
    """What a carrier of a cover (h, w, c) shows on the average over all messages, in 0..255.

    That is the cover but for its darkest and brightest values, which have room on one side only:
    white comes out (q - 1) / 2 darker. What is predicted from this makes up for it.

    It is computed where it is looked at, by slices: in floats the whole would take four times
    the cover's memory.
    """

    def __init__(self, cover: Pixels, moduli: Sequence[int]) -> None:
        values = torch.arange(256.0)
        self._cover = cover
        self._tables = [
            embed_modulo(values, torch.arange(q)[:, None], q).mean(0).numpy() for q in moduli
        ]
        self.shape = cover.shape

    def __getitem__(self, place: tuple[slice, slice]) -> npt.NDArray[np.float32]:
        """Rows and columns of it, (h, w, c)."""
        part = self._cover[place]
        return np.stack([table[part[..., i]] for i, table in enumerate(self._tables)], -1)


Shown: TypeAlias = Pixels | OnAverage
"""A picture, (h, w, c) in 0..255."""


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


def padded(picture: Shown, span: Span) -> Tensor:
    """A rectangle of (H, W, c) pixels, (c, h, w) in 0..1; beyond the border that is repeated."""
    part: npt.NDArray[Any] = picture[span.slices]
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
    *,
    scattered: bool = False,
) -> Pixels:
    """The carrier of a cover (h, w, c): where a digit is used, the nearest value that holds it.

    See `Converter.embed` for the pad; with one, `used` has to be all samples that are free.

    Of two values equally near `embed_modulo` takes the same each time, which a statistic of pairs
    of values sees. `scattered` takes either, by chance that follows from place and value. Where the
    cover tells which it was, the writer can make up for it, and a clip's frames are 0.02 to 0.05 dB
    better for that (video-5, q = 4); so this is for carriers from which nothing is predicted.
    """
    carrier = cover.copy()
    if pad is not None:
        numbers = ((numbers + pad) % np.array(moduli)).astype(np.int16)
    for channel, q in enumerate(moduli):
        digits = torch.from_numpy(np.ascontiguousarray(numbers[..., channel]))
        value = torch.from_numpy(cover[..., channel].astype(np.float32))
        samples = embed_modulo(value, digits, q).numpy().astype(np.uint8)
        if scattered and q % 2 == 0:
            samples = _scattered(samples, cover[..., channel], q, channel)
        carrier[..., channel] = np.where(used[..., channel], samples, cover[..., channel])
    return carrier


def _scattered(samples: Pixels, cover: Pixels, q: int, channel: int) -> Pixels:
    """Samples (h, w) whose ties go up or down by chance, as far as both are values."""
    up = cover + np.int16(q // 2)
    down = up - q
    tied = ((samples == up) | (samples == down)) & (down >= 0) & (up <= _TOP)
    height, width = cover.shape
    place = np.arange(channel, channel + height * width, dtype=np.uint32).reshape(height, width)
    mixed = place * _MIX[0] ^ (cover.astype(np.uint32) << np.uint32(8) | samples % q) * _MIX[1]
    for shift, factor in ((15, _MIX[2]), (13, _MIX[3])):
        mixed = (mixed ^ mixed >> np.uint32(shift)) * factor
    rises = (mixed ^ mixed >> np.uint32(16)) & np.uint32(1)
    return np.where(tied, np.where(rises == 1, up, down), samples).astype(np.uint8)


def take_digits(carrier: Pixels, moduli: Sequence[int], pad: Pixels | None = None) -> Pixels:
    """The digits of a carrier (h, w, c), which `put_digits` put there."""
    q = np.array(moduli, np.uint16)
    if pad is None:
        return (carrier % q).astype(np.uint8)
    return ((carrier % q + q - pad) % q).astype(np.uint8)
