"""Pictures to a carrier and back, region by region."""

from __future__ import annotations

import copy
import itertools
import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.coefficients import Tables
from iiccli.coding.layout import Region, Span
from iiccli.coding.rans import Frequencies
from iiccli.coding.rounding import thresholds
from iiccli.inference.adaptive.decoded import Decoded
from iiccli.inference.adaptive.in_turn import Consecutive
from iiccli.inference.adaptive.outlook import Outlook
from iiccli.inference.adaptive.region_message import RegionContent, RegionMessage
from iiccli.inference.adaptive.repairing import Repairing, fixed
from iiccli.inference.adaptive.together import Together
from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.places import OnAverage, put_digits, take_digits
from iiccli.inference.threads import in_pieces
from iiccli.inference.tiles import tiles
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.room import copied, give_back, room
from iiccli.zoo.modelfile import Card

Scalar = TypeVar("Scalar", bound=np.generic)

_BROKEN = 7 / 8
"""Share of a region's blocks: where more are broken, it may as well be none of ours. Each block of
a picture without message passes for whole once in 65536 times."""


def tables_of(net: AdaptiveNet) -> Tables:
    """The network's tables as the coding takes them."""
    return Tables(
        net.config.cell,
        net.scales.cpu().numpy(),
        net.weights.cpu().numpy(),
        Frequencies(net.frequencies.cpu().numpy().astype(np.uint32)),
    )


def _check(net: AdaptiveNet) -> None:
    """Refuse what no fit gives: with it numbers would leave their range in the middle of a picture.

    Raises:
        ValueError: something is out of range.
    """
    bounds = {"transform.mixes": 2.0, "centres": 1.0, "gains": 8.0}
    for name, tensor in net.state_dict().items():
        if name in bounds and not bool((tensor.abs() <= bounds[name]).all()):
            raise ValueError(f"{name} is out of range")


class AdaptiveConverter(Converter):
    """An `AdaptiveNet` on pictures of any size.

    Everything that decides where bits stand runs on the CPU in whole numbers; motion, transform
    and enhancer run on `device`.

    Attributes:
        tables: of the network, anew whenever that is fitted further.
        remote: the network on `device`.
        outlook: from the cover.
        together: codes pictures at once, where the network has no modes.
        in_turn: codes them one after the other, where it has.
        repairing: enhances what is decoded.
    """

    def __init__(self, card: Card, net: AdaptiveNet, device: torch.device, tile: int) -> None:
        self.card = card
        self.net = net
        self.device = device
        self.tile = tile
        self.config = net.config
        self.scale = net.config.scale
        self.channels = net.config.cover_channels
        self.qualities = len(net.config.moduli)
        _check(net)
        self.tables = tables_of(net)
        self.remote = net if device.type == "cpu" else copy.deepcopy(net).to(device)
        self.remote.enhancer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.outlook = Outlook(self.remote)
        self.together, self.in_turn = Together(self.outlook), Consecutive(self.outlook)
        self.repairing = Repairing(self.remote)

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
        cover = self.deep_cover(pictures[0])
        free = _deep(free)
        pad = None if pad is None else _deep(pad)
        carrier = copied(cover)
        shown = OnAverage(cover, self.config.moduli[quality])
        places = self.regions(cover)
        guess: int | None = None
        for done, region in enumerate(places):
            progress(done / len(places))
            rows, columns = region.pixels.slices
            message = self.message(region, free[rows, columns], quality)
            what = pictures, shown, region, zoom, message
            with in_pieces():
                if self.config.modes:
                    usual = int(self.net.starts[quality])
                    numbers, used, guess = self.in_turn.write(*what, guess, usual)
                else:
                    numbers, used, guess = self.together.write(*what, guess)
            carrier[rows, columns] = put_digits(
                cover[rows, columns],
                numbers,
                used if pad is None else free[rows, columns],
                self.config.moduli[quality],
                None if pad is None else pad[rows, columns],
                scattered=self.config.prediction == "none",
            )
            give_back()
        progress(1.0)
        return carrier[..., 0] if self.channels == 1 else carrier

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
        carrier, free = _deep(carrier), _deep(free)
        pad = None if pad is None else _deep(pad)
        width, height = size
        pictures = [room((height, width, 3), np.uint8) for _ in range(self.config.pictures)]
        decoded = self.room_for(carrier)
        rows, columns = (side * self.config.cell for side in self.outlook.cells(carrier))
        waiting = deque(tiles(rows, columns, self.tile, self.net.reach, 2))
        damaged, done, area = 0, 0, carrier.shape[0] * carrier.shape[1]
        for band in _bands(self.regions(carrier)):
            decoded.advance(waiting[0].outer[0], band[0].cells.bottom * self.config.cell)
            for region in band:
                with in_pieces():
                    content = self._read(carrier, region, free, quality, pad)
                    self.synthesise(carrier, region, content, quality, zoom, decoded)
                damaged += sum(math.prod(block.pixels.shape) for block in content.damaged)
                done += math.prod(region.pixels.shape)
                progress(0.7 * done / area + 0.3 * waiting[0].inner[0] / rows)
            while waiting and waiting[0].outer[1] <= decoded.planes.bottom:
                tile = waiting.popleft()
                self.repairing.enhance(decoded, tile, pictures)
                progress(0.7 * done / area + 0.3 * tile.inner[0] / rows)
            give_back()
        progress(1.0)
        return Restored(pictures, damaged / area)

    def _read(
        self, carrier: Pixels, region: Region, free: Mask, quality: int, pad: Pixels | None
    ) -> RegionContent:
        rows, columns = region.pixels.slices
        own = None if pad is None else pad[rows, columns]
        digits = take_digits(carrier[rows, columns], self.config.moduli[quality], own)
        return self.message(region, free[rows, columns], quality).read(digits)

    def holds(self, carrier: Pixels, quality: int, free: Mask) -> bool:
        """See `Converter.holds`."""
        carrier, free = _deep(carrier), _deep(free)
        for region in self.regions(carrier):
            broken = len(self._read(carrier, region, free, quality, None).damaged)
            if broken <= _BROKEN * len(region.blocks):
                return True
        return False

    def moduli(self, quality: int) -> tuple[int, ...]:
        """See `Converter.moduli`."""
        return tuple(self.config.moduli[quality])

    def deep_cover(self, picture: Pixels) -> Pixels:
        """The cover with an axis of channels, (h, w, c)."""
        return _deep(self.cover(picture))

    def filler(self, cover: Pixels) -> Pixels:
        """See `Converter.filler`: the cover where it predicts the others, else flat gray."""
        return np.full_like(cover, 128) if self.config.prediction == "none" else cover

    def whole(self, picture: Pixels, size: tuple[int, int], scale: int = 1) -> Tensor:
        """A picture continued to so many rows and columns / scale, (c, h, w) in 0..1."""
        return self.outlook.padded(picture, Span(0, size[0] // scale, 0, size[1] // scale))

    def regions(self, carrier: Pixels) -> list[Region]:
        """Cut a carrier, (h, w, c), into regions."""
        return self.outlook.regions(carrier)

    def room_for(self, carrier: Pixels) -> Decoded:
        """Room for what is decoded of a carrier; of no rows yet."""
        return self.repairing.room_for(self.outlook.cells(carrier))

    def synthesise(
        self,
        carrier: Pixels,
        region: Region,
        content: RegionContent,
        quality: int,
        zoom: float,
        decoded: Decoded,
    ) -> None:
        """Decode one region into its place of `decoded`, which has to hold its rows."""
        way = self.in_turn if self.config.modes else self.together
        for span, planes, values in way.decode(carrier, region, content, zoom):
            decoded.planes.part(span)[planes] = fixed(values)
        self.repairing.tell(decoded, region, content, quality)

    def message(self, region: Region, free: Mask, quality: int) -> RegionMessage:
        """What codes one region, given which of its samples (h, w, c) are free."""
        config = self.config
        motion = (config.cell // config.motion, config.fields) if config.motion else (0, 0)
        modes = (config.modes, config.ranks // 3) if config.modes else (0, 0)
        borders = thresholds(self.tables, self.outlook.centres)
        return RegionMessage(
            self.tables, region, free, config.moduli[quality], motion, borders, modes
        )


def _bands(places: Sequence[Region]) -> Iterator[list[Region]]:
    """Regions row by row."""
    for _, band in itertools.groupby(places, key=lambda region: region.pixels.top):
        yield list(band)


def _deep(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """The same with an axis of channels."""
    return array if array.ndim == 3 else array[..., None]
