"""Coding the pictures of a region one after the other, each from those that are decoded already.

What is left of a picture depends on how the one before it came out, and that on the level at which
it was quantised. So a level is tried on all pictures in turn, and those that fit are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.bits import Bits
from iiccli.coding.coefficients import Quantised
from iiccli.coding.contexts import UNIT
from iiccli.inference.adaptive.quantising import Floats
from iiccli.inference.adaptive.sharing import InTurn
from iiccli.inference.threads import shared
from iiccli.networks.adaptive.links import Link, followers
from iiccli.networks.adaptive.net import AdaptiveNet
from iiccli.networks.adaptive.sequence import Weighing

Modes = npt.NDArray[np.uint8]
"""(pictures, cells): the mode of each cell of each picture, in the order of the sequence."""

Follow = Callable[[int, Tensor], Tensor]
"""A decoded picture (3, H, W), moved by the field of vectors of that number: likewise."""

_CELLS = 128
"""So many are worked on at once: what belongs to them stays in the processor's cache."""


@dataclass(frozen=True)
class Coded:
    """A region's pictures at a level.

    Attributes:
        level: log2 of the quantiser's step in 1/256.
        modes: see there.
        coefficients: of all pictures.
    """

    level: int
    modes: Modes
    coefficients: InTurn

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """Bits that each block's payload will take, nearly."""
        return self.coefficients.rates()

    def write(self) -> list[Bits]:
        """The payloads of all blocks."""
        return self.coefficients.write()

    def quantised(self) -> Quantised:
        """Coefficients (cell², ranks, cells) in whole steps."""
        return self.coefficients.quantised()


class PictureSequence:
    """The pictures of one region.

    Args:
        net: with modes, on the device where pictures are computed.
        shape: (H, W) of the region in pixels of the pictures.
        sequence: their order.
        cover: what the cover tells of the picture at a place of the sequence, (3, H, W).
        follow: moves what is decoded. The first fields are those of each picture against the
            cover, or what stands for it; then come those against the pictures before.
    """

    def __init__(
        self,
        net: AdaptiveNet,
        shape: tuple[int, int],
        sequence: Sequence[Link],
        cover: Callable[[int], Tensor],
        follow: Follow,
    ) -> None:
        self.links = tuple(sequence)
        self._fields = {place: len(sequence) + i for i, place in enumerate(followers(sequence))}
        self._weighings = [Weighing(net, place) for place in range(len(sequence))]
        self._shape, self._cover, self._follow = shape, cover, follow
        self._covers: dict[int, Tensor] = {}

    def spectra(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """What `code` takes of the pictures (3, H, W), in the order of the sequence."""
        return [w.spectrum(p) for w, p in zip(self._weighings, pictures, strict=True)]

    def code(
        self, wanted: Sequence[Tensor], coefficients: InTurn, modes: Modes | None = None
    ) -> Coded:
        """Code all pictures at the level of `coefficients`.

        Args:
            wanted: their spectra, see `Weighing.spectrum`, in the order of the sequence.
            coefficients: takes what is left of them.
            modes: of all cells; chosen if not given.
        """
        level = coefficients.level
        step = 2.0 ** (level / UNIT)
        chosen = [] if modes is None else list(torch.from_numpy(modes.astype(np.int64)))
        decoded: dict[int, Tensor] = {}
        needed = {place for link in self.links for place in (link.anchor, link.before)}
        for place, own in enumerate(wanted):
            weighing = self._weighings[place]
            cover, before = self.predictions(place, decoded)
            if modes is None:
                chosen.append(_by_cells(partial(weighing.choose, step), own, cover, before))
            mode = chosen[place].to(own.device)
            predicted, rest = _by_cells(partial(_left, weighing), own, cover, before, mode)
            values = coefficients.add(rest.cpu().numpy())
            if place in needed:
                spectrum = predicted.add_(self._rest(weighing, values))
                decoded[place] = self.picture(place, spectrum)
            self._forget(decoded, place)
        return Coded(level, torch.stack(chosen).cpu().numpy().astype(np.uint8), coefficients)

    def decode(
        self, values: Callable[[slice], Floats], modes: Modes
    ) -> Iterator[tuple[int, Tensor]]:
        """Undo `code`: each picture's number and what is decoded of it, (3, H, W).

        Args:
            values: gives the coefficients of some ranks, (cell², ranks, cells).
            modes: see there.
        """
        decoded: dict[int, Tensor] = {}
        for place, (link, weighing) in enumerate(zip(self.links, self._weighings, strict=True)):
            cover, before = self.predictions(place, decoded, keep=False)
            mode = torch.from_numpy(modes[place].astype(np.int64)).to(cover.device)
            own = self._rest(weighing, values(slice(3 * place, 3 * place + 3)))
            spectrum = _by_cells(weighing.predicted, cover, before, mode).add_(own)
            decoded[place] = self.picture(place, spectrum)
            yield link.picture, decoded[place]
            self._forget(decoded, place)

    def _forget(self, decoded: dict[int, Tensor], place: int) -> None:
        """Drop the pictures that none after this place is predicted from."""
        later = self.links[place + 1 :]
        for done in set(decoded) - {p for link in later for p in (link.anchor, link.before)}:
            del decoded[done]

    def picture(self, place: int, spectrum: Tensor) -> Tensor:
        """A picture (3, H, W) from its spectrum."""
        return self._weighings[place].planes(spectrum, *self._shape)

    def predictions(
        self, place: int, decoded: Mapping[int, Tensor], *, keep: bool = True
    ) -> tuple[Tensor, Tensor]:
        """Spectra of what the cover tells, and the picture before: the cover where none is.

        Args:
            place: of the picture in the sequence.
            decoded: those before it by their places, (3, H, W).
            keep: whether what the cover tells will be asked for again.
        """
        weighing, link = self._weighings[place], self.links[place]
        if link.anchor is not None:
            cover = weighing.spectrum(self._follow(place, decoded[link.anchor]))
        elif place in self._covers:
            cover = self._covers[place]
        else:
            cover = weighing.spectrum(self._cover(place))
            if keep:
                self._covers[place] = cover
        if link.before is None:
            return cover, cover
        followed = self._follow(self._fields[place], decoded[link.before])
        return cover, weighing.spectrum(followed)

    def _rest(self, weighing: Weighing, values: Floats) -> Tensor:
        components = torch.from_numpy(np.ascontiguousarray(values))
        return weighing.unmixed(components.to(weighing.device))


def _left(
    weighing: Weighing, wanted: Tensor, cover: Tensor, before: Tensor, modes: Tensor
) -> Tensor:
    """What is predicted, and the components of what is left to code: (2, cell², 3, cells)."""
    predicted = weighing.predicted(cover, before, modes)
    return torch.stack((predicted, weighing.mixed(wanted - predicted)))


def _by_cells(work: Callable[..., Tensor], *arrays: Tensor) -> Tensor:
    """What some work gives for arrays whose last axis are cells, shared out among threads."""
    if arrays[0].device.type != "cpu":
        return work(*arrays)
    pieces = zip(*(torch.split(array, _CELLS, -1) for array in arrays), strict=True)
    return torch.cat(shared(lambda piece: work(*piece), pieces), -1)
