"""The pictures of a region coded one after the other: those of models with modes.

What each is predicted from comes from here; how they are coded is in `sequence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.layout import Region, Span
from iiccli.coding.runs import Numbers
from iiccli.inference.adaptive.growing import Rounding
from iiccli.inference.adaptive.outlook import Outlook
from iiccli.inference.adaptive.quantising import Floats, dequantise
from iiccli.inference.adaptive.region_message import RegionContent, RegionMessage
from iiccli.inference.adaptive.sequence import Coded, Modes, PictureSequence
from iiccli.inference.adaptive.sharing import InTurn
from iiccli.inference.converter import Mask, Pixels
from iiccli.inference.places import Shown
from iiccli.networks.adaptive.links import followers
from iiccli.networks.transform.motion import compensate

Fields = npt.NDArray[np.int16]
"""(fields, 2, rows, columns) of motion, see `PictureSequence`."""

_ROWS = 64
"""Rows that are moved at once, to share out the work."""

_ALIKE = 256
"""Levels so near one another take the same modes."""


class Consecutive:
    """The way of models with modes.

    Args:
        outlook: from the cover.
    """

    def __init__(self, outlook: Outlook) -> None:
        self.outlook, self.config = outlook, outlook.config

    def write(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
        message: RegionMessage,
        guess: int,
    ) -> tuple[Numbers, Mask, int | None]:
        """A region's message; see `RegionMessage.write_sequence` and `sequence`."""
        sequence, wanted, vectors = self.sequence(pictures, cover, region, zoom)
        return message.write_sequence(self.coding(sequence, wanted, message), vectors, guess)

    def sequence(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
    ) -> tuple[PictureSequence, list[Tensor], Fields | None]:
        """What codes a region's pictures in turn, their spectra, and vectors.

        Args:
            pictures: what is embedded.
            cover: what the carrier will show, (h, w, c) in 0..255.
            region: of the carrier.
            zoom: how much nearer the second picture is.
        """
        config, outlook = self.config, self.outlook
        window, span = outlook.window(cover, region), outlook.span(region)
        base = outlook.base(cover, window, zoom)
        coded = pictures[config.scale == 1 :]
        ordered = [coded[link.picture] for link in config.sequence]
        inside = [outlook.padded(picture, span) for picture in ordered]
        vectors = None
        if config.motion:
            around = [(base, outlook.padded(picture, window)) for picture in ordered]
            inner = outlook.inner(cover, region, config.motion)
            vectors = self._fields(around, inside, inner).cpu()
        sequence = self._following(base, cover, region, vectors)
        wanted = sequence.spectra(inside)
        return sequence, wanted, None if vectors is None else vectors.numpy()

    def following(
        self, carrier: Shown, region: Region, zoom: float, vectors: Fields | None
    ) -> PictureSequence:
        """A region's pictures as a carrier predicts them."""
        base = self.outlook.base(carrier, self.outlook.window(carrier, region), zoom)
        fields = None if vectors is None else torch.from_numpy(vectors)
        return self._following(base, carrier, region, fields)

    def coding(
        self, sequence: PictureSequence, wanted: Sequence[Tensor], message: RegionMessage
    ) -> Callable[[int], Coded]:
        """Codes pictures for a message at a level.

        Modes that were chosen at a level serve for those near it.
        """
        chosen: tuple[int, Modes] | None = None

        def code(level: int) -> Coded:
            nonlocal chosen
            near = chosen is not None and abs(level - chosen[0]) <= _ALIKE
            coefficients = InTurn(message.coder, self.rounding(level, message))
            coded = sequence.code(wanted, coefficients, chosen[1] if chosen and near else None)
            if not near:
                chosen = level, coded.modes
            return coded

        return code

    def rounding(self, level: int, message: RegionMessage) -> Rounding:
        """How coefficients are rounded for a message at a level."""
        assert message.thresholds is not None  # a converter's messages have them
        return Rounding(level, message.thresholds, self._centres)

    def decode(
        self, carrier: Pixels, region: Region, content: RegionContent, zoom: float
    ) -> Iterator[tuple[Span, slice, Tensor]]:
        """Planes of a region: where, which of them, and their values around 0..1."""
        assert content.modes is not None
        outlook = self.outlook
        span, window = outlook.span(region), outlook.window(carrier, region)
        base = outlook.base(carrier, window, zoom)
        cover = outlook.shown(carrier, region, base)
        yield span, slice(len(cover)), cover
        fields = None if content.vectors is None else torch.from_numpy(content.vectors)
        sequence = self._following(base, carrier, region, fields)
        whole, classes, centres = content.quantised, content.classes, self._centres

        def values(ranks: slice) -> Floats:
            return dequantise(whole[:, ranks], classes[:, ranks], content.levels, centres)

        for number, picture in sequence.decode(values, content.modes):
            first = len(cover) + 3 * number
            yield span, slice(first, first + 3), picture

    @property
    def _centres(self) -> Floats:
        centres: Floats = self.outlook.net.centres.cpu().numpy()
        return centres

    def _fields(
        self,
        around: Sequence[tuple[Tensor, Tensor]],
        inside: Sequence[Tensor],
        inner: tuple[slice, slice],
    ) -> Tensor:
        """Vectors of pictures in sequence, see `PictureSequence`.

        Args:
            around: of each picture what the cover tells and itself, with the region's surroundings.
            inside: each picture in the region.
            inner: where the region's vectors are among those of its surroundings.
        """
        sequence, outlook = self.config.sequence, self.outlook

        def against_cover(place: int) -> Tensor:
            base, own = around[place]
            anchor = sequence[place].anchor
            if anchor is not None:
                return outlook.net.estimate(inside[anchor], inside[place][None])
            return outlook.net.estimate(base, own[None])[(..., *inner)]

        def against_before(place: int) -> Tensor:
            before = sequence[place].before
            assert before is not None
            return outlook.net.estimate(inside[before], inside[place][None])

        found = outlook.each(against_cover, range(len(sequence)))
        return torch.cat(found + outlook.each(against_before, followers(sequence)))

    def _following(
        self, base: Tensor, carrier: Shown, region: Region, vectors: Tensor | None
    ) -> PictureSequence:
        outlook, grid = self.outlook, self.config.motion
        span, inner = outlook.span(region), outlook.inner(carrier, region)

        def told(place: int) -> Tensor:
            if vectors is None:
                return outlook.predicted(base, inner, None)[3 * place : 3 * place + 3]
            return outlook.predicted(base, inner, vectors[place : place + 1])

        def follow(field: int, decoded: Tensor) -> Tensor:
            if vectors is None:
                return decoded
            image, own = decoded[None], vectors[field].to(outlook.device)[None]

            def moved(rows: tuple[int, int]) -> Tensor:
                return compensate(image, own, grid, rows)[0]

            height = decoded.shape[-2]
            tops = range(0, height, _ROWS)
            return torch.cat(outlook.each(moved, ((y, min(height, y + _ROWS)) for y in tops)), 1)

        return PictureSequence(outlook.net, span.shape, self.config.sequence, told, follow)
