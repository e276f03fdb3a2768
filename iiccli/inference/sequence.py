"""Coding the pictures of a region one after the other, each from those that are decoded already.

What is left of a picture depends on how the one before it came out, and that on the level at which
it was quantised. So a level is tried on all pictures in turn, and those that fit are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.coefficients import LARGEST, CoefficientCoder, Quantised
from iiccli.coding.contexts import UNIT
from iiccli.inference.quantising import Floats, dequantise
from iiccli.networks.adaptive.net import AdaptiveNet
from iiccli.networks.adaptive.sequence import Link, Weighing, links

Modes = npt.NDArray[np.uint8]
"""(pictures, cells): the mode of each cell of each picture, in the order of the sequence."""

Follow = Callable[[int, Tensor], Tensor]
"""What a decoded picture (3, H, W) tells of the one at a place of the sequence: likewise."""


@dataclass(frozen=True)
class Coded:
    """A region's pictures at a level.

    Attributes:
        level: log2 of the quantiser's step in 1/256.
        quantised: (cell², ranks, cells) int32 in the order of coding.
        sizes: shaped alike, absolute values in steps before they were rounded.
        modes: see there.
    """

    level: int
    quantised: Quantised
    sizes: Floats
    modes: Modes




class PictureSequence:
    """The pictures of one region.

    Args:
        net: with modes, on the device where pictures are computed.
        shape: (H, W) of the region in pixels of the pictures.
        covers: what the cover tells of each picture, (3, H, W), in the order of the sequence.
        follow: moves what is decoded.
    """

    def __init__(
        self,
        net: AdaptiveNet,
        shape: tuple[int, int],
        covers: Sequence[Tensor],
        follow: Follow,
    ) -> None:
        self.links = links(len(covers))
        self._weighings = [Weighing(net, place) for place in range(len(covers))]
        self._shape, self._follow = shape, follow
        self._covers = [w.spectrum(c) for w, c in zip(self._weighings, covers, strict=True)]

    def spectra(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """What `code` takes of the pictures (3, H, W), in the order of the sequence."""
        return [w.spectrum(p) for w, p in zip(self._weighings, pictures, strict=True)]

    def code(
        self,
        wanted: Sequence[Tensor],
        coder: CoefficientCoder,
        level: int,
        thresholds: Floats,
        centres: Floats,
    ) -> Coded:
        """Code all pictures at a level.

        Args:
            wanted: their spectra, see `Weighing.spectrum`, in the order of the sequence.
            coder: of the region.
            level: log2 of the step in 1/256.
            thresholds: see `coding.rounding`.
            centres: see `dequantise`.
        """
        step = 2.0 ** (level / UNIT)
        shape = (len(wanted[0]), 3 * len(wanted), wanted[0].shape[-1])
        quantised, sizes = np.empty(shape, np.int32), np.empty(shape, np.float32)
        modes = np.zeros((len(wanted), shape[-1]), np.uint8)
        decoded: list[Tensor] = []
        for place, (own, weighing) in enumerate(zip(wanted, self._weighings, strict=True)):
            cover, before = self.predictions(place, decoded)
            mode = weighing.choose(own, cover, before, step)
            predicted = weighing.predicted(cover, before, mode)
            rest = weighing.mixed(own - predicted)
            ordered = coder.ordered(rest.cpu().numpy() / np.float32(step))
            ranks = slice(3 * place, 3 * place + 3)
            np.minimum(np.abs(ordered), np.float32(LARGEST - 1), out=sizes[:, ranks])
            known = np.abs(quantised[:, : ranks.start])
            magnitudes, classes = _rounded(coder, known, sizes[:, ranks], level, thresholds)
            np.negative(magnitudes, out=magnitudes, where=ordered < 0)
            quantised[:, ranks] = magnitudes
            modes[place] = mode.cpu().numpy()
            if any(link.before == place for link in self.links):
                values = dequantise(magnitudes, classes, np.int64(level), centres)
                spectrum = predicted + self._rest(weighing, coder.as_given(values))
                decoded.append(self.picture(place, spectrum))
            else:
                decoded.append(own.new_zeros(0))
        return Coded(level, quantised, sizes, modes)

    def decode(self, values: Floats, modes: Modes) -> Tensor:
        """Undo `code`.

        Args:
            values: (cell², ranks, cells) coefficients, in the order that was given.
            modes: see there.

        Returns:
            (ranks, H, W), the pictures in their own order.
        """
        decoded: list[Tensor] = []
        for place, weighing in enumerate(self._weighings):
            cover, before = self.predictions(place, decoded)
            mode = torch.from_numpy(modes[place].astype(np.int64)).to(cover.device)
            own = self._rest(weighing, values[:, 3 * place : 3 * place + 3])
            spectrum = weighing.predicted(cover, before, mode).add_(own)
            decoded.append(self.picture(place, spectrum))
        return torch.cat([decoded[place] for place in places(self.links)])

    def picture(self, place: int, spectrum: Tensor) -> Tensor:
        """A picture (3, H, W) from its spectrum."""
        return self._weighings[place].planes(spectrum, *self._shape)

    def predictions(self, place: int, decoded: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Spectra of what the cover tells, and the picture before: the cover where none is.

        Args:
            place: of the picture in the sequence.
            decoded: those before it, (3, H, W).
        """
        cover, before = self._covers[place], self.links[place].before
        if before is None:
            return cover, cover
        return cover, self._weighings[place].spectrum(self._follow(place, decoded[before]))

    def _rest(self, weighing: Weighing, values: Floats) -> Tensor:
        components = torch.from_numpy(np.ascontiguousarray(values)).to(self._covers[0].device)
        return weighing.unmixed(components)


def places(sequence: Sequence[Link]) -> list[int]:
    """The place in a sequence of each picture."""
    return sorted(range(len(sequence)), key=lambda place: sequence[place].picture)


def _rounded(
    coder: CoefficientCoder, known: Quantised, sizes: Floats, level: int, thresholds: Floats
) -> tuple[Quantised, npt.NDArray[np.uint8]]:
    """Magnitudes and classes of the ranks that follow those known, all in the order of coding."""
    if not known.shape[1]:
        own = CoefficientCoder(coder.tables.part(slice(sizes.shape[1])), coder.grid, coder.blocks)
        magnitudes, _ = own.rounded(sizes, level, thresholds)
        return magnitudes, own.classes_of(magnitudes, level)
    own = coder.after(known, sizes.shape[1])
    both = np.concatenate((known[:, -1:].astype(np.float32), sizes), 1)
    magnitudes, _ = own.rounded(both, level, thresholds)
    return magnitudes[:, 1:], own.classes_of(magnitudes, level)[:, 1:]
