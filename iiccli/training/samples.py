"""What a model is trained on: groups of pictures as a conversion would embed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.coefficients import Quantised
from iiccli.coding.layout import Region, Span
from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.inference.adaptive.quantising import quantise
from iiccli.inference.adaptive.region_message import RegionContent, RegionMessage
from iiccli.inference.adaptive.repairing import FIXED
from iiccli.inference.adaptive.sequence import Modes
from iiccli.inference.converter import Pixels
from iiccli.inference.places import OnAverage, put_digits
from iiccli.networks.adaptive.planes import coded_planes
from iiccli.training.groups import Group


@dataclass(frozen=True)
class Sample:
    """One group of pictures.

    Attributes:
        pictures: (H, W, 3) uint8 each, the cover first, of one size.
        zoom: how much nearer the second picture is.
    """

    pictures: tuple[Pixels, ...]
    zoom: float = 1.0


def sample_of(group: Group) -> Sample:
    """A group of tensors as the conversion takes pictures."""
    pictures = tuple(np.ascontiguousarray(p.permute(1, 2, 0).cpu().numpy()) for p in group.pictures)
    return Sample(pictures, group.zoom)


@dataclass(frozen=True)
class Item:
    """A sample on its way through a model: one region.

    Attributes:
        sample: the pictures.
        cover: what the carrier should look like, (h, w, c) uint8.
        region: all of it.
        quality: of the carrier that it is meant for.
    """

    sample: Sample
    cover: Pixels
    region: Region
    quality: int

    def message(self, converter: AdaptiveConverter) -> RegionMessage:
        """What codes it; the samples of a header are counted as free."""
        return converter.message(self.region, np.ones(self.cover.shape, bool), self.quality)

    def at(self, quality: int) -> Self:
        """The same for a carrier of another quality."""
        return replace(self, quality=quality)

    def content(self, converter: AdaptiveConverter) -> RegionContent | None:
        """What a carrier would say of it; None if it does not fit."""
        raise NotImplementedError


@dataclass(frozen=True)
class Analysed(Item):
    """A sample whose planes are predicted from the cover alone.

    Attributes:
        z: (cell², ranks, cells) float32 coefficients.
        vectors: of the motion, or None.
    """

    z: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.int16] | None

    def content(self, converter: AdaptiveConverter) -> RegionContent | None:
        """See `Item.content`."""
        message = self.message(converter)
        level = message.level(self.z, self.vectors)
        if level is None:
            return None
        return content_of(message, quantise(self.z, level), level, self.vectors)


def content_of(
    message: RegionMessage,
    quantised: Quantised,
    level: int,
    vectors: npt.NDArray[np.int16] | None,
    modes: Modes | None = None,
) -> RegionContent:
    """What an undamaged carrier says of a region whose blocks are all of one level."""
    classes = message.coder.classes(quantised, level)
    levels = np.full(message.grid.cells, level, np.int64)
    return RegionContent(quantised, classes, levels, vectors, (), modes)


def random_carrier(cover: Pixels, moduli: Sequence[int], random: np.random.Generator) -> Pixels:
    """A carrier of a cover (h, w, c) with a random message in all of its samples."""
    digits = random.integers(0, moduli, cover.shape).astype(np.int16)
    return put_digits(cover, digits, np.ones(cover.shape, bool), moduli)


@torch.inference_mode()
def analysed(converter: AdaptiveConverter, sample: Sample, quality: int) -> Analysed:
    """Send a sample through the analysis; it must fit into one region."""
    cover = converter.deep_cover(sample.pictures[0])
    (region,) = converter.regions(cover)
    shown = OnAverage(cover, converter.config.moduli[quality])
    room = converter.message(region, np.ones(cover.shape, bool), quality).stream.room
    z, vectors = converter.together.analyse(sample.pictures, shown, region, sample.zoom, room)
    return Analysed(sample, cover, region, quality, z, vectors)


@dataclass(frozen=True)
class Example:
    """Planes before and after a carrier, as the enhancer sees them.

    Attributes:
        decoded: (channels, H, W) int16 in 1/8192 of the full range, the cover's first.
        original: the same as they should be.
        side: (P, rows, columns) float16 side planes by cell.
    """

    decoded: Tensor
    original: Tensor
    side: Tensor


@torch.inference_mode()
def examples(
    converter: AdaptiveConverter, item: Item, random: np.random.Generator
) -> list[Example]:
    """Decode a sample as from a carrier with a random message: one example, or one a picture."""
    config = converter.config
    content = item.content(converter)
    if content is None:
        return []
    carrier = random_carrier(item.cover, config.moduli[item.quality], random)
    room = converter.room_for(carrier)
    rows, columns = (n * config.cell for n in item.region.cells.shape)
    room.advance(0, rows)
    converter.synthesise(carrier, item.region, content, item.quality, item.sample.zoom, room)
    decoded = room.planes.part(Span(0, rows, 0, columns))
    side = torch.from_numpy(room.side.part(item.region.cells))
    pictures = [converter.whole(p, (rows, columns)) for p in item.sample.pictures]
    base = converter.net.base(converter.whole(item.cover, (rows, columns), converter.scale))
    original = torch.cat((base, coded_planes(config, pictures)))
    fixed = (original * FIXED).round().clamp(-(2**15), 2**15 - 1).to(torch.int16)
    height, width = (side // 2 * 2 for side in item.sample.pictures[0].shape[:2])
    parts = []
    for i in range(1 if config.joint else config.pictures):
        own = slice(None) if config.joint else slice(3 * i, 3 * i + 3)
        parts.append(
            Example(
                torch.from_numpy(decoded[own, :height, :width].copy()),
                fixed[own, :height, :width].clone(),
                side[i].half(),
            )
        )
    return parts
