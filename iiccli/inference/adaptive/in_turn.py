"""The pictures of a region coded one after the other: those of models with modes.

What each is predicted from comes from here; how they are coded is in `sequence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.coding.layout import Region, Span
from iiccli.coding.runs import Numbers
from iiccli.inference.adaptive.fields import FieldSearch, Reference, Task
from iiccli.inference.adaptive.growing import Rounding
from iiccli.inference.adaptive.outlook import Outlook
from iiccli.inference.adaptive.quantising import Floats, dequantise
from iiccli.inference.adaptive.region_message import RegionContent, RegionMessage
from iiccli.inference.adaptive.sequence import Coded, Modes, PictureSequence
from iiccli.inference.adaptive.sharing import InTurn
from iiccli.inference.converter import Mask, Pixels
from iiccli.inference.places import Shown
from iiccli.networks.transform.motion import compensate
from iiccli.room import give_back

Fields = npt.NDArray[np.int16]
"""(fields, 2, rows, columns) of motion, see `PictureSequence`."""

_ROWS = 64
"""Rows that are moved at once, to share out the work."""

_ALIKE = 256
"""Levels so near one another take the same modes."""


@dataclass(frozen=True)
class Prepared:
    """A region's pictures, ready to be coded.

    Attributes:
        sequence: codes them.
        wanted: their spectra, in the order of the sequence.
        vectors: of motion, or None.
        level: about the one that they will come to, or None.
    """

    sequence: PictureSequence
    wanted: list[Tensor]
    vectors: Fields | None
    level: int | None


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
        guess: int | None,
        usual: int,
    ) -> tuple[Numbers, Mask, int | None]:
        """A region's message; see `RegionMessage.write_sequence` and `prepare`.

        Where no level is guessed, and nothing tells another, the usual one comes first.
        """
        ready = self.prepare(pictures, cover, region, zoom, message.stream.room)
        start = next(level for level in (guess, ready.level, usual) if level is not None)
        code = self.coding(ready.sequence, ready.wanted, message)
        return message.write_sequence(code, ready.vectors, start)

    def prepare(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
        room: float,
    ) -> Prepared:
        """Get a region's pictures ready to be coded.

        Args:
            pictures: what is embedded.
            cover: what the carrier will show, (h, w, c) in 0..255.
            region: of the carrier.
            zoom: how much nearer the second picture is.
            room: bits for the region's message.
        """
        config, outlook = self.config, self.outlook
        base = outlook.base(cover, outlook.window(cover, region), zoom)
        coded = pictures[config.scale == 1 :]
        ordered = [coded[link.picture] for link in config.sequence]
        inside = [outlook.padded(picture, outlook.span(region)) for picture in ordered]
        vectors, level = None, None
        if config.motion:
            vectors, level = self._fields(cover, region, base, ordered, inside, room)
        sequence = self._following(base, cover, region, vectors)
        return Prepared(sequence, sequence.spectra(inside), vectors, level)

    def following(
        self, carrier: Shown, region: Region, zoom: float, vectors: Fields | None
    ) -> PictureSequence:
        """A region's pictures as a carrier predicts them."""
        base = self.outlook.base(carrier, self.outlook.window(carrier, region), zoom)
        return self._following(base, carrier, region, vectors)

    def coding(
        self, sequence: PictureSequence, wanted: Sequence[Tensor], message: RegionMessage
    ) -> Callable[[int], Coded]:
        """Codes pictures for a message at a level.

        Modes that were chosen at a level serve for those near it.
        """
        chosen: tuple[int, Modes] | None = None

        def code(level: int) -> Coded:
            nonlocal chosen
            give_back()  # what the level before took
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
        return Rounding(level, message.thresholds, self.outlook.centres)

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
        sequence = self._following(base, carrier, region, content.vectors)
        whole, classes, centres = content.quantised, content.classes, outlook.centres

        def values(ranks: slice) -> Floats:
            return dequantise(whole[:, ranks], classes[:, ranks], content.levels, centres)

        for number, picture in sequence.decode(values, content.modes):
            first = len(cover) + 3 * number
            yield span, slice(first, first + 3), picture

    def _fields(
        self,
        cover: Shown,
        region: Region,
        base: Tensor,
        ordered: Sequence[Pixels],
        inside: Sequence[Tensor],
        room: float,
    ) -> tuple[Fields, int]:
        """Vectors of pictures in sequence, see `PictureSequence`; and about the level to come.

        Args:
            cover: see `prepare`.
            region: likewise.
            base: what the cover tells in the region's window.
            ordered: the pictures in the order of the sequence.
            inside: each of them in the region.
            room: see `prepare`.
        """
        outlook, window = self.outlook, self.outlook.window(cover, region)
        height, width = outlook.span(region).shape
        everywhere = slice(0, height), slice(0, width)
        carried = Reference(base, outlook.inner(cover, region))
        own = [Reference(picture, everywhere) for picture in inside]
        tasks = []
        for place, link in enumerate(self.config.sequence):
            first, around = carried, inside[place]
            if link.anchor is None:
                around = outlook.padded(ordered[place], window)
            else:
                first = own[link.anchor]
            before = None if link.before is None else own[link.before]
            tasks.append(Task(inside[place], first, around, before))
        found, level = FieldSearch(outlook, region).find(tasks, room)
        return np.stack([f[0] for f in found] + [f[1] for f in found if len(f) > 1]), level

    def _following(
        self, base: Tensor, carrier: Shown, region: Region, fields: Fields | None
    ) -> PictureSequence:
        vectors = None if fields is None else torch.from_numpy(fields)
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
