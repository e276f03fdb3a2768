"""All pictures of a region coded at once: what is left of each after the cover's prediction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.layout import Region, Span
from iiccli.coding.runs import Numbers
from iiccli.inference.adaptive.fields import FieldSearch, Reference, Task
from iiccli.inference.adaptive.outlook import Outlook
from iiccli.inference.adaptive.quantising import Floats, dequantise
from iiccli.inference.adaptive.region_message import RegionContent, RegionMessage
from iiccli.inference.converter import Mask, Pixels
from iiccli.inference.places import Shown, in_pixels, shifted
from iiccli.networks.adaptive.planes import coded_planes

_STRIP = 4
"""Rows of cells that are transformed at once."""


class Together:
    """The way of models without modes.

    Args:
        outlook: from the cover.
    """

    def __init__(self, outlook: Outlook) -> None:
        self.outlook, self.config = outlook, outlook.config

    def write(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
        message: RegionMessage,
        guess: int | None,
    ) -> tuple[Numbers, Mask, int | None]:
        """A region's message; see `RegionMessage.write` and `analyse`."""
        z, vectors = self.analyse(pictures, cover, region, zoom, message.stream.room)
        return message.write(z, vectors, guess)

    def analyse(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
        room: float,
    ) -> tuple[Floats, npt.NDArray[np.int16] | None]:
        """Coefficients (cell², ranks, cells) and vectors of one region.

        Args:
            pictures: what is embedded.
            cover: what the carrier will show, (h, w, c) in 0..255.
            region: of the carrier.
            zoom: how much nearer the second picture is.
            room: bits for the region's message.
        """
        config, outlook = self.config, self.outlook
        window, span = outlook.window(cover, region), outlook.span(region)
        base = outlook.base(cover, window, zoom)
        vectors = None
        if config.motion:
            vectors = self._fields(pictures[config.scale == 1 :], cover, region, base, room)
        fields = None if vectors is None else torch.from_numpy(vectors)
        predicted = outlook.predicted(base, outlook.inner(cover, region), fields)
        shape = (config.cell**2, config.ranks, math.prod(region.cells.shape))
        ordered = np.empty(shape, np.float32)
        for strip, cells in _strips(region, config.cell):
            planes = coded_planes(config, [outlook.padded(picture, strip) for picture in pictures])
            z = outlook.net.transform(planes - predicted[(..., *shifted(strip, span, 1))])
            ordered[..., cells] = z.view(len(z), -1, config.ranks).permute(1, 2, 0).cpu().numpy()
        return ordered, vectors

    def _fields(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        base: Tensor,
        room: float,
    ) -> npt.NDArray[np.int16]:
        """Vectors (pictures, 2, rows, columns) against the cover, of which `base` is the window."""
        outlook = self.outlook
        window, span = outlook.window(cover, region), outlook.span(region)
        carried = Reference(base, outlook.inner(cover, region))
        tasks = [
            Task(outlook.padded(picture, span), carried, outlook.padded(picture, window))
            for picture in pictures
        ]
        found, _ = FieldSearch(outlook, region).find(tasks, room)
        return np.stack([fields[0] for fields in found])

    def decode(
        self, carrier: Pixels, region: Region, content: RegionContent, zoom: float
    ) -> Iterator[tuple[Span, slice, Tensor]]:
        """Planes of a region: where, which of them, and their values around 0..1."""
        config, outlook = self.config, self.outlook
        span, device = outlook.span(region), outlook.device
        base = outlook.base(carrier, outlook.window(carrier, region), zoom)
        vectors = None if content.vectors is None else torch.from_numpy(content.vectors)
        predicted = outlook.predicted(base, outlook.inner(carrier, region), vectors)
        cover = outlook.shown(carrier, region, base)
        centres = outlook.centres
        for strip, cells in _strips(region, config.cell):
            place = (..., *shifted(strip, span, 1))
            z = _decoded(content, cells, centres).to(device)
            error = outlook.net.transform.inverse(z, *strip.shape)
            both = torch.cat((cover[place], error.add_(predicted[place])))
            yield strip, slice(len(both)), both


def _decoded(content: RegionContent, cells: slice, centres: Floats) -> Tensor:
    """Coefficients of some cells, (cells, cell² · ranks)."""
    quantised, classes = content.quantised[..., cells], content.classes[..., cells]
    z = dequantise(quantised, classes, content.levels[cells], centres).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(z).reshape(len(z), -1))


def _strips(region: Region, cell: int) -> Iterator[tuple[Span, slice]]:
    """A region in strips, to keep small what is computed from one: in pixels, and its cells."""
    top, left = region.cells.top, region.cells.left
    rows, columns = region.cells.shape
    for first in range(0, rows, _STRIP):
        last = min(rows, first + _STRIP)
        strip = Span(top + first, top + last, left, left + columns)
        yield in_pixels(strip, cell), slice(first * columns, last * columns)
