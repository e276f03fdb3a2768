"""What a cover tells of the pictures, region by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from iiccli.coding.layout import Region, Span, regions
from iiccli.inference.converter import Pixels
from iiccli.inference.places import Shown, in_pixels, margins, padded, shifted, surroundings
from iiccli.inference.threads import shared
from iiccli.networks.adaptive import AdaptiveNet

Item = TypeVar("Item")
Result = TypeVar("Result")


class Outlook:
    """A network's predictions from covers, or from carriers in their place.

    Args:
        net: on the device where predictions are made.
    """

    def __init__(self, net: AdaptiveNet) -> None:
        self.net, self.config = net, net.config

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.net.transform.mixes.device

    @property
    def centres(self) -> npt.NDArray[np.float32]:
        """Where magnitudes are decoded to, see `dequantise`; those that the network has now."""
        centres: npt.NDArray[np.float32] = self.net.centres.cpu().numpy()
        return centres

    def regions(self, carrier: Pixels) -> list[Region]:
        """Cut a carrier, (h, w, c), into regions."""
        (height, width), scale = carrier.shape[:2], self.config.scale
        return list(regions(height, width, self.config.cell // scale, scale))

    def cells(self, carrier: Shown) -> tuple[int, int]:
        """Rows and columns of cells."""
        unit = self.config.cell // self.config.scale
        return -(-carrier.shape[0] // unit), -(-carrier.shape[1] // unit)

    def span(self, region: Region) -> Span:
        """A region in pixels of the padded pictures."""
        return in_pixels(region.cells, self.config.cell)

    def window(self, carrier: Shown, region: Region) -> Span:
        """A region and its surroundings, likewise."""
        height, width = (n * self.config.cell for n in self.cells(carrier))
        return surroundings(self.span(region), height, width)

    def base(self, cover: Shown, span: Span, zoom: float = 1.0) -> Tensor:
        """What the cover shows over a rectangle of the pictures, (c, h, w) in 0..1."""
        if self.config.prediction == "zoom" and zoom != 1.0:
            return magnified(cover, span, zoom).to(self.device)
        sides = (span.top, span.bottom, span.left, span.right)
        small = Span(*(side // self.config.scale for side in sides))
        return self.net.base(self.padded(cover, small))

    def shown(self, cover: Shown, region: Region, base: Tensor) -> Tensor:
        """What the cover itself shows over a region, given `base` over its window."""
        if self.config.prediction == "zoom":
            return self.base(cover, self.span(region))
        return base[(..., *self.inner(cover, region))]

    def inner(self, carrier: Shown, region: Region, unit: int = 1) -> tuple[slice, slice]:
        """Where a region is in its window, in units of so many pixels."""
        return shifted(self.span(region), self.window(carrier, region), unit)

    def predicted(self, base: Tensor, inner: tuple[slice, slice], vectors: Tensor | None) -> Tensor:
        """The coded planes over one region as the cover shows them, (ranks, h, w).

        Sees only the region's own vectors and what is around it within `CONTEXT` pixels, so that
        both directions compute the same.

        Args:
            base: of the region's window.
            inner: where the region is in that.
            vectors: (pictures, 2, rows, columns) of the region, or None.
        """
        if vectors is None:
            return self.net.predict(base[(..., *inner)], None)
        around = margins(inner, base.shape, self.config.motion)
        vectors = F.pad(vectors.to(self.device).float(), around, mode="replicate")

        def predicted(own: Tensor) -> Tensor:
            return self.net.predict(base, own[None])[(..., *inner)]

        return torch.cat(self.each(predicted, vectors))

    def padded(self, picture: Shown, span: Span) -> Tensor:
        """A rectangle of a picture, (c, h, w) in 0..1; beyond the border that is repeated."""
        return padded(picture, span).to(self.device)

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What some work gives for each item; a graphics card does one after the other."""
        return shared(work, items) if self.device.type == "cpu" else [work(item) for item in items]


def magnified(cover: Shown, span: Span, zoom: float) -> Tensor:
    """A rectangle of the cover's centre magnified `zoom` times, (c, h, w) in 0..1, bicubic."""
    places = []
    for start, stop, side in zip(
        (span.top, span.left), (span.bottom, span.right), cover.shape[:2], strict=True
    ):
        at = (torch.arange(start, stop, dtype=torch.float64) + 0.5 - side / 2) / zoom + side / 2
        places.append(at.clamp(0, side))
    ys, xs = places
    top, left = max(0, int(ys[0]) - 3), max(0, int(xs[0]) - 3)
    part = cover[top : int(ys[-1]) + 4, left : int(xs[-1]) + 4]
    source = torch.from_numpy(part.transpose(2, 0, 1).copy()).float()[None] / 255
    height, width = part.shape[:2]
    y = ((ys - top) * (2 / height) - 1).float()
    x = ((xs - left) * (2 / width) - 1).float()
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]
    return F.grid_sample(source, grid, "bicubic", padding_mode="border", align_corners=False)[0]
