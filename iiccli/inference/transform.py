"""Running the transform network: region by region, then the enhancer tile by tile."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from iiccli.coding.layout import Region, Span, regions
from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.message import RegionCoder
from iiccli.inference.places import (
    in_pixels,
    margins,
    padded,
    put_digits,
    shifted,
    surroundings,
    take_digits,
)
from iiccli.inference.tiles import tiles
from iiccli.networks.transform import Coefficients, TransformNet, side_planes
from iiccli.networks.transform.fixed import from_fixed, to_fixed
from iiccli.zoo.modelfile import Card


class TransformConverter(Converter):
    """A `TransformNet` on pictures of any size.

    Everything that decides where bits stand runs on the CPU in whole numbers; motion, transform
    and enhancer run on `device`.
    """

    scale = 1

    def __init__(self, card: Card, net: TransformNet, device: torch.device, tile: int) -> None:
        self.card = card
        self.net = net
        self.device = device
        self.tile = tile
        self.config = net.config
        self.qualities = len(net.config.moduli)
        self.remote = net if device.type == "cpu" else copy.deepcopy(net).to(device)
        self.remote.enhancer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def embed(
        self,
        pictures: Sequence[Pixels],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Pixels:
        """See `Converter.embed`."""
        height, width = pictures[0].shape[:2]
        moduli = self.config.moduli[quality]
        carrier = pictures[0].copy()
        places = list(regions(height, width, self.config.cell))
        for done, region in enumerate(places):
            progress(done / len(places))
            rows, columns = region.pixels.slices
            coder = RegionCoder(self.net, region, free[rows, columns], moduli)
            numbers, used = coder.write(self._analyse(pictures, region))
            carrier[rows, columns] = put_digits(
                pictures[0][rows, columns],
                numbers,
                used if pad is None else free[rows, columns],
                moduli,
                None if pad is None else pad[rows, columns],
            )
        progress(1.0)
        return carrier

    @torch.inference_mode()
    def restore(
        self,
        carrier: Pixels,
        size: tuple[int, int],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Restored:
        """See `Converter.restore`."""
        height, width = carrier.shape[:2]
        moduli = self.config.moduli[quality]
        cell = self.config.cell
        rows, columns = -(-height // cell), -(-width // cell)
        decoded = np.zeros((3 * self.config.pictures, rows * cell, columns * cell), np.int16)
        decoded[:3] = to_fixed(self._padded(carrier, _whole(rows, columns, cell))).cpu().numpy()
        levels = torch.zeros(self.config.groups, rows, columns)
        damaged = 0
        places = list(regions(height, width, cell))
        for done, region in enumerate(places):
            progress(0.5 * done / len(places))
            own_rows, own_columns = region.pixels.slices
            coder = RegionCoder(self.net, region, free[own_rows, own_columns], moduli)
            own = None if pad is None else pad[own_rows, own_columns]
            message = coder.read(take_digits(carrier[own_rows, own_columns], moduli, own))
            damaged += sum(b.pixels.shape[0] * b.pixels.shape[1] for b in message.damaged)
            span = in_pixels(region.cells, cell)
            prediction = self._predict(carrier, region, message.vectors)
            error = self.remote.transform.inverse(message.z.to(self.device), *span.shape)
            decoded[(slice(3, None), *span.slices)] = (
                to_fixed(prediction.flatten(0, 1) + error).cpu().numpy()
            )
            levels[(slice(None), *region.cells.slices)] = self.net.level_map(
                message.gains, message.waters, *region.cells.shape
            )
        pictures = self._enhance(decoded, levels, quality, (height, width), progress)
        progress(1.0)
        return Restored(pictures, damaged / (height * width))

    def moduli(self, quality: int) -> tuple[int, ...]:
        """See `Converter.moduli`."""
        return tuple(self.config.moduli[quality])

    def _analyse(self, pictures: Sequence[Pixels], region: Region) -> Coefficients:
        """Coefficients of one region, on the CPU."""
        config, remote = self.config, self.remote
        window = self._window(pictures[0], region)
        span = in_pixels(region.cells, config.cell)
        reference = self._padded(pictures[0], window)
        vectors = None
        if config.motion:
            parts = []
            for picture in pictures[1:]:
                other = self._padded(picture, window)
                whole = remote.estimate(reference[None], other[None])
                parts.append(whole[(..., *shifted(span, window, config.motion))])
            vectors = torch.cat(parts).cpu()
        prediction = self._predict(pictures[0], region, vectors)
        others = torch.stack([self._padded(picture, span) for picture in pictures[1:]])
        z = remote.transform((others - prediction).flatten(0, 1)).cpu()
        return Coefficients(z, self.net.allocation.gains(z), vectors)

    def _predict(self, cover: Pixels, region: Region, vectors: Tensor | None) -> Tensor:
        """The other pictures over one region as the cover shows them, (P, 3, h, w).

        Sees only the region's own vectors and the cover's pixels within `CONTEXT` of it, so
        that both directions compute the same.
        """
        config = self.config
        window, span = self._window(cover, region), in_pixels(region.cells, config.cell)
        source = self._padded(cover, window)
        rows, columns = shifted(span, window, 1)
        if vectors is not None:
            around = margins((rows, columns), source.shape, config.motion)
            vectors = F.pad(vectors.to(self.device).float(), around, mode="replicate")
        return self.remote.predict(source, vectors)[..., rows, columns]

    def _window(self, picture: Pixels, region: Region) -> Span:
        """The region's cells and their surroundings, in pixels of the padded picture."""
        cell = self.config.cell
        height, width = (-(-side // cell) * cell for side in picture.shape[:2])
        return surroundings(in_pixels(region.cells, cell), height, width)

    def _padded(self, picture: Pixels, span: Span) -> Tensor:
        return padded(picture, span).to(self.device)

    def _enhance(
        self,
        decoded: npt.NDArray[np.int16],
        levels: Tensor,
        quality: int,
        size: tuple[int, int],
        progress: Progress,
    ) -> list[Pixels]:
        height, width = size
        rows, columns = decoded.shape[1:]
        result = np.empty((self.config.pictures, rows, columns, 3), np.uint8)
        levels = levels.to(self.device)
        steps = self.net.step_sizes(quality).to(self.device)
        places = list(tiles(rows, columns, self.tile, self.net.reach, 2))
        for done, tile in enumerate(places):
            progress(0.5 + 0.5 * done / len(places))
            part = torch.from_numpy(decoded[(slice(None), *tile.source)]).to(self.device)
            planes = side_planes(levels, steps, tile.outer, self.config.cell)
            x = from_fixed(part)[None].contiguous(memory_format=torch.channels_last)
            y = self.remote.enhancer(x, planes[None])[0][(slice(None), *tile.kept)]
            pixels = (y * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
            result[(slice(None), *tile.target)] = pixels.reshape(
                -1, 3, *pixels.shape[1:]
            ).transpose(0, 2, 3, 1)
        return [picture[:height, :width].copy() for picture in result]


def _whole(rows: int, columns: int, cell: int) -> Span:
    return Span(0, rows * cell, 0, columns * cell)
