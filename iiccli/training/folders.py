"""Training pictures from any folder: photographs, clips, stereo pairs, cut-outs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from iiccli.errors import IicError, TrainingError
from iiccli.media.clip import VIDEO_SUFFIXES, open_clip
from iiccli.media.image import read_picture
from iiccli.training.footage import Findings, Index
from iiccli.training.shelf import Entry

PICTURE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp", ".ppm"}
)

CLIP_SUFFIXES = frozenset({*VIDEO_SUFFIXES, ".avi", ".gif", ".mpg", ".apng"})

_PIECE, _PIECES, _PIECE_SIDE = 13, 8, 720
"""Frames in a piece of a video file, pieces of a file, pixels of the longer side: what fits."""

_AT_ONCE = 64
"""Files decoded in one go."""


def find(folder: Path, *, frames: int, room: int) -> Findings:
    """Read every picture below a folder.

    A folder that holds at least `frames` pictures of one size, and whose pictures are numbered,
    counts as a clip, as does a video or GIF, of which pieces are taken evenly over its length.
    Pictures called `NAME_L` and `NAME_R` of one size are a stereo pair, those with transparency
    are cut-outs; all others are stills.

    Args:
        folder: searched recursively.
        frames: fewest frames that make a clip; 0 takes every picture as a still.
        room: bytes of decoded pictures that may be kept.

    Raises:
        TrainingError: the folder is missing.
    """
    if not folder.is_dir():
        raise TrainingError(f"The training folder {folder} does not exist.")
    stills: list[Path] = []
    clips: list[list[Path]] = []
    videos: list[Path] = []
    for place in sorted({folder, *(p for p in folder.rglob("*") if p.is_dir())}):
        files = sorted(p for p in place.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
        if frames:
            videos += sorted(p for p in place.iterdir() if p.suffix.lower() in CLIP_SUFFIXES)
        numbered = bool(files) and all(p.stem[-1:].isdigit() for p in files)
        if frames and numbered and len(files) >= frames and _names_count_up(files):
            clips.append(files)
        else:
            stills.extend(files)
    found = Findings()
    numbers = _decode([*stills, *(path for files in clips for path in files)], found, room)
    _sort(stills, clips, numbers, found)
    for path in videos:
        try:
            pieces = [_kept(piece, path, found) for piece in _pieces(path, frames)]
        except IicError as error:
            found.skipped.append(error.message)
        else:
            found.index = replace(found.index, clips=found.index.clips + tuple(pieces))
    return found


def read_tensor(path: Path) -> Tensor:
    """A picture as training takes it, (3, H, W) uint8, or (4, H, W) with transparency.

    Raises:
        InputError: it cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = read_picture(path)
    pixels = picture.pixels
    return _tensor(pixels if picture.alpha is None else np.dstack((pixels, picture.alpha)))


def _decode(paths: Sequence[Path], found: Findings, room: int) -> dict[Path, int]:
    """Decode all files; numbers of those that can be read. What finds no room is let go again."""

    def read(path: Path) -> Tensor | str:
        try:
            return read_tensor(path)
        except IicError as error:
            return error.message

    numbers = {}
    with ThreadPoolExecutor() as pool:
        # Piece by piece: the pool would run ahead and hold everything.
        for start in range(0, len(paths), _AT_ONCE):
            part = paths[start : start + _AT_ONCE]
            for path, picture in zip(part, pool.map(read, part), strict=True):
                if isinstance(picture, str):
                    found.skipped.append(picture)
                    continue
                channels, height, width = picture.shape
                room -= picture.numel()
                again = partial(read_tensor, path) if room < 0 else partial(_same, picture)
                numbers[path] = found.add(Entry(str(path), (channels, height, width), again))
    return numbers


def _same(picture: Tensor) -> Tensor:
    return picture


def _sort(
    stills: Sequence[Path],
    clips: Sequence[Sequence[Path]],
    numbers: dict[Path, int],
    found: Findings,
) -> None:
    """Tell photographs, clips, pairs and cut-outs apart."""
    shapes = [entry.shape for entry in found.entries]
    single = {path: numbers[path] for path in stills if path in numbers}
    pairs = []
    for path in [p for p in single if p.stem.endswith("_L")]:
        other = path.with_name(f"{path.stem[:-1]}R{path.suffix}")
        if other in single and shapes[single[other]][1:] == shapes[single[path]][1:]:
            pairs.append((single.pop(path), single.pop(other)))
    photographs = [n for n in single.values() if shapes[n][0] == 3]
    sequences = []
    for files in clips:
        own = [numbers[path] for path in files if path in numbers]
        if len({shapes[n] for n in own}) > 1:  # numbered photographs
            photographs += own
        elif own and len(own) == len(files):
            sequences.append(tuple(own))
    found.index = Index(
        stills=tuple(photographs),
        clips=tuple(sequences),
        pairs=tuple(pairs),
        cutouts=tuple(n for n in single.values() if shapes[n][0] == 4),
    )


def _names_count_up(files: Sequence[Path]) -> bool:
    """Whether the names differ in their trailing number alone, as frames of a clip do."""
    return len({p.stem.rstrip("0123456789") for p in files}) == 1


def _pieces(path: Path, frames: int) -> list[list[Tensor]]:
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
        result.append([_tensor(frame) for frame in read])
    return result


def _kept(piece: Sequence[Tensor], path: Path, found: Findings) -> tuple[int, ...]:
    """Numbers of frames that stay in memory: to decode them again would take too long."""
    shapes = [(int(f.shape[0]), int(f.shape[1]), int(f.shape[2])) for f in piece]
    return tuple(
        found.add(Entry(str(path), shape, partial(_same, frame)))
        for frame, shape in zip(piece, shapes, strict=True)
    )


def _tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
