"""Running the adaptive network: region by region, then the enhancer tile by tile."""

from __future__ import annotations

import copy
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from iiccli.coding.coefficients import Tables
from iiccli.coding.contexts import UNIT
from iiccli.coding.layout import Region, Span, regions
from iiccli.coding.rans import Frequencies
from iiccli.coding.rounding import thresholds
from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.decoded import Decoded
from iiccli.inference.growing import Rounding
from iiccli.inference.places import (
    OnAverage,
    Shown,
    in_pixels,
    margins,
    padded,
    put_digits,
    shifted,
    surroundings,
    take_digits,
)
from iiccli.inference.precision import enhancing
from iiccli.inference.quantising import dequantise
from iiccli.inference.region_message import RegionContent, RegionMessage
from iiccli.inference.sequence import Coded, Modes, PictureSequence
from iiccli.inference.sharing import InTurn
from iiccli.inference.threads import in_pieces, shared
from iiccli.inference.tiles import Tile, tiles
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.links import followers
from iiccli.networks.adaptive.planes import as_pictures, coded_planes
from iiccli.networks.transform.motion import compensate
from iiccli.room import copied, room
from iiccli.zoo.modelfile import Card

Item = TypeVar("Item")
Scalar = TypeVar("Scalar", bound=np.generic)

FIXED = 8192
"""Decoded planes are kept as int16, in so many parts of the full range."""


_ROWS = 64
"""Rows that are moved at once, to share out the work."""
_STRIP = 4
"""Rows of cells that are transformed at once."""
_ALIKE = 256
"""Levels so near one another take the same modes."""

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
        self.centres = net.centres.cpu().numpy()
        self.remote = net if device.type == "cpu" else copy.deepcopy(net).to(device)
        self.remote.enhancer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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
            with in_pieces():
                if self.config.modes:
                    sequence, wanted, vectors = self.sequence(pictures, shown, region, zoom)
                    code = self.coding(sequence, wanted, message)
                    start = int(self.net.starts[quality]) if guess is None else guess
                    numbers, used, guess = message.write_sequence(code, vectors, start)
                else:
                    z, vectors = self.analyse(pictures, shown, region, zoom)
                    numbers, used, guess = message.write(z, vectors, guess)
            carrier[rows, columns] = put_digits(
                cover[rows, columns],
                numbers,
                used if pad is None else free[rows, columns],
                self.config.moduli[quality],
                None if pad is None else pad[rows, columns],
                scattered=self.config.prediction == "none",
            )
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
        rows, columns = (side * self.config.cell for side in self._cells(carrier))
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
                self._enhance(decoded, tile, pictures)
                progress(0.7 * done / area + 0.3 * tile.inner[0] / rows)
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
        return self._padded(picture, Span(0, size[0] // scale, 0, size[1] // scale))

    def analyse(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int16] | None]:
        """Coefficients (cell², ranks, cells) and vectors of one region.

        Args:
            pictures: what is embedded.
            cover: what the carrier will show, (h, w, c) in 0..255.
            region: of the carrier.
            zoom: how much nearer the second picture is.
        """
        config, remote = self.config, self.remote
        window, span = self._window(cover, region), self._span(region)
        base = self._base(cover, window, zoom)
        inner = shifted(span, window, 1)
        vectors = None
        if config.motion:
            place = (..., *shifted(span, window, config.motion))

            def moved(picture: Pixels) -> Tensor:
                return remote.estimate(base, self._padded(picture, window)[None])[place]

            vectors = torch.cat(self._each(moved, pictures[config.scale == 1 :]))
        predicted = self._predict(base, inner, vectors)
        shape = (config.cell**2, config.ranks, math.prod(region.cells.shape))
        ordered = np.empty(shape, np.float32)
        for strip, cells in _strips(region, config.cell):
            planes = coded_planes(config, [self._padded(picture, strip) for picture in pictures])
            z = remote.transform(planes - predicted[(..., *shifted(strip, span, 1))])
            ordered[..., cells] = z.view(len(z), -1, config.ranks).permute(1, 2, 0).cpu().numpy()
        return ordered, None if vectors is None else vectors.cpu().numpy()

    def sequence(
        self,
        pictures: Sequence[Pixels],
        cover: Shown,
        region: Region,
        zoom: float,
    ) -> tuple[PictureSequence, list[Tensor], npt.NDArray[np.int16] | None]:
        """What codes a region's pictures in turn, their spectra, and vectors; as `analyse`."""
        config = self.config
        window, span = self._window(cover, region), self._span(region)
        base = self._base(cover, window, zoom)
        coded = pictures[config.scale == 1 :]
        ordered = [coded[link.picture] for link in config.sequence]
        inside = [self._padded(picture, span) for picture in ordered]
        vectors = None
        if config.motion:
            around = [(base, self._padded(picture, window)) for picture in ordered]
            vectors = self._fields(around, inside, shifted(span, window, config.motion))
        sequence = self._sequence(base, region, window, vectors)
        wanted = sequence.spectra(inside)
        return sequence, wanted, None if vectors is None else vectors.cpu().numpy()

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
        sequence = self.config.sequence

        def against_cover(place: int) -> Tensor:
            base, own = around[place]
            anchor = sequence[place].anchor
            if anchor is not None:
                return self.remote.estimate(inside[anchor], inside[place][None])
            return self.remote.estimate(base, own[None])[(..., *inner)]

        def against_before(place: int) -> Tensor:
            before = sequence[place].before
            assert before is not None
            return self.remote.estimate(inside[before], inside[place][None])

        found = self._each(against_cover, range(len(sequence)))
        return torch.cat(found + self._each(against_before, followers(sequence)))

    def followed(
        self, carrier: Shown, region: Region, zoom: float, vectors: npt.NDArray[np.int16] | None
    ) -> PictureSequence:
        """A region's pictures as a carrier predicts them."""
        window = self._window(carrier, region)
        fields = None if vectors is None else torch.from_numpy(vectors).to(self.device)
        return self._sequence(self._base(carrier, window, zoom), region, window, fields)

    def _sequence(
        self, base: Tensor, region: Region, window: Span, vectors: Tensor | None
    ) -> PictureSequence:
        span, config = self._span(region), self.config
        inner = shifted(span, window, 1)

        def told(place: int) -> Tensor:
            if vectors is None:
                return self._predict(base, inner, None)[3 * place : 3 * place + 3]
            return self._predict(base, inner, vectors[place : place + 1])

        def follow(field: int, decoded: Tensor) -> Tensor:
            if vectors is None:
                return decoded
            image, own = decoded[None], vectors[field].to(self.device)[None]

            def moved(rows: tuple[int, int]) -> Tensor:
                return compensate(image, own, config.motion, rows)[0]

            height = decoded.shape[-2]
            tops = range(0, height, _ROWS)
            return torch.cat(self._each(moved, ((y, min(height, y + _ROWS)) for y in tops)), 1)

        return PictureSequence(self.remote, span.shape, config.sequence, told, follow)

    def coding(
        self, sequence: PictureSequence, wanted: Sequence[Tensor], message: RegionMessage
    ) -> Callable[[int], Coded]:
        """Codes pictures for a message at a level.

        Modes that were chosen at a level serve for those near it.
        """
        rounding = self.rounding(0)
        chosen: tuple[int, Modes] | None = None

        def code(level: int) -> Coded:
            nonlocal chosen
            near = chosen is not None and abs(level - chosen[0]) <= _ALIKE
            coefficients = InTurn(message.coder, replace(rounding, level=level))
            coded = sequence.code(wanted, coefficients, chosen[1] if chosen and near else None)
            if not near:
                chosen = level, coded.modes
            return coded

        return code

    def rounding(self, level: int) -> Rounding:
        """How the coefficients of pictures in sequence are rounded at a level."""
        return Rounding(level, self._thresholds(), self.centres)

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
        config, remote = self.config, self.remote
        window, span = self._window(carrier, region), self._span(region)
        vectors = None
        if content.vectors is not None:
            vectors = torch.from_numpy(content.vectors).to(self.device)
        base = self._base(carrier, window, zoom)
        inner = shifted(span, window, 1)
        cover = base[(..., *inner)] if config.prediction != "zoom" else self._base(carrier, span)
        if config.modes:
            assert content.modes is not None
            held, first = decoded.planes.part(span), len(cover)
            held[:first] = _fixed(cover)
            sequence = self._sequence(base, region, window, vectors)
            for number, picture in sequence.decode(self._values(content), content.modes):
                held[first + 3 * number : first + 3 * number + 3] = _fixed(picture)
        else:
            predicted = self._predict(base, inner, vectors)
            for strip, cells in _strips(region, config.cell):
                place = (..., *shifted(strip, span, 1))
                error = remote.transform.inverse(self._decoded(content, cells), *strip.shape)
                both = torch.cat((cover[place], error.add_(predicted[place])))
                decoded.planes.part(strip)[:] = _fixed(both)
        magnitudes = torch.from_numpy(np.abs(content.quantised)).to(self.device)
        levels = torch.from_numpy(content.levels / UNIT).float().to(self.device)
        side = decoded.side.part(region.cells)
        side[:] = self._side(magnitudes, levels, quality).view(side.shape).cpu().numpy()

    def _values(self, content: RegionContent) -> Callable[[slice], npt.NDArray[np.float32]]:
        """Gives the coefficients of some ranks, (cell², ranks, cells)."""
        whole, classes = content.quantised, content.classes
        return lambda ranks: dequantise(
            whole[:, ranks], classes[:, ranks], content.levels, self.centres
        )

    def _decoded(self, content: RegionContent, cells: slice) -> Tensor:
        """Coefficients of some cells, (cells, cell² · ranks)."""
        quantised, classes = content.quantised[..., cells], content.classes[..., cells]
        z = dequantise(quantised, classes, content.levels[cells], self.centres).transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(z).reshape(len(z), -1)).to(self.device)

    def room_for(self, carrier: Pixels) -> Decoded:
        """Room for what is decoded of a carrier; of no rows yet."""
        config = self.config
        planes = self.net.enhancer.head.in_channels - 4 * (config.channels if config.joint else 3)
        pictures = 1 if config.joint else config.pictures
        return Decoded(config.channels, (pictures, planes), self._cells(carrier), config.cell)

    def _side(self, magnitudes: Tensor, levels: Tensor, quality: int) -> Tensor:
        """The enhancer's side planes of a region, (pictures or 1, P, cells)."""
        net, config = self.remote, self.config
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

    def _enhance(self, decoded: Decoded, tile: Tile, pictures: Sequence[Pixels]) -> None:
        """Enhance one tile into the pictures, as far as it lies in them."""
        planes = torch.from_numpy(decoded.planes.part(Span(*tile.outer))).to(self.device)
        x = (planes.float() / FIXED).contiguous()
        side = torch.from_numpy(spread(decoded, tile, self.config.joint)).to(self.device)
        with enhancing(self.device):
            y = self.remote.enhance(x, side).float()
        for picture, own in zip(pictures, as_pictures(self.config, y), strict=True):
            place = picture[tile.target]
            pixels = (own[(slice(None), *tile.kept)] * 255).round().clamp(0, 255)
            whole = pixels.to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            place[:] = whole[: place.shape[0], : place.shape[1]]

    def message(self, region: Region, free: Mask, quality: int) -> RegionMessage:
        """What codes one region, given which of its samples (h, w, c) are free."""
        config = self.config
        motion = (config.cell // config.motion, config.fields) if config.motion else (0, 0)
        modes = (config.modes, config.ranks // 3) if config.modes else (0, 0)
        return RegionMessage(
            self.tables, region, free, config.moduli[quality], motion, self._thresholds(), modes
        )

    def _thresholds(self) -> npt.NDArray[np.float32]:
        """Where to round; made anew, as calibration changes the tables."""
        return thresholds(self.tables, self.centres)

    def regions(self, carrier: Pixels) -> list[Region]:
        """Cut a carrier, (h, w, c), into regions."""
        height, width = carrier.shape[:2]
        return list(regions(height, width, self.config.cell // self.scale, self.scale))

    def _cells(self, carrier: Shown) -> tuple[int, int]:
        unit = self.config.cell // self.scale
        return -(-carrier.shape[0] // unit), -(-carrier.shape[1] // unit)

    def _span(self, region: Region) -> Span:
        return in_pixels(region.cells, self.config.cell)

    def _window(self, carrier: Shown, region: Region) -> Span:
        """The region and its surroundings, in pixels of the padded pictures."""
        height, width = (n * self.config.cell for n in self._cells(carrier))
        return surroundings(self._span(region), height, width)

    def _base(self, cover: Shown, span: Span, zoom: float = 1.0) -> Tensor:
        """What the cover shows over a rectangle of the pictures, (c, h, w) in 0..1."""
        scale = self.scale
        if self.config.prediction == "zoom" and zoom != 1.0:
            return magnified(cover, span, zoom).to(self.device)
        small = Span(*(side // scale for side in (span.top, span.bottom, span.left, span.right)))
        return self.remote.base(self._padded(cover, small))

    def _predict(self, base: Tensor, inner: tuple[slice, slice], vectors: Tensor | None) -> Tensor:
        """The coded planes over one region as the cover shows them, (ranks, h, w).

        Sees only the region's own vectors and what is around it within `CONTEXT` pixels, so that
        both directions compute the same.
        """
        if vectors is None:
            return self.remote.predict(base[(..., *inner)], None)
        around = margins(inner, base.shape, self.config.motion)
        vectors = F.pad(vectors.to(self.device).float(), around, mode="replicate")

        def predicted(own: Tensor) -> Tensor:
            return self.remote.predict(base, own[None])[(..., *inner)]

        return torch.cat(self._each(predicted, vectors))

    def _each(self, work: Callable[[Item], Tensor], items: Iterable[Item]) -> list[Tensor]:
        """What some work gives for each item; a graphics card does one after the other."""
        return shared(work, items) if self.device.type == "cpu" else [work(item) for item in items]

    def _padded(self, picture: Shown, span: Span) -> Tensor:
        return padded(picture, span).to(self.device)


def _fixed(planes: Tensor) -> npt.NDArray[np.int16]:
    """Planes as they are kept."""
    whole = (planes * FIXED).round_().clamp_(-(2**15), 2**15 - 1)
    kept: npt.NDArray[np.int16] = whole.to(torch.int16).cpu().numpy()
    return kept


def _strips(region: Region, cell: int) -> Iterator[tuple[Span, slice]]:
    """A region in strips, to keep small what is computed from one: in pixels, and its cells."""
    top, left = region.cells.top, region.cells.left
    rows, columns = region.cells.shape
    for first in range(0, rows, _STRIP):
        last = min(rows, first + _STRIP)
        strip = Span(top + first, top + last, left, left + columns)
        yield in_pixels(strip, cell), slice(first * columns, last * columns)


def magnified(cover: Shown, span: Span, zoom: float) -> Tensor:
    """A rectangle of the cover's centre magnified `zoom` times, (c, h, w) in 0..1, bicubic."""
    places = []
    for start, stop, side in zip(
        (span.top, span.left), (span.bottom, span.right), cover.shape[:2], strict=True
    ):
        at = (torch.arange(start, stop, dtype=torch.float64) + 0.5 - side / 2) / zoom + side / 2
        places.append(at.clamp(0, side))
    ys, xs = places
    top, left = max(0, int(ys[0]) - 3), max(0, int(xs[0]) - 3)
    part = cover[top : int(ys[-1]) + 4, left : int(xs[-1]) + 4]
    source = torch.from_numpy(part.transpose(2, 0, 1).copy()).float()[None] / 255
    height, width = part.shape[:2]
    y = ((ys - top) * (2 / height) - 1).float()
    x = ((xs - left) * (2 / width) - 1).float()
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]
    return F.grid_sample(source, grid, "bicubic", padding_mode="border", align_corners=False)[0]


def spread(decoded: Decoded, tile: Tile, joint: bool) -> npt.NDArray[np.float32]:
    """Side planes over a tile at half size, as `AdaptiveNet.enhance` takes them."""
    top, bottom, left, right = tile.outer
    rows = np.arange(top, bottom, 2) // decoded.cell
    columns = np.arange(left, right, 2) // decoded.cell
    cells = Span(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    part = decoded.side.part(cells)
    planes = part[:, :, rows - cells.top][..., columns - cells.left]
    return planes[0] if joint else planes


def _bands(places: Sequence[Region]) -> Iterator[list[Region]]:
    """Regions row by row."""
    for _, band in itertools.groupby(places, key=lambda region: region.pixels.top):
        yield list(band)


def _deep(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """The same with an axis of channels."""
    return array if array.ndim == 3 else array[..., None]
