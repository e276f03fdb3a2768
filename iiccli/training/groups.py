"""Groups of pictures for every conversion, without end, out of footage."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iiccli.errors import TrainingError
from iiccli.inference.covers import resized, smaller
from iiccli.tasks.layer_pictures import ALPHA, BACKGROUND, COMPOSITE, PREMULTIPLIED
from iiccli.training.camera import move_camera
from iiccli.training.chance import Chance
from iiccli.training.footage import Footage, View

_FILMED = 3
"""Of ten groups of frames so many are photographs, filmed, where there are real clips too."""

_LEAST = 48
"""Smallest side of a group in pixels, where it need not be exact."""

_FILM_LEAST = 160
"""Smallest side of a photograph that can be filmed."""

_ZOOMS = (2, 2, 4, 2, 4, 8)


@dataclass(frozen=True)
class Wish:
    """What groups are wanted.

    Attributes:
        task: the conversion.
        pictures: how many are embedded together.
        side: of the pictures, in pixels.
        exact: every group has that size; otherwise smaller ones are taken as they are.
        scale: sides are multiples of it.
        resize: whole pictures are scaled to the side instead of cut to it.
        centred: cuts are in the middle, where near and wide views belong together.
        roles: of layers, which pictures they are; see `tasks.layer_pictures`.
        seed: of all chance.
    """

    task: str
    pictures: int
    side: int
    exact: bool = True
    scale: int = 1
    resize: bool = False
    centred: bool = False
    roles: tuple[str, ...] = (COMPOSITE, BACKGROUND, ALPHA)
    seed: int = 0

    @property
    def least(self) -> int:
        """Smallest side of a picture that serves."""
        if self.resize:
            return 16
        return self.side if self.exact else min(_LEAST, self.side)


@dataclass(frozen=True)
class Group:
    """Pictures to be embedded together.

    Attributes:
        pictures: (3, H, W) uint8 each, of one size, the reference first.
        zoom: how much nearer the second is, of two views.
    """

    pictures: tuple[Tensor, ...]
    zoom: float = 1.0


class Groups:
    """Groups by number, the same for the same seed.

    Attributes:
        footage: where they come from.
        wish: what they are like.
        distinct: how many groups show different things, where that has an end.
    """

    def __init__(self, footage: Footage, wish: Wish) -> None:
        """Look for what serves.

        Raises:
            KeyError: no such task.
            TrainingError: nothing serves.
        """
        self.footage = footage
        self.wish = wish
        self.distinct: int | None = None
        self._draw = _MAKERS[wish.task](self)
        if self._draw is None:
            side = wish.least * (1 if wish.task != "dual" else 2)
            raise TrainingError(
                f"Nothing of {footage.index.count or 'what was found'} serves to train "
                f"{wish.task}.",
                "Give --data a folder with pictures of the right kind, of at least "
                f"{side} pixels a side.",
            )

    def draw(self, number: int) -> Group:
        """The group with a number from 0 on."""
        assert self._draw is not None
        return self._draw(Chance(self.wish.seed, number))

    def cut(
        self, pictures: Sequence[Tensor], chance: Chance, *, multiple: int = 1, scale: int = 1
    ) -> list[Tensor]:
        """The same rectangle of pictures of one size, with sides `scale` times those wished for.

        Its sides are multiples of `multiple`, and of the scale that is wished for.
        """
        if self.wish.resize:
            side = self.wish.side * scale
            return [resized(p, (side, side)) for p in pictures]
        multiple = math.lcm(multiple, self.wish.scale)
        height, width = (int(side) for side in pictures[0].shape[-2:])
        most = self.wish.side * scale
        tall, wide = (min(most, side) // multiple * multiple for side in (height, width))
        top, left = chance.below(height - tall + 1), chance.below(width - wide + 1)
        if self.wish.centred:
            top, left = (height - tall) // 2, (width - wide) // 2
        return [p[..., top : top + tall, left : left + wide] for p in pictures]

    def stills(self, least: int | None = None) -> list[int]:
        """Photographs that are large enough; where there are none, frames.

        Numbered photographs of one size, as cameras leave them, look like the frames of a clip.
        """
        index, shelf = self.footage.index, self.footage.shelf
        numbers = index.stills or [n for clip in index.clips for n in clip]
        return [n for n in numbers if shelf.side(n) >= (least or self.wish.least)]

    def picture(self, number: int) -> Tensor:
        """A picture without its transparency, (3, H, W)."""
        return self.footage.shelf[number][:3]


Draw = Callable[[Chance], Group]


def trainable() -> tuple[str, ...]:
    """The tasks that there are groups for."""
    return tuple(_MAKERS)


def _video(groups: Groups) -> Draw | None:
    """Windows out of clips, half of them backwards; some photographs, filmed."""
    wish, index, shelf = groups.wish, groups.footage.index, groups.footage.shelf
    clips = [c for c in index.clips if len(c) >= wish.pictures and shelf.side(c[0]) >= wish.least]
    # Frames are at most 0.8 of the photograph.
    least = max(_FILM_LEAST, int(wish.least / 0.8) + 4)
    stills = groups.stills(least) if index.stills else []
    if not clips and not stills:
        return None

    def window(clip: Sequence[int], chance: Chance) -> Group:
        longest = (len(clip) - 1) // max(wish.pictures - 1, 1)
        steps = [s for s in index.steps if s <= longest] or [longest]
        step = steps[chance.below(len(steps))]
        start = chance.below(len(clip) - (wish.pictures - 1) * step)
        numbers = clip[start : start + (wish.pictures - 1) * step + 1 : step]
        frames = [groups.picture(n) for n in numbers]
        return _frames(frames[::-1] if chance.below(2) else frames, groups, chance)

    def film(still: int, chance: Chance) -> Group:
        frames = move_camera(groups.picture(still), wish.pictures, wish.side, chance.generator)
        return _frames(list(frames), groups, chance)

    def draw(chance: Chance) -> Group:
        if stills and (not clips or chance.number % 10 < _FILMED):
            return film(chance.one(stills), chance)
        return window(chance.one(clips), chance)

    return draw


def _frames(frames: list[Tensor], groups: Groups, chance: Chance) -> Group:
    middle = len(frames) // 2
    order = [frames[middle], *frames[:middle], *frames[middle + 1 :]]
    return Group(tuple(groups.cut(order, chance, multiple=2)))


def _mono(groups: Groups) -> Draw | None:
    """Stereo pairs; of clips and filmed photographs, two frames, as more of the kind."""
    shelf = groups.footage.shelf
    pairs = [p for p in groups.footage.index.pairs if shelf.side(p[0]) >= groups.wish.least]
    frames = _video(groups)
    if not pairs:
        return frames

    def draw(chance: Chance) -> Group:
        if frames is not None and chance.number % 10 < _FILMED:
            return frames(chance)
        views = [groups.picture(n) for n in chance.one(pairs)]
        return Group(tuple(groups.cut(views, chance, multiple=2)))

    return draw


def _dual(groups: Groups) -> Draw | None:
    """Wide and near views; of a photograph, a piece made smaller, and its centre as it was."""
    wish, shelf = groups.wish, groups.footage.shelf
    views = [v for v in groups.footage.index.views if shelf.side(v.wide) >= wish.least]
    zooms = {n: [z for z in _ZOOMS if shelf.side(n) >= z * wish.least] for n in groups.stills()}
    stills = [n for n, possible in zooms.items() if possible]
    if not views and not stills:
        return None
    groups.distinct = len(views or stills)

    def view(chosen: View, chance: Chance) -> Group:
        both = [groups.picture(n) for n in (chosen.wide, chosen.near)]
        return Group(tuple(groups.cut(both, chance)), chosen.zoom)

    def made(still: int, chance: Chance) -> Group:
        zoom = zooms[still][chance.number % len(zooms[still])]
        unit = zoom * wish.scale
        (piece,) = groups.cut([groups.picture(still)], chance, multiple=unit, scale=zoom)
        wide = smaller(piece, zoom)
        (height, width), (h, w) = piece.shape[-2:], wide.shape[-2:]
        top, left = (height - h) // 2, (width - w) // 2
        return Group((wide, piece[:, top : top + h, left : left + w]), float(zoom))

    def draw(chance: Chance) -> Group:
        return view(chance.one(views), chance) if views else made(chance.one(stills), chance)

    return draw


def _hide(groups: Groups) -> Draw | None:
    """Groups as they are; otherwise photographs that have nothing to do with one another."""
    wish, shelf = groups.wish, groups.footage.shelf
    own = [
        g[: wish.pictures]
        for g in groups.footage.index.groups
        if len(g) >= wish.pictures and min(map(shelf.side, g)) >= wish.least
    ]
    stills = groups.stills()
    if not own and len(stills) < wish.pictures:
        return None
    groups.distinct = len(own) or len(stills) // wish.pictures

    def draw(chance: Chance) -> Group:
        numbers = chance.one(own) if own else chance.pick(stills, wish.pictures)
        pictures = [groups.picture(n) for n in numbers]
        height, width = (min(int(p.shape[axis]) for p in pictures) for axis in (-2, -1))
        return Group(tuple(groups.cut([p[:, :height, :width] for p in pictures], chance)))

    return draw


def _layers(groups: Groups) -> Draw | None:
    """Composites of cut-outs and backgrounds that belong together, or of any two.

    Where two pictures are wanted the foreground is left out; then composites serve too of which
    nobody has it.
    """
    index, shelf, wish = groups.footage.index, groups.footage.shelf, groups.wish
    composites: list[Sequence[int]] = [
        c for c in index.composites if shelf.side(c[0]) >= wish.least
    ]
    if wish.pictures == 2:
        composites += [g for g in index.groups if min(map(shelf.side, g)) >= wish.least]
    stills = groups.stills() if index.cutouts else []
    if not composites and not stills:
        return None
    groups.distinct = len(composites or stills)

    def draw(chance: Chance) -> Group:
        if composites:
            cutout, background = (shelf[n] for n in chance.one(composites))
            background = _covering(background[:3], cutout)
            if len(cutout) == 3:
                return Group(tuple(groups.cut([cutout, background], chance)))
        else:
            background = groups.picture(chance.one(stills))
            # Not in turn as well: of equally many, always the same two would meet.
            cutout = shelf[index.cutouts[chance.below(len(index.cutouts))]]
            cutout = cutout if chance.below(2) else cutout.flip(-1)
            cutout = _placed(cutout, (int(background.shape[-2]), int(background.shape[-1])), chance)
        layers = _composed(cutout, background, wish.roles)[: wish.pictures]
        return Group(tuple(groups.cut(layers, chance)))

    return draw


def _composed(cutout: Tensor, background: Tensor, roles: Sequence[str]) -> list[Tensor]:
    """The pictures that a network for layers takes."""
    share = cutout[3:].float() / 255
    front = share * cutout[:3]
    composite = (front + (1 - share) * background).round().to(torch.uint8)
    pictures = {
        COMPOSITE: composite,
        BACKGROUND: background,
        ALPHA: cutout[3:].expand(3, -1, -1),
        PREMULTIPLIED: front.round().to(torch.uint8),
    }
    return [pictures[role] for role in roles]


def _covering(background: Tensor, cutout: Tensor) -> Tensor:
    """The top left of a background as large as the cut-out, enlarged if it is too small."""
    height, width = (int(side) for side in cutout.shape[-2:])
    factor = max(height / background.shape[-2], width / background.shape[-1])
    if factor > 1:
        # As Pillow does it, and so for what is evaluated.
        tall, wide = (math.ceil(side * factor) for side in background.shape[-2:])
        background = resized(background, (tall, wide))
    return background[:, :height, :width]


def _placed(cutout: Tensor, size: tuple[int, int], chance: Chance) -> Tensor:
    """A cut-out (4, h, w) somewhere in an empty picture of that size."""
    height, width = (min(a, b) for a, b in zip(cutout.shape[-2:], size, strict=True))
    result = cutout.new_zeros(4, *size)
    top, left = chance.below(size[0] - height + 1), chance.below(size[1] - width + 1)
    above = chance.below(int(cutout.shape[-2]) - height + 1)
    beside = chance.below(int(cutout.shape[-1]) - width + 1)
    part = cutout[:, above : above + height, beside : beside + width]
    result[:, top : top + height, left : left + width] = part
    return result


def _stills(groups: Groups) -> Draw | None:
    stills = groups.stills()
    if not stills:
        return None
    groups.distinct = len(stills)

    def draw(chance: Chance) -> Group:
        picture = groups.picture(chance.one(stills))
        return Group(tuple(groups.cut([picture], chance)))

    return draw


_MAKERS: Mapping[str, Callable[[Groups], Draw | None]] = {
    "video": _video,
    "mono": _mono,
    "dual": _dual,
    "hide": _hide,
    "layers": _layers,
    "gray": _stills,
    "rescale": _stills,
}
