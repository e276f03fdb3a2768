"""Groups of pictures for every conversion, out of photographs, clips, pairs and cut-outs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from iiccli.inference.converter import Pixels
from iiccli.inference.covers import cover_of
from iiccli.networks.adaptive import AdaptiveConfig
from iiccli.training.camera import move_camera
from iiccli.training.data import Footage
from iiccli.training.samples import Sample

_REAL = 0.7
"""Share of real clips among the groups of frames; the others are photographs, filmed."""

_LEAST = 48
"""Smallest side of a sample in pixels."""

_ZOOMS = (2, 2, 4, 2, 4, 8)


@dataclass(frozen=True)
class Wish:
    """What samples are wanted.

    Attributes:
        network: what they are for.
        count: how many, at most.
        side: they are cut to at most so many pixels a side.
        generator: source of all chance.
    """

    network: AdaptiveConfig
    count: int
    side: int
    generator: torch.Generator

    def below(self, number: int) -> int:
        """A whole number from 0 to `number` - 1."""
        return int(torch.randint(max(number, 1), (), generator=self.generator))

    def cut(self, pictures: Sequence[Tensor], multiple: int = 1, scale: int = 1) -> list[Tensor]:
        """The same random rectangle of pictures (3 or 4, H, W) of one size.

        Its sides are multiples of `multiple` and at most `scale` times those of a sample.
        """
        height, width = pictures[0].shape[-2:]
        most = self.side * scale
        tall, wide = (min(most, side) // multiple * multiple for side in (height, width))
        top, left = self.below(height - tall + 1), self.below(width - wide + 1)
        return [p[..., top : top + tall, left : left + wide] for p in pictures]


def samples(task: str, footage: Footage, wish: Wish) -> list[Sample]:
    """Samples for a task out of footage; fewer than wished for where there is little.

    Raises:
        KeyError: no such task.
    """
    maker = _MAKERS[task]
    return list(maker(footage, wish))


def trainable() -> tuple[str, ...]:
    """The tasks that there are samples for."""
    return tuple(_MAKERS)


def _video(footage: Footage, wish: Wish) -> Iterator[Sample]:
    """Windows out of clips, at steps of one to three frames, half of them backwards."""
    count, pictures = wish.count, wish.network.pictures
    clips = [c for c in footage.clips if len(c) >= pictures]
    stills = [s for s in footage.stills if min(s.shape[-2:]) >= 160]
    real = round(count * _REAL) if stills else count
    real = real if clips else 0
    for i in range(real):
        clip = clips[i * len(clips) // real] if real < len(clips) else clips[i % len(clips)]
        longest = (len(clip) - 1) // max(pictures - 1, 1)
        step = 1 + wish.below(min(longest, 3)) if wish.below(10) < 4 else 1
        start = wish.below(len(clip) - (pictures - 1) * step)
        window = clip[start : start + (pictures - 1) * step + 1 : step]
        yield _frames(window.flip(0) if wish.below(2) else window, wish)
    for i in range(count - real if stills else 0):
        still = stills[i * len(stills) // (count - real)]
        yield _frames(move_camera(still, pictures, wish.side, wish.generator), wish)


def _frames(frames: Tensor, wish: Wish) -> Sample:
    middle = len(frames) // 2
    order = [frames[middle], *frames[:middle], *frames[middle + 1 :]]
    return _sample(wish.cut(order, 2))


def _mono(footage: Footage, wish: Wish) -> Iterator[Sample]:
    """Stereo pairs; of clips and filmed photographs, two frames, as more of the kind."""
    pairs = footage.pairs
    for i in range(min(len(pairs), round(wish.count * _REAL))):
        yield _sample(wish.cut(pairs[i], 2))
    rest = wish.count - min(len(pairs), round(wish.count * _REAL))
    yield from _video(footage, Wish(wish.network, rest, wish.side, wish.generator))


def _dual(footage: Footage, wish: Wish) -> Iterator[Sample]:
    """A piece of a photograph made smaller, and its centre as it was."""
    for i, still in enumerate(_some(_photographs(footage), wish.count)):
        zoom = _ZOOMS[i % len(_ZOOMS)]
        (piece,) = wish.cut([still], zoom, zoom)
        whole = _pixels(piece)
        height, width = whole.shape[:2]
        wide = cover_of(whole, zoom)
        h, w = wide.shape[:2]
        if min(h, w) < _LEAST:
            continue
        top, left = (height - h) // 2, (width - w) // 2
        yield Sample((wide, whole[top : top + h, left : left + w].copy()), float(zoom))


def _hide(footage: Footage, wish: Wish) -> Iterator[Sample]:
    """Photographs that have nothing to do with one another."""
    pictures = wish.network.pictures
    stills = _some(_photographs(footage), wish.count * pictures)
    order = torch.randperm(len(stills), generator=wish.generator).tolist()
    for i in range(len(stills) // pictures):
        own = [stills[j] for j in order[i * pictures : (i + 1) * pictures]]
        height, width = (min(p.shape[axis] for p in own) for axis in (-2, -1))
        yield _sample(wish.cut([p[:, :height, :width] for p in own]))


def _layers(footage: Footage, wish: Wish) -> Iterator[Sample]:
    """Cut-outs on photographs."""
    stills = _some(_photographs(footage), wish.count if footage.cutouts else 0)
    for i, still in enumerate(stills):
        cutout = footage.cutouts[i % len(footage.cutouts)]
        sides = still.shape[-2:]
        part = cutout if wish.below(2) else cutout.flip(-1)
        part = _placed(part, (int(sides[0]), int(sides[1])), wish)
        alpha = part[3:].float() / 255
        composite = alpha * part[:3] + (1 - alpha) * still
        composite = composite.round().to(torch.uint8)
        own = wish.cut([composite, still, part[3:].expand(3, -1, -1)])
        if float(own[2].float().mean()) > 1:
            yield _sample(own)


def _placed(cutout: Tensor, size: tuple[int, int], wish: Wish) -> Tensor:
    """A cut-out (4, h, w) somewhere in an empty picture of that size."""
    height, width = (min(a, b) for a, b in zip(cutout.shape[-2:], size, strict=True))
    result = cutout.new_zeros(4, *size)
    top, left = wish.below(size[0] - height + 1), wish.below(size[1] - width + 1)
    above = wish.below(cutout.shape[-2] - height + 1)
    beside = wish.below(cutout.shape[-1] - width + 1)
    part = cutout[:, above : above + height, beside : beside + width]
    result[:, top : top + height, left : left + width] = part
    return result


def _stills(footage: Footage, wish: Wish) -> Iterator[Sample]:
    for still in _some(_photographs(footage), wish.count):
        yield _sample(wish.cut([still], wish.network.scale))


def _photographs(footage: Footage) -> Sequence[Tensor]:
    """The photographs; where there are none, frames.

    Numbered photographs of one size, as cameras leave them, look like the frames of a clip.
    """
    return footage.stills or [frame for clip in footage.clips for frame in clip]


def _some(items: Sequence[Tensor], count: int) -> list[Tensor]:
    """So many, spread evenly over those that are large enough."""
    fitting = [item for item in items if min(item.shape[-2:]) >= _LEAST]
    if len(fitting) <= count:
        return fitting
    return [fitting[i * len(fitting) // count] for i in range(count)]


def _sample(pictures: Sequence[Tensor]) -> Sample:
    return Sample(tuple(_pixels(p) for p in pictures))


def _pixels(picture: Tensor) -> Pixels:
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


_MAKERS: Mapping[str, Callable[[Footage, Wish], Iterator[Sample]]] = {
    "video": _video,
    "mono": _mono,
    "dual": _dual,
    "hide": _hide,
    "layers": _layers,
    "gray": _stills,
    "rescale": _stills,
}
