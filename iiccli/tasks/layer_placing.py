"""Where a foreground goes on a background, and how one that was fitted gets its own size back.

A foreground is placed as it is, and comes back on a canvas of the background's size, which says
where it was; or it is fitted to the whole background, and comes back at its own size.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iiccli.carrier import MAX_PIXELS
from iiccli.errors import InputError, UsageError
from iiccli.media.compositing import placed
from iiccli.media.fitting import RULES, Rule, cropped, inner
from iiccli.media.image import Pixels, resize
from iiccli.tasks.pairs import fit_words
from iiccli.tasks.stills import percent

Size = tuple[int, int]
"""Width and height."""

_ESSENTIALS = struct.Struct(">IIII")
_PADDED = 1 << 31
"""In the foreground's height: it has borders."""


@dataclass(frozen=True)
class Cutout:
    """A foreground and its alpha, or a canvas with one on it.

    Attributes:
        pixels: (h, w, 3) uint8, 0 where alpha is 0.
        alpha: (h, w) uint8.
    """

    pixels: Pixels
    alpha: Pixels

    @property
    def size(self) -> Size:
        """Its width and height."""
        return self.alpha.shape[1], self.alpha.shape[0]


@dataclass(frozen=True)
class Placement:
    """A foreground on its canvas.

    Attributes:
        canvas: of the background's size.
        original: as it will come back.
        essentials: what the header keeps of it; None is what it keeps of every carrier.
    """

    canvas: Cutout
    original: Cutout
    essentials: bytes | None = None


def check_placing(position: Size | None, resizing: bool, rule: Rule | None) -> None:
    """Refuse ways to place a foreground that exclude one another.

    Raises:
        UsageError: they do; or there is no such rule.
    """
    if rule is None:
        return
    if rule not in RULES:
        raise UsageError(
            f"There is no way {rule!r} to fit a foreground.", f"Choose one of: {', '.join(RULES)}."
        )
    if position is not None or resizing:
        what = "--resize" if position is None else "--position"
        raise UsageError(
            f"--fit {rule} has the foreground fill the background, so {what} means nothing.",
            f"Leave out --fit or {what}.",
        )


def fitted(
    foreground: Cutout, name: str, size: Size, rule: Rule, note: Callable[[str], None]
) -> Placement:
    """Fit a foreground to the whole of a background, by a rule that restoring undoes.

    Nothing is turned. Borders are clear.

    Args:
        foreground: of any size.
        name: of its file, for messages.
        size: of the background.
        rule: see there.
        note: told what is done to it.

    Raises:
        InputError: it is too large to come back.
        UsageError: nothing of it is seen.
    """
    words = fit_words(foreground.size, size, rule)
    if words:
        note(f"{name}: {words}.")
    whole = np.dstack((foreground.pixels, foreground.alpha))
    if rule == "crop":
        whole = np.ascontiguousarray(cropped(whole, size, turning=False))
    own = (whole.shape[1], whole.shape[0])
    if own[0] * own[1] > MAX_PIXELS:
        raise InputError(
            f"{name} is too large to be fitted: {own[0]}×{own[1]} pixels.",
            f"At most {MAX_PIXELS / 1e6:.0f} million in all; shrink it.",
        )
    padded = rule == "pad" and own != size
    left, top, *inside = _inner(own, size, padded=padded)
    small = _cutout(resize(whole, (inside[0], inside[1])))  # weighs colours by their alpha
    canvas = Cutout(*placed(small.pixels, small.alpha, size, (left, top))[:2])
    _check_seen(canvas, foreground, name, "Choose another --fit.")
    return Placement(
        canvas,
        _cutout(whole),
        _ESSENTIALS.pack(*size, own[0], own[1] | (_PADDED if padded else 0)),
    )


def unfitted(canvas: Cutout, essentials: bytes) -> Cutout:
    """Undo `fitted`: the foreground at its own size; the canvas itself where it was not fitted.

    Args:
        canvas: what was restored.
        essentials: of its header, in which nothing is trusted.
    """
    if len(essentials) != _ESSENTIALS.size:
        return canvas
    width, height = _ESSENTIALS.unpack(essentials)[2:]
    padded, own = bool(height & _PADDED), (width, height & ~_PADDED)
    if not all(own) or own[0] * own[1] > MAX_PIXELS:
        return canvas
    left, top, *inside = _inner(own, canvas.size, padded=padded)
    there = np.s_[top : top + inside[1], left : left + inside[0]]
    return _cutout(resize(np.dstack((canvas.pixels[there], canvas.alpha[there])), own))


def put(
    foreground: Cutout,
    name: str,
    size: Size,
    position: Size | None,
    resizing: bool,
    note: Callable[[str], None],
) -> Placement:
    """Put a foreground onto a canvas of the background's size, as it is or made to fit.

    Args:
        foreground: of any size.
        name: of its file, for messages.
        size: of the background.
        position: of its top left corner; None is the middle.
        resizing: scale it so that it just fits.
        note: told what is done to it, and what of it is cut.

    Raises:
        UsageError: nothing of it is on the background.
    """
    own = foreground.size
    if resizing:
        to = _just_fitting(own, size)
        if to != own:
            whole = np.dstack((foreground.pixels, foreground.alpha))
            foreground = _cutout(resize(whole, to))
            note(f"{name}: resized from {own[0]}×{own[1]} to {to[0]}×{to[1]}.")
    width, height = foreground.size
    corner = position or ((size[0] - width) // 2, (size[1] - height) // 2)
    pixels, alpha, cut = placed(foreground.pixels, foreground.alpha, size, corner)
    canvas = _cutout(np.dstack((pixels, alpha)))
    _check_seen(canvas, foreground, name, "Give another --position.")
    if cut:
        note(
            f"{name}: {percent(cut)} of its area reaches beyond the background "
            f"({width}×{height} at {corner[0]},{corner[1]} on {size[0]}×{size[1]}) and was cut"
            + ("." if resizing else "; --resize would fit it.")
        )
    return Placement(canvas, canvas)


def _inner(own: Size, size: Size, *, padded: bool) -> tuple[int, int, int, int]:
    """Where a fitted foreground lies on its canvas: left, top, width, height."""
    return inner(own, size) if padded else (0, 0, *size)


def _cutout(whole: Pixels) -> Cutout:
    """Of (h, w, 4) pixels; what is clear has no colour."""
    pixels, alpha = whole[..., :3].copy(), np.ascontiguousarray(whole[..., 3])
    pixels[alpha == 0] = 0
    return Cutout(pixels, alpha)


def _check_seen(canvas: Cutout, foreground: Cutout, name: str, hint: str) -> None:
    """Refuse a foreground of which nothing is seen.

    Raises:
        UsageError: it is one.
    """
    if not canvas.alpha.any():
        width, height = canvas.size
        raise UsageError(
            f"Nothing of {name} is seen on the background of {width}×{height} pixels.",
            hint if foreground.alpha.any() else "It is wholly transparent.",
        )


def _just_fitting(own: Size, size: Size) -> Size:
    """The largest size of the same proportions that fits."""
    scale = min(size[0] / own[0], size[1] / own[1])
    width, height = (max(1, min(round(a * scale), b)) for a, b in zip(own, size, strict=True))
    return width, height
