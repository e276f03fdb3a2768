"""Running a fully convolutional network (IICNet, the fast network) tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.tiles import tiles
from iiccli.zoo.modelfile import Card


class DenseNetwork(Protocol):
    """What this needs of a network; see `iiccli.networks.iicnet` and `.fast`."""

    multiple: int
    reach: int
    scale: int

    def embed(self, x: Tensor) -> Tensor:
        """(1, 3N, H, W) to (1, c, H / scale, W / scale)."""
        ...

    def restore(self, y: Tensor) -> Tensor:
        """(1, c, h, w) to (1, 3N, h · scale, w · scale)."""
        ...


class DenseConverter(Converter):
    """A network whose carrier is its own output, rounded to 8 bits.

    The samples of the pixel header carry message like all others: such a network cannot leave
    samples out, and spreads what it hides so widely that a header does little harm.
    """

    qualities = 1

    def __init__(self, card: Card, net: nn.Module, device: torch.device, tile: int) -> None:
        self.card = card
        self.device = device
        self.tile = tile
        moved = net.to(device)
        self.net: DenseNetwork = moved  # type: ignore[assignment]
        self.scale = self.net.scale
        self.channels = int(card.config.get("out_channels", 3))
        self._swap = card.colour.upper() == "BGR"

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
        stacked = np.concatenate([self._ordered(picture) for picture in pictures], axis=2)
        scale = self.net.scale
        x = _pad(stacked, self.net.multiple)
        y = self._run(self.net.embed, x, 1 / scale, progress)
        carrier_width, carrier_height = self.carrier_size(width, height)
        carrier = y[:carrier_height, :carrier_width]
        return carrier[..., 0] if self.channels == 1 else self._ordered(carrier)

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
        width, height = size
        scale = self.net.scale
        y = carrier[..., None] if self.channels == 1 else self._ordered(carrier)
        y = _pad(y, max(1, self.net.multiple // scale))
        x = self._run(self.net.restore, y, scale, progress)[:height, :width]
        pictures = [self._ordered(x[..., i : i + 3]) for i in range(0, x.shape[2], 3)]
        return Restored(pictures, None)

    def _run(
        self,
        function: Callable[[Tensor], Tensor],
        picture: Pixels,
        factor: float,
        progress: Progress,
    ) -> Pixels:
        """Apply `function` tile by tile; its result is `factor` times as large."""
        height, width = picture.shape[:2]
        unit = max(1, int(self.net.multiple / max(factor, 1)))
        reach = int(self.net.reach / max(factor, 1)) + 1
        result: Pixels | None = None
        places = list(tiles(height, width, self.tile, reach, unit))
        for done, tile in enumerate(places):
            progress(done / len(places))
            part = np.ascontiguousarray(picture[tile.source].transpose(2, 0, 1))
            x = torch.from_numpy(part).to(self.device).float()[None] / 255
            y = (function(x)[0] * 255).round().clamp(0, 255).to(torch.uint8)
            values = y.permute(1, 2, 0).cpu().numpy()
            if result is None:
                shape = (int(height * factor), int(width * factor), values.shape[2])
                result = np.empty(shape, np.uint8)
            result[_scaled(tile.target, factor)] = values[_scaled(tile.kept, factor)]
        progress(1.0)
        assert result is not None  # a picture has at least one tile
        return result

    def _ordered(self, picture: Pixels) -> Pixels:
        """Swap red and blue where the network wants them so; the same both ways."""
        return np.ascontiguousarray(picture[..., ::-1]) if self._swap else picture


def _pad(picture: Pixels, multiple: int) -> Pixels:
    bottom, right = (-side % multiple for side in picture.shape[:2])
    return np.pad(picture, ((0, bottom), (0, right), (0, 0)), mode="edge")


def _scaled(place: tuple[slice, slice], factor: float) -> tuple[slice, slice]:
    rows, columns = (slice(int(s.start * factor), int(s.stop * factor)) for s in place)
    return rows, columns
