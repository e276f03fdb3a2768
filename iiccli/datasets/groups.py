"""What a manifest's items become: groups of pictures that are embedded together.

Composites are made when they are read: all of a matting data set's would take hundreds of
gigabytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from iiccli.datasets.manifest import Item, Manifest, Picture
from iiccli.errors import InputError
from iiccli.media.compositing import composed
from iiccli.media.image import Pixels, read_picture, resize

_HINT = "Fetch it again, or make the manifest anew with `iic data prepare`."


@dataclass(frozen=True)
class Group:
    """Pictures that are embedded together.

    Attributes:
        name: unique among the manifest's groups.
        pictures: (H, W, 3) uint8 each. Frames in order of time; left and right; wide and tele;
            composite, background and, where it is known, alpha in all three channels; the cover
            and its secrets, which may differ in size; or the one picture.
        reference: which of them the carrier should look like.
        zoom: how many times nearer the second view is.
        foreground: of layers whose alpha is known, the foreground's colours times alpha,
            (H, W, 3) uint8.
    """

    name: str
    pictures: tuple[Pixels, ...]
    reference: int
    zoom: float = 1.0
    foreground: Pixels | None = None


@dataclass(frozen=True)
class _Planned:
    """A group that is not read yet."""

    name: str
    pictures: tuple[Picture, ...]
    zoom: float


class Groups:
    """All groups of a manifest; each is read when it is asked for.

    May be shared among threads and processes: it holds names only.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._planned = tuple(_planned(manifest))

    def __len__(self) -> int:
        return len(self._planned)

    def name(self, number: int) -> str:
        """The name of a group, unique."""
        return self._planned[number].name

    def paths(self, number: int) -> tuple[Path, ...]:
        """The files that a group is made of, in the manifest's order."""
        return tuple(map(self._manifest.file_of, self._planned[number].pictures))

    def read(self, number: int) -> Group:
        """Read a group's files.

        Raises:
            InputError: one is missing, damaged, or not of the size in the manifest.
        """
        plan = self._planned[number]
        pictures = tuple(map(self._pixels, plan.pictures))
        roles = [picture.role for picture in plan.pictures]
        if "alpha" in roles:
            return _composite(plan.name, dict(zip(roles, pictures, strict=True)))
        reference = len(pictures) // 2 if self._manifest.heading.task == "video" else 0
        return Group(plan.name, pictures, reference, plan.zoom)

    def _pixels(self, picture: Picture) -> Pixels:
        path = self._manifest.file_of(picture)
        pixels = read_picture(path).pixels
        height, width = pixels.shape[:2]
        if (width, height) != (picture.width, picture.height):
            raise InputError(
                f"{path} is {width}×{height}, but {self._manifest.path} says "
                f"{picture.width}×{picture.height}.",
                _HINT,
            )
        if picture.box is None:
            return pixels
        left, top, right, bottom = picture.box
        return np.ascontiguousarray(pixels[top:bottom, left:right])


def groups_of(manifest: Manifest) -> Groups:
    """All groups of a manifest, whose files are there.

    Of clips, every window of `pictures` frames at every one of the heading's steps: all windows
    of the first step first. Windows overlap; each frame that has enough after it starts one.

    Raises:
        InputError: a file is missing.
    """
    pictures = {p.path: p for item in manifest.items for p in item.pictures}
    missing = [p for p in pictures.values() if not manifest.file_of(p).is_file()]
    if missing:
        others = f", nor are {len(missing) - 1} other files" if len(missing) > 1 else ""
        raise InputError(
            f"{manifest.file_of(missing[0])}, which {manifest.path} names, is not there{others}.",
            "`iic data check` lists them all.",
        )
    return Groups(manifest)


def _planned(manifest: Manifest) -> Iterator[_Planned]:
    if manifest.heading.task != "video":
        for item in manifest.items:
            yield _Planned(item.name, item.pictures, item.zoom)
        return
    for step in manifest.heading.steps or (1,):
        for item in manifest.items:
            yield from _windows(item, manifest.heading.pictures, step)


def _windows(clip: Item, frames: int, step: int) -> Iterator[_Planned]:
    span = step * (frames - 1)
    for start in range(len(clip.pictures) - span):
        window = clip.pictures[start : start + span + 1 : step]
        first = PurePosixPath(window[0].path).stem
        yield _Planned(f"{clip.name}-step{step}-{first}", window, clip.zoom)


def _composite(name: str, pixels: dict[str, Pixels]) -> Group:
    """Foreground over background; the latter is cut, and enlarged first where it is too small.

    Raises:
        InputError: a layer is missing, or foreground and alpha differ in size.
    """
    if not {"foreground", "alpha", "background"} <= set(pixels):
        raise InputError(f"{name} needs a foreground, an alpha and a background.", _HINT)
    foreground, mask = pixels["foreground"], pixels["alpha"]
    if foreground.shape != mask.shape:
        raise InputError(f"The foreground and the alpha of {name} differ in size.")
    alpha = np.ascontiguousarray(mask[..., 0])
    background = covering(pixels["background"], foreground.shape)
    composite = composed(foreground, background, alpha)
    premultiplied = composed(foreground, np.zeros_like(foreground), alpha)
    three = np.repeat(alpha[..., None], 3, axis=2)
    return Group(name, (composite, background, three), 0, foreground=premultiplied)


def covering(background: Pixels, shape: Sequence[int]) -> Pixels:
    """The top left corner of a background, of a foreground's size.

    Args:
        background: (h, w, 3) uint8; enlarged (bicubic), its proportions kept, where it is
            smaller in width or height.
        shape: height and width, in this order.
    """
    height, width = shape[:2]
    ratio = max(height / background.shape[0], width / background.shape[1])
    if ratio > 1:
        size = math.ceil(background.shape[1] * ratio), math.ceil(background.shape[0] * ratio)
        background = resize(background, size, method="bicubic")
    return np.ascontiguousarray(background[:height, :width])
