"""Arrays for whole pictures: large ones lie in a file, so that memory stays small.

What the system needs memory for it then writes out of the way by itself, which it cannot do with
ordinary memory where there is no swap. The file has no name and is gone with its array, also
after `kill -9`.

A foundation that every layer may use.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

LARGE: Final = 2**27
"""Bytes from which on an array lies in a file: RGB of 45 million pixels, which no usual camera
takes."""

_STRIP: Final = 2**20
"""Samples that are handled at once."""

Scalar = TypeVar("Scalar", bound=np.generic)
Pixels = npt.NDArray[np.uint8]


def room(shape: tuple[int, ...], dtype: type[Scalar]) -> npt.NDArray[Scalar]:
    """An array whose values are not set.

    Raises:
        MemoryError: neither memory nor a file is to be had.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size >= LARGE:
        with suppress(OSError):  # no space, or no place to write to: memory may still do
            return _in_file(shape, dtype, size)
    return np.empty(shape, dtype)


def copied(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """A copy with rows one after the other in memory."""
    copy = room(array.shape, array.dtype.type)
    copy[...] = array
    return copy


def pixels_of(image: Image.Image) -> Pixels:
    """The pixels of a Pillow image of 8-bit channels: (H, W) or (H, W, channels).

    Strip by strip: at once Pillow takes three times the memory of its result.
    """
    channels = len(image.getbands())
    pixels = room((image.height, image.width, channels)[: 2 + (channels > 1)], np.uint8)
    for rows in strips(pixels):
        pixels[rows] = np.asarray(image.crop((0, rows.start, image.width, rows.stop)))
    return pixels


def give_back() -> None:
    """Give memory that was freed back to the system, where its allocator can be told to.

    glibc keeps what once was taken, in pieces that the next work may not fit into: a tenth of the
    memory of a clip.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


def strips(array: npt.NDArray[Any]) -> Iterator[slice]:
    """Rows of an array, so many at a time that what is computed from them stays small."""
    step = max(1, _STRIP * len(array) // max(1, array.size))
    for top in range(0, len(array), step):
        yield slice(top, min(len(array), top + step))


def equal(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Tell whether two arrays are alike in shape and values."""
    return a.shape == b.shape and all(np.array_equal(a[rows], b[rows]) for rows in strips(a))


def _in_file(shape: tuple[int, ...], dtype: type[Scalar], size: int) -> npt.NDArray[Scalar]:
    """The same in a file without a name.

    Raises:
        OSError: there is no space for it, or the system has no such files.
    """
    if os.name != "posix":
        raise OSError("a file that is mapped cannot be without a name here")
    folder = _folder()
    with tempfile.TemporaryFile(dir=folder) as file:
        # Its space is taken now: a page for which there is none later would end the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif shutil.disk_usage(folder).free < 2 * size:
            raise OSError("too little space")
        mapped = np.memmap(file, dtype, "r+", shape=shape)
    return mapped.view(np.ndarray)


def _folder() -> Path:
    """Where large temporary files belong: what is in /tmp may lie in memory."""
    chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    large = Path("/var/tmp")
    if not chosen and large.is_dir() and os.access(large, os.W_OK):
        return large
    return Path(tempfile.gettempdir())
