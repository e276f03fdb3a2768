"""Fitting an adaptive network whose pictures are coded in sequence (`networks.adaptive.sequence`).

What a picture is predicted from is itself decoded, so all is fitted in rounds: the modes' weights
(Lloyd's algorithm: each cell takes the mode that costs it least, each mode the weights that are
best for its cells), the principal components of what is left, then the tables of `calibration`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.coefficients import LARGEST, CoefficientCoder
from iiccli.coding.contexts import UNIT
from iiccli.coding.vectors import Small
from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.inference.adaptive.growing import Rounding
from iiccli.inference.adaptive.quantising import Floats
from iiccli.inference.adaptive.region_message import RegionContent
from iiccli.inference.adaptive.sequence import Coded, PictureSequence
from iiccli.inference.adaptive.sharing import InTurn
from iiccli.inference.places import OnAverage
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.net import START
from iiccli.networks.adaptive.sequence import Weighing
from iiccli.training.calibration import Rounded, begin_tables, fit_tables
from iiccli.training.samples import Item, Sample, content_of, random_carrier

_ROUNDS = 3
_TURNS = 5
"""Of Lloyd's algorithm."""

_STARTS = ((0.0, 1.0), (0.5, 0.5), (0.0, 0.0), (0.8, 0.0), (0.0, 0.8), (0.3, 0.7), (0.7, 0.3))
"""Weights of the cover and of the picture before, from which modes start; then those of lower
frequencies alone, in so many ways."""


@dataclass(frozen=True)
class Sequenced(Item):
    """A sample whose pictures are predicted from one another.

    Attributes:
        sequence: as the cover predicts it.
        real: as a carrier with a random message does.
        wanted: spectra of the pictures, in the order of the sequence.
        vectors: of the motion, or None.
    """

    sequence: PictureSequence
    real: PictureSequence
    wanted: list[Tensor]
    vectors: Small | None

    def coded(self, converter: AdaptiveConverter) -> Coded | None:
        """Its pictures at a level that fits; None if none does."""
        message = self.message(converter)
        code = converter.in_turn.coding(self.sequence, self.wanted, message)
        start = int(converter.net.starts[self.quality])
        return message.sequence(code, self.vectors, start)

    def content(self, converter: AdaptiveConverter) -> RegionContent | None:
        """See `Item.content`."""
        coded = self.coded(converter)
        if coded is None:
            return None
        message = self.message(converter)
        return content_of(message, coded.quantised(), coded.level, self.vectors, coded.modes)

    def rounded(self, converter: AdaptiveConverter, coded: Coded) -> Rounded:
        """What was coded, beside how large it was before it was rounded."""
        level = coded.level
        message = self.message(converter)
        turn = _Recorded(message.coder, converter.in_turn.rounding(level, message))
        quantised = self.sequence.code(self.wanted, turn, coded.modes).quantised()
        sizes = np.abs(np.concatenate(turn.given, 1)) * np.float32(2 ** (-level / UNIT))
        np.minimum(sizes, np.float32(LARGEST - 1), out=sizes)
        return Rounded(level, message.grid, np.abs(quantised), sizes)


class _Recorded(InTurn):
    """Keeps what it was given."""

    def __init__(self, coder: CoefficientCoder, rounding: Rounding) -> None:
        super().__init__(coder, rounding)
        self.given: list[Floats] = []

    def add(self, z: Floats) -> Floats:
        """See `InTurn.add`."""
        self.given.append(z)
        return super().add(z)


@torch.inference_mode()
def sequenced(
    converter: AdaptiveConverter, sample: Sample, quality: int, random: np.random.Generator
) -> Sequenced:
    """Get a sample ready; it must fit into one region.

    Its vectors are chosen for the modes that the network has, see `begin_modes`.
    """
    cover = converter.deep_cover(sample.pictures[0])
    (region,) = converter.regions(cover)
    moduli = converter.config.moduli[quality]
    shown = OnAverage(cover, moduli)
    everywhere = np.ones(cover.shape, bool)
    room = converter.message(region, everywhere, quality).stream.room
    ready = converter.in_turn.prepare(sample.pictures, shown, region, sample.zoom, room)
    carrier = random_carrier(cover, moduli, random)
    real = converter.in_turn.following(carrier, region, sample.zoom, ready.vectors)
    return Sequenced(
        *(sample, cover, region, quality), ready.sequence, real, ready.wanted, ready.vectors
    )


@torch.inference_mode()
def calibrate_sequence(
    converter: AdaptiveConverter,
    items: Sequence[Sequenced],
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Fit weights, components and tables of `converter`'s network, in place.

    Its modes have begun when the items were made, see `begin_modes`.
    """
    net = converter.net
    coded: list[Coded | None] = [None] * len(items)
    for turn in range(_ROUNDS):
        report(f"modes, round {turn + 1} of {_ROUNDS}")
        cells = [
            part for item, own in zip(items, coded, strict=True) for part in _cells_of(item, own)
        ]
        fit_modes(net, cells)
        magnitude = fit_colours(net, cells)
        if turn == 0:
            begin_tables(converter, magnitude)
        report(f"levels, round {turn + 1} of {_ROUNDS}")
        coded = [item.coded(converter) for item in items]
        fit_starts(net, items, coded)
        report(f"tables, round {turn + 1} of {_ROUNDS}")
        fitting = [
            item.rounded(converter, own)
            for item, own in zip(items, coded, strict=True)
            if own is not None
        ]
        fit_tables(converter, fitting, first=turn == 0)


@dataclass(frozen=True)
class Cells:
    """Cells of one picture: what is wanted, and what there is to predict it from.

    Attributes:
        place: of the picture in its sequence.
        wanted: (cell², 3, cells) spectrum.
        cover: likewise, what a carrier tells.
        before: likewise, what the picture before tells.
        step: of the quantiser.
    """

    place: int
    wanted: Tensor
    cover: Tensor
    before: Tensor
    step: float


def _cells_of(item: Sequenced, coded: Coded | None) -> list[Cells]:
    """A sample's pictures, each beside what it is predicted from.

    Noise as strong as the quantiser's error, at the level that the sample came to so far, stands
    for what coding does to them.
    """
    step = 2.0 ** ((START if coded is None else coded.level) / UNIT)
    generator = torch.Generator().manual_seed(0)
    decoded = {}
    for place, own in enumerate(item.wanted):
        # The error of what is decoded is white, nearly, whatever the picture.
        noise = torch.rand(own.shape, generator=generator).sub_(0.5).mul_(step)
        decoded[place] = item.sequence.picture(place, own + noise)
    return [
        Cells(place, own, *item.real.predictions(place, decoded), step)
        for place, own in enumerate(item.wanted)
    ]


def begin_modes(net: AdaptiveNet) -> None:
    """Weights to begin with, constant ones; the first mode takes the cover as it is, and stays."""
    cell = net.config.cell
    u = torch.arange(cell)
    layer = (u[:, None] + u).reshape(-1, 1).expand(-1, 3)
    net.gains.zero_()
    net.gains[:, 0] = 1
    for mode in range(1, len(net.gains)):
        cover, before = _STARTS[(mode - 1) % len(_STARTS)]
        fall = 2.0 ** ((mode - 1) // len(_STARTS))
        shape = torch.exp(-layer * ((fall - 1) / cell))
        net.gains[mode, 0], net.gains[mode, 1] = cover * shape, before * shape


def fit_starts(net: AdaptiveNet, items: Sequence[Sequenced], coded: Sequence[Coded | None]) -> None:
    """Set where to begin to look for a level: at the mean of a quality's."""
    for quality in range(len(net.starts)):
        levels = [
            own.level
            for item, own in zip(items, coded, strict=True)
            if own is not None and item.quality == quality
        ]
        if levels:
            net.starts[quality] = round(float(np.mean(levels)))


def fit_modes(net: AdaptiveNet, cells: Sequence[Cells]) -> None:
    """Fit the weights of all modes but the first, in place."""
    modes, _, size, _ = net.gains.shape
    for _ in range(_TURNS):
        gram = torch.zeros(modes, size, 3, 2, 2, dtype=torch.float64)
        right = torch.zeros(modes, size, 3, 2, dtype=torch.float64)
        for part in cells:
            chosen, rest = _left(net, part)
            both = torch.stack((part.cover, part.before), 2)
            # Busy cells would decide alone; the square root keeps them first but not the only ones.
            share = 1 / (rest.square().mean((0, 1)) + part.step**2 / 12).sqrt()
            for mode in torch.unique(chosen).tolist():
                own = chosen == mode
                x, y, w = both[..., own], part.wanted[..., own], share[own]
                gram[mode] += torch.einsum("fkpc,fkqc,c->fkpq", x, x, w).double()
                right[mode] += torch.einsum("fkpc,fkc,c->fkp", x, y, w).double()
        ridge = 1e-3 * gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] + 1e-9
        solved = torch.linalg.solve(gram + ridge * torch.eye(2, dtype=torch.float64), right)
        solved = solved.clamp(-0.5, 1.5).permute(0, 3, 1, 2).float()
        seen = (gram.diagonal(dim1=-2, dim2=-1).sum((1, 2, 3)) > 0).nonzero()[:, 0].tolist()
        for mode in seen:
            if mode > 0:
                net.gains[mode] = solved[mode]


def _left(net: AdaptiveNet, part: Cells) -> tuple[Tensor, Tensor]:
    """The mode of each cell, and what is left to code then."""
    weighing = Weighing(net, part.place)
    chosen = weighing.choose(part.step, part.wanted, part.cover, part.before)
    return chosen, part.wanted - weighing.predicted(part.cover, part.before, chosen)


def fit_colours(net: AdaptiveNet, cells: Sequence[Cells]) -> npt.NDArray[np.float32]:
    """Fit the principal components of what is left over the colours, in place.

    Returns:
        The mean magnitudes of what is left, (cell², ranks).
    """
    size, ranks = net.scales.shape
    covariance = torch.zeros(size, ranks, ranks, dtype=torch.float64)
    rests = []
    for part in cells:
        _, rest = _left(net, part)
        energy = rest.square().mean((0, 1), keepdim=True) + 1e-6
        weighted = rest / energy.sqrt().sqrt()
        own = slice(3 * part.place, 3 * part.place + 3)
        covariance[:, own, own] += (weighted @ weighted.transpose(1, 2)).double()
        rests.append(rest)
    mixes = torch.zeros(size, ranks, ranks, dtype=torch.float64)
    for first in range(0, ranks, 3):
        own = slice(first, first + 3)
        mixes[:, own, own] = torch.linalg.eigh(covariance[:, own, own])[1].flip(-1)
    net.transform.mixes.copy_(mixes.float())
    magnitude = torch.zeros(size, ranks)
    count = torch.zeros(ranks // 3)
    for part, rest in zip(cells, rests, strict=True):
        own = slice(3 * part.place, 3 * part.place + 3)
        magnitude[:, own] += Weighing(net, part.place).mixed(rest).abs().sum(-1)
        count[part.place] += rest.shape[-1]
    means: npt.NDArray[np.float32] = (magnitude / count.repeat_interleave(3)).numpy()
    return means
