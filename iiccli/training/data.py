"""Training pictures: decoded once, kept in memory as uint8."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.errors import IicError, TrainingError
from iiccli.media.clip import VIDEO_SUFFIXES, open_clip
from iiccli.media.image import read_picture

T = TypeVar("T")

PICTURE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp", ".ppm"}
)

CLIP_SUFFIXES = frozenset({*VIDEO_SUFFIXES, ".avi", ".gif", ".mpg", ".apng"})

_PIECE, _PIECES, _PIECE_SIDE = 13, 8, 720
"""Frames in a piece of a video file, pieces of a file, pixels of the longer side: what fits."""


@dataclass(frozen=True)
class Footage:
    """What one folder of training data holds.

    Attributes:
        stills: pictures, each (3, H, W) uint8.
        clips: clips of consecutive frames, each (T, 3, H, W) uint8.
        skipped: files that could not be read.
        pairs: stereo pairs, left and right, each (3, H, W) uint8.
        cutouts: pictures with transparency, each (4, H, W) uint8.
    """

    stills: tuple[Tensor, ...]
    clips: tuple[Tensor, ...]
    skipped: tuple[str, ...]
    pairs: tuple[tuple[Tensor, Tensor], ...] = ()
    cutouts: tuple[Tensor, ...] = ()


def load_footage(folders: Sequence[Path], *, frames: int, limit: int | None = None) -> Footage:
    """Read every picture below `folders`.

    A folder that holds at least `frames` pictures of one size, and whose pictures are numbered,
    counts as a clip, as does a video or GIF, of which pieces are taken evenly over its length.
    Pictures called `NAME_L` and `NAME_R` of one size are a stereo pair, those with transparency
    are cut-outs; all others are stills.

    Args:
        folders: searched recursively.
        frames: fewest frames that make a clip; 0 takes every picture as a still.
        limit: at most this many stills and as many clips, spread evenly over what there is.

    Raises:
        TrainingError: a folder is missing, or there is nothing to read.
    """
    stills: list[Path] = []
    clips: list[list[Path]] = []
    videos: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"The training folder {folder} does not exist.")
        for place in sorted({folder, *(p for p in folder.rglob("*") if p.is_dir())}):
            files = sorted(p for p in place.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
            if frames:
                videos += sorted(p for p in place.iterdir() if p.suffix.lower() in CLIP_SUFFIXES)
            numbered = bool(files) and all(p.stem[-1:].isdigit() for p in files)
            if frames and numbered and len(files) >= frames and _names_count_up(files):
                clips.append(files)
            else:
                stills.extend(files)
    stills, clips = _spread(stills, limit), _spread(clips, limit)
    skipped: list[str] = []

    def read(path: Path) -> npt.NDArray[np.uint8] | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture = read_picture(path)
            if picture.alpha is None:
                return picture.pixels
            return np.dstack((picture.pixels, picture.alpha))
        except IicError as error:
            skipped.append(error.message)
            return None

    with ThreadPoolExecutor() as pool:
        both = {
            path: _tensor(p)
            for path, p in zip(stills, pool.map(read, stills), strict=True)
            if p is not None
        }
        pairs = _take_pairs(both)
        pictures = [p for p in both.values() if len(p) == 3]
        cutouts = [p for p in both.values() if len(p) == 4]
        sequences = []
        for files in clips:
            shots = [_tensor(p)[:3] for p in pool.map(read, files) if p is not None]
            if len({p.shape for p in shots}) > 1:  # numbered photographs
                pictures = _spread(pictures + shots, limit)
            elif shots and len(shots) == len(files):
                sequences.append(torch.stack(shots))
    for path in _spread(videos, limit):
        try:
            sequences.extend(_pieces(path, frames))
        except IicError as error:
            skipped.append(error.message)
    if not (pictures or sequences or pairs or cutouts):
        names = ", ".join(map(str, folders))
        raise TrainingError(f"No readable pictures in {names}.", "Give --data another folder.")
    return Footage(tuple(pictures), tuple(sequences), tuple(skipped), tuple(pairs), tuple(cutouts))


def _take_pairs(pictures: dict[Path, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Take left and right views that belong together out of `pictures`."""
    pairs = []
    for path in [p for p in pictures if p.stem.endswith("_L")]:
        other = path.with_name(f"{path.stem[:-1]}R{path.suffix}")
        if other in pictures and pictures[other].shape == pictures[path].shape:
            pairs.append((pictures.pop(path)[:3], pictures.pop(other)[:3]))
    return pairs


def _names_count_up(files: Sequence[Path]) -> bool:
    """Whether the names differ in their trailing number alone, as frames of a clip do."""
    return len({p.stem.rstrip("0123456789") for p in files}) == 1


def _pieces(path: Path, frames: int) -> list[Tensor]:
    """Pieces of consecutive frames out of a video file, evenly over its length."""
    clip = open_clip(path)
    length = min(clip.info.frames, max(_PIECE, frames))
    if length < frames:
        return []
    count = min(_PIECES, clip.info.frames // length)
    result = []
    for i in range(count):
        start = i * (clip.info.frames - length) // max(count - 1, 1)
        read = clip.read(range(start, start + length), max_side=_PIECE_SIDE)
        result.append(torch.stack([_tensor(frame) for frame in read]))
    return result


def _spread(items: list[T], limit: int | None) -> list[T]:
    if limit is None or len(items) <= limit:
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def _tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
