"""Stereo pairs: from two files, from one picture that shows both views, or from an MPO file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.errors import InputError, UsageError
from iiccli.media.compositing import on_plain
from iiccli.media.image import Picture, read_picture
from iiccli.media.matching import Match, best_match, details, small_gray
from iiccli.media.opening import opened, quiet
from iiccli.media.profiles import in_profile
from iiccli.media.resize import Pixels

LAYOUTS = ("auto", "sbs", "sbs-cross", "over-under", "mpo")
"""How one file holds both views: side by side with the left or (`cross`) the right view on the
left, the left above the right, or as two pictures in an MPO file."""

STEREO_SUFFIXES = (".mpo", ".jps", ".pns")
"""Suffixes that only stereo pairs have."""

_CROSSED = (".jps", ".pns")
_NAME_A_LAYOUT = "Name it with --layout: sbs, sbs-cross or over-under."

# Views are compared at this many pixels for the longer side. Of 68 pairs all but two score above
# 0.5 (half of them above 0.77), of the halves of 388 photographs one in fifty (0.7: one in 200).
_SIDE = 64
_RADIUS = 8
_REACH = (0.2, 0.03)
_SURE, _LIKELY = 0.7, 0.5
_MARGIN = 0.1
_DISPARITY = "Disparity"


@dataclass(frozen=True)
class StereoPair:
    """Two views of one scene.

    Attributes:
        left: its pixels, and what its file carried besides them.
        right: of any size; in the left one's colour profile.
        layout: how one file held them; "" for two files.
        notes: what was changed or left out while reading, one phrase each.
    """

    left: Picture
    right: Picture
    layout: str = ""
    notes: tuple[str, ...] = ()


def read_stereo_files(left: Path, right: Path) -> StereoPair:
    """Read the two views from two files.

    Raises:
        InputError: a file is missing, no picture, or damaged.
    """
    one, other = read_picture(left), read_picture(right)
    notes = [f"{left.name}: {note}" for note in one.notes]
    notes += [f"{right.name}: {note}" for note in other.notes]
    return _pair(one, other, "", notes)


def read_stereo(path: Path, layout: str = "auto") -> StereoPair:
    """Read both views from one file.

    Args:
        path: an MPO file, or a picture that shows both views.
        layout: one of `LAYOUTS`. `auto` goes by what the file says of itself, by its suffix
            (.jps and .pns are side by side, the right view first), and at last by its shape and
            by which halves are alike.

    Raises:
        UsageError: no such layout, or it cannot be told, or the picture is too small for it.
        InputError: the file is missing, no picture, damaged, or holds no second view.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"There is no layout {layout!r}.", f"Choose one of: {', '.join(LAYOUTS)}.")
    named = layout
    if layout == "auto":
        layout = _declared(path) or "auto"
    if layout == "mpo":
        return _read_mpo(path)
    whole = read_picture(path)
    if layout == "auto":
        found = guess_layout(whole.pixels)
        if found is None:
            raise UsageError(
                f"It is not plain how {path} holds two views, or whether.", _NAME_A_LAYOUT
            )
        layout = found
    left, right, note = split(whole.pixels, layout, path.name)
    alpha: tuple[Pixels | None, ...] = (None, None)
    if whole.alpha is not None:
        alpha = split(whole.alpha, layout, path.name)[:2]
    notes = list(whole.notes) + ([note] if note else [])
    if named == "auto":
        notes.append(f"taken as {layout}: {_WORDS[layout]}")
    return _pair(
        replace(whole, pixels=left, alpha=alpha[0], notes=()),
        replace(whole, pixels=right, alpha=alpha[1], notes=()),
        layout,
        notes,
    )


_WORDS = {
    "sbs": "side by side, the left view first",
    "sbs-cross": "side by side, the right view first",
    "over-under": "one above the other, the left view first",
}


def split(pixels: Pixels, layout: str, name: str) -> tuple[Pixels, Pixels, str]:
    """Cut a picture into its two views.

    Args:
        pixels: (H, W, 3) or (H, W) uint8.
        layout: `sbs`, `sbs-cross` or `over-under`.
        name: for messages.

    Returns:
        The left view, the right one, and a remark if the middle column or row, which belongs to
        neither, was left out.

    Raises:
        UsageError: there are no two halves.
    """
    axis = 0 if layout == "over-under" else 1
    side = pixels.shape[axis]
    half = side // 2
    if half < 1:
        raise UsageError(f"{name} is too small to hold two views.")
    first, second = (
        np.ascontiguousarray(pixels.take(range(start, start + half), axis))
        for start in (0, side - half)
    )
    if layout == "sbs-cross":
        first, second = second, first
    what = "row" if axis == 0 else "column"
    note = f"of {side} {what}s the middle one belongs to neither view: left out" if side % 2 else ""
    return first, second, note


def guess_layout(pixels: Pixels) -> str | None:
    """Tell from (H, W, 3) pixels how they hold two views, by their shape and their halves.

    Which eye comes first cannot be seen: it is taken to be the left one.

    Returns:
        `sbs`, `over-under`, or None when in doubt.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 8:
        return None
    scores = {}
    for layout in ("sbs", "over-under"):
        left, right, _ = split(pixels, layout, "")
        scores[layout] = alike(left, right).score
    best, other = sorted(scores, key=lambda layout: -scores[layout])
    # Few single pictures are twice as wide as high, and hardly any are nearly square.
    telling = width >= 1.9 * height if best == "sbs" else 0.84 < width / height < 0.95
    wanted = _LIKELY if telling else _SURE
    if scores[best] < wanted or scores[best] < scores[other] + _MARGIN:
        return None
    return best


def alike(left: Pixels, right: Pixels) -> Match:
    """Compare two views of one size, coarsely: how alike they are, and at which shift.

    The shift is in pixels of the views, as `matching.Match` says it: what is at column c of the
    left view is at column c + x of the right one.
    """
    height, width = left.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    one, other = (details(small_gray(view, size), _RADIUS) for view in (left, right))
    reach = round(_REACH[0] * size[0]), round(_REACH[1] * size[1])
    match = best_match(one, other, reach)
    return replace(match, x=round(match.x * width / size[0]), y=round(match.y * height / size[1]))


def _pair(left: Picture, right: Picture, layout: str, notes: list[str]) -> StereoPair:
    left, right = _opaque(left, "left", notes), _opaque(right, "right", notes)
    matched = in_profile(right, left.icc)
    notes += [f"the right view: {note}" for note in matched.notes]
    return StereoPair(left, matched, layout, tuple(dict.fromkeys(notes)))


def _opaque(picture: Picture, which: str, notes: list[str]) -> Picture:
    if picture.alpha is None:
        return picture
    if bool((picture.alpha < 255).any()):
        notes.append(f"transparent parts of the {which} view are shown on white")
    return replace(picture, pixels=on_plain(picture.pixels, picture.alpha), alpha=None)


def _declared(path: Path) -> str | None:
    """What the file says of itself: its kind, its JPS block or its suffix."""
    with opened(path) as image, quiet():
        if _second_view(image) is not None:
            return "mpo"
        blocks = [data for marker, data in getattr(image, "applist", []) if marker == "APP3"]
    for block in blocks:
        if (found := _jps_layout(block)) is not None:
            return found
    return "sbs-cross" if path.suffix.lower() in _CROSSED else None


def _jps_layout(block: bytes) -> str | None:
    """The layout in a JPS block: identifier, length, then separation, flags, layout and type."""
    if not block.startswith(b"_JPSJPS_") or len(block) < 14:
        return None
    flags, layout, kind = block[11:14]
    if kind != 1 or layout not in (2, 3):
        return None
    left_first = bool(flags & 4)
    if layout == 2:
        return "sbs" if left_first else "sbs-cross"
    if not left_first:
        raise UsageError(
            "The picture says that it shows the right view above the left one.",
            "Give --layout over-under --swap.",
        )
    return "over-under"


def _read_mpo(path: Path) -> StereoPair:
    with opened(path) as image, quiet():
        frames = int(getattr(image, "n_frames", 1))
        second = _second_view(image) or (1 if frames > 1 and image.format == "MPO" else None)
    if second is None:
        raise InputError(f"{path} does not hold two pictures.", "An MPO file of a 3D camera does.")
    left, right = read_picture(path, frame=0), read_picture(path, frame=second)
    notes = [f"its views are two of {frames} pictures in it"] if frames > 2 else []
    return _pair(left, right, "mpo", [*left.notes, *notes])


def _second_view(image: Image.Image) -> int | None:
    """Which picture of an MPO file is the right view; None if none seems to be one.

    Telephones put small copies and maps of brightness into such files too: a view is declared
    as one, or at least has the first one's size.
    """
    if image.format != "MPO" or int(getattr(image, "n_frames", 1)) < 2:
        return None
    entries = getattr(image, "mpinfo", {}).get(0xB002, [])
    kinds = [str(entry.get("Attribute", {}).get("MPType", "")) for entry in entries]
    views = [i for i, kind in enumerate(kinds) if _DISPARITY in kind and i > 0]
    if views:
        return views[0]
    size = image.size
    image.seek(1)
    same = image.size == size
    image.seek(0)
    return 1 if same else None
