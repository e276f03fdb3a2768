"""From decoded planes to pictures: the enhancer, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.contexts import UNIT
from iiccli.coding.layout import Region, Span
from iiccli.inference.adaptive.decoded import Decoded
from iiccli.inference.adaptive.region_message import RegionContent
from iiccli.inference.converter import Pixels
from iiccli.inference.precision import enhancing
from iiccli.inference.tiles import Tile
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.planes import as_pictures

FIXED = 8192
"""Decoded planes are kept as int16, in so many parts of the full range."""


class Repairing:
    """A network's enhancer at work.

    Args:
        net: on the device where it computes.
    """

    def __init__(self, net: AdaptiveNet) -> None:
        self.net, self.config = net, net.config

    def room_for(self, cells: tuple[int, int]) -> Decoded:
        """Room for what is decoded of a carrier of so many cells; of no rows yet."""
        config = self.config
        planes = self.net.enhancer.head.in_channels - 4 * (config.channels if config.joint else 3)
        pictures = 1 if config.joint else config.pictures
        return Decoded(config.channels, (pictures, planes), cells, config.cell)

    def tell(self, decoded: Decoded, region: Region, content: RegionContent, quality: int) -> None:
        """Put the enhancer's side planes of a region into `decoded`."""
        device = self.net.transform.mixes.device
        magnitudes = torch.from_numpy(np.abs(content.quantised)).to(device)
        levels = torch.from_numpy(content.levels / UNIT).float().to(device)
        side = decoded.side.part(region.cells)
        side[:] = self._side(magnitudes, levels, quality).view(side.shape).cpu().numpy()

    def enhance(self, decoded: Decoded, tile: Tile, pictures: Sequence[Pixels]) -> None:
        """Enhance one tile into the pictures, as far as it lies in them."""
        device = self.net.transform.mixes.device
        planes = torch.from_numpy(decoded.planes.part(Span(*tile.outer))).to(device)
        x = (planes.float() / FIXED).contiguous()
        side = torch.from_numpy(spread(decoded, tile, self.config.joint)).to(device)
        with enhancing(device):
            y = self.net.enhance(x, side).float()
        for picture, own in zip(pictures, as_pictures(self.config, y), strict=True):
            place = picture[tile.target]
            pixels = (own[(slice(None), *tile.kept)] * 255).round().clamp(0, 255)
            whole = pixels.to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            place[:] = whole[: place.shape[0], : place.shape[1]]

    def _side(self, magnitudes: Tensor, levels: Tensor, quality: int) -> Tensor:
        """The side planes of a region, (pictures or 1, P, cells)."""
        net, config = self.net, self.config
        flat = net.flat_planes(quality, levels)
        if config.joint:
            return torch.cat((flat, net.activity(magnitudes)))[None]
        # The cover has the carrier's error and no coefficients; the others the reverse.
        activity = [net.activity(m) for m in torch.split(magnitudes, 3, dim=1)]
        carrier = torch.cat((flat, torch.zeros_like(activity[0])))
        carrier[config.cover_channels] = 0
        steps = torch.zeros_like(flat)
        steps[config.cover_channels] = flat[config.cover_channels]
        return torch.stack([carrier, *(torch.cat((steps, a)) for a in activity)])


def fixed(planes: Tensor) -> npt.NDArray[np.int16]:
    """Planes as they are kept."""
    whole = (planes * FIXED).round_().clamp_(-(2**15), 2**15 - 1)
    kept: npt.NDArray[np.int16] = whole.to(torch.int16).cpu().numpy()
    return kept


def spread(decoded: Decoded, tile: Tile, joint: bool) -> npt.NDArray[np.float32]:
    """Side planes over a tile at half size, as `AdaptiveNet.enhance` takes them."""
    top, bottom, left, right = tile.outer
    rows = np.arange(top, bottom, 2) // decoded.cell
    columns = np.arange(left, right, 2) // decoded.cell
    cells = Span(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    part = decoded.side.part(cells)
    planes = part[:, :, rows - cells.top][..., columns - cells.left]
    return planes[0] if joint else planes
