"""The vectors of a region's pictures: estimated, then chosen for what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from iiccli.coding.contexts import UNIT
from iiccli.coding.layout import Region
from iiccli.coding.prices import VectorPrices
from iiccli.coding.vectors import Small
from iiccli.inference.adaptive.levels import LEVEL_HIGH, LEVEL_LOW, USUAL
from iiccli.inference.adaptive.matching import Blocks, Matching, luma
from iiccli.inference.adaptive.outlook import Outlook
from iiccli.inference.adaptive.refining import refined
from iiccli.inference.places import margins
from iiccli.networks.transform.motion import compensate

_SHARE = 0.25
"""What `likely_level` counts of luma, as a share of the room: measured on clips, where it was 0.23
to 0.27."""

_PRICES = 1.3, 5.0, 20.0
"""What a bit of vectors is worth in bits of coefficients: a little more than one is best, by up to
0.07 dB for clips. More where vectors would take over half of the room; where that does not help,
everything stands still."""

_SPARSE = 7
"""Every so many blocks stand for all in that."""


@dataclass(frozen=True)
class Reference:
    """What a picture is predicted from.

    Attributes:
        picture: (3, H, W) in 0..1.
        inner: where the region lies in it, in pixels.
    """

    picture: Tensor
    inner: tuple[slice, slice]

    @cached_property
    def luma(self) -> Tensor:
        """See `matching.luma`; on the CPU."""
        return luma(self.picture).cpu()


@dataclass(frozen=True)
class Task:
    """A picture whose vectors are wanted.

    Attributes:
        picture: (3, h, w) in the region.
        cover: what stands for the cover.
        around: the picture as far as `cover` reaches, (3, H, W).
        before: the picture before, if it follows one.
    """

    picture: Tensor
    cover: Reference
    around: Tensor
    before: Reference | None = None


@dataclass(frozen=True)
class Found:
    """What is found of a picture at first.

    Attributes:
        references: what stands for the cover, and the picture before if there is one.
        target: its spectrum, (side², blocks) of luma.
        fields: vectors (2, rows, columns) against the cover and, if there is one, the picture
            before.
        told: spectra of what these tell with them.
    """

    references: tuple[Reference, ...]
    target: Tensor
    fields: tuple[Small, ...]
    told: tuple[Tensor, ...]


class FieldSearch:
    """Finds the vectors of one region.

    Args:
        outlook: from the cover.
        region: where.
    """

    def __init__(self, outlook: Outlook, region: Region) -> None:
        self._outlook, self._grid = outlook, outlook.config.motion
        self._blocks = Blocks(self._grid)
        self._gains = _luma_gains(outlook, self._grid)
        factor = outlook.config.cell // self._grid
        rows = np.unique([factor * block.cells.top for block in region.blocks])
        columns = np.unique([factor * block.cells.left for block in region.blocks])
        height, width = region.cells.shape
        self._prices = VectorPrices(rows, columns, (factor * height, factor * width))

    def find(self, tasks: Sequence[Task], room: float) -> tuple[list[tuple[Small, ...]], int]:
        """Find vectors that are worth their bits.

        Args:
            tasks: all pictures.
            room: bits that there are for all of them.

        Returns:
            Of each picture its vectors (2, rows, columns) in quarter pixels, as `Found.fields`;
            and about the level that all will come to.
        """
        found = self._outlook.each(self._begin, tasks)
        rests = [self._left(one, self._weights(one, USUAL))[:, ::_SPARSE] for one in found]
        level = likely_level(torch.cat(rests, 1), room / _SPARSE)
        for price in _PRICES:
            fields = self._outlook.each(partial(self._refine, level=level, price=price), found)
            own = [self._prices.rice(one)[1].sum() for picture in fields for one in picture]
            if sum(own) <= room / 2:
                return fields, level
        return [tuple(map(np.zeros_like, picture)) for picture in fields], level

    def _begin(self, task: Task) -> Found:
        references = (task.cover,) if task.before is None else (task.cover, task.before)
        pictures = (task.around, task.picture)
        fields = tuple(self._estimated(*pair) for pair in zip(references, pictures, strict=False))
        told = tuple(self._told(*pair) for pair in zip(references, fields, strict=True))
        return Found(references, self._blocks.spectrum(luma(task.picture).cpu()), fields, told)

    def _estimated(self, reference: Reference, picture: Tensor) -> Small:
        grid = self._grid
        rows, columns = (slice(s.start // grid, s.stop // grid) for s in reference.inner)
        whole = self._outlook.net.estimate(reference.picture, picture[None])[0]
        found: Small = whole[:, rows, columns].cpu().numpy()
        return found

    def _told(self, reference: Reference, vectors: Small) -> Tensor:
        """Spectrum of what a reference tells with these vectors."""
        plane = reference.luma[None, None]
        left, right, above, below = margins(reference.inner, plane.shape, self._grid)
        whole = np.pad(vectors, ((0, 0), (above, below), (left, right)), mode="edge")
        moved = compensate(plane, torch.from_numpy(whole)[None].float(), self._grid)
        return self._blocks.spectrum(moved[0, 0][reference.inner])

    def _weights(self, found: Found, level: int) -> Tensor:
        """How much of what is told is taken, in each block's best mode: (told, side², blocks)."""
        if self._gains is None:
            return torch.ones(1, *found.target.shape)
        gains = self._gains if len(found.told) > 1 else self._gains.sum(1, keepdim=True)
        left = [self._blocks.bits_of(self._left(found, own[..., None]), level) for own in gains]
        return gains[torch.stack(left).argmin(0)].permute(1, 2, 0)

    def _left(self, found: Found, weights: Tensor) -> Tensor:
        """Spectrum of what is left to code."""
        rest = found.target.clone()
        for weight, told in zip(weights, found.told, strict=True):
            rest.addcmul_(weight, told, value=-1)
        return rest

    def _refine(self, found: Found, level: int, price: float) -> tuple[Small, ...]:
        """The vectors of a picture chosen anew, those against the picture before first."""
        weights, told, fields = self._weights(found, level), list(found.told), list(found.fields)
        for number in reversed(range(len(fields))):
            reference, target = found.references[number], found.target
            for other in set(range(len(fields))) - {number}:
                target = target - weights[other] * told[other]
            what = reference.luma, reference.inner, target, weights[number], level
            matching = Matching(self._blocks, *what)
            fields[number] = refined(fields[number], matching, self._prices, price)
            if number > 0:
                told[number] = self._told(reference, fields[number])
        return tuple(fields)


def likely_level(rest: Tensor, room: float) -> int:
    """About the level at which what is left fits into the room.

    Coefficients c of RGB take about log2(1 + |c| / step) bits; here they are of luma.

    Args:
        rest: (coefficients, blocks).
        room: bits.

    Returns:
        The log2 of the quantiser's step in 1/256.
    """
    sizes, low, high = rest.abs() * 3**0.5, LEVEL_LOW, LEVEL_HIGH
    while high - low > 1:
        level = (low + high) // 2
        bits = (sizes * 2.0 ** (-level / UNIT)).add_(1).log2_().sum()
        low, high = (level, high) if bits > _SHARE * room else (low, level)
    return int(high)


def _luma_gains(outlook: Outlook, side: int) -> Tensor | None:
    """Gains at the frequencies of smaller blocks, in the mean of all colours.

    Returns:
        (modes, 2, side²); None where there are no modes, and what is told is taken as it is.
    """
    config = outlook.config
    if not config.modes:
        return None
    gains = outlook.net.gains.cpu().mean(-1).view(-1, 2, config.cell, config.cell)
    step = config.cell // side
    return gains[..., ::step, ::step].reshape(len(gains), 2, side * side)
