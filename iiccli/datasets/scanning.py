"""Reading many pictures whole, to know their sizes and check sums and which are damaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from iiccli.errors import InputError
from iiccli.media.image import read_picture
from iiccli.media.opening import opened

Progress = Callable[[int, int, float], None]
"""Told: parts done, parts in all, share of the present one."""

_THREADS = min(8, os.cpu_count() or 1)
_WAITING = 4 * _THREADS
"""Files handed out at a time: an interruption waits for no more than these."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Scan:
    """What is known of a file.

    Attributes:
        size: width and height in pixels, upright; of a damaged file what its head says, not
            turned; None where even that cannot be read.
        sha256: in hexadecimal digits; empty where the file is damaged.
        problem: a sentence on what is wrong; empty where it is whole.
    """

    size: tuple[int, int] | None
    sha256: str = ""
    problem: str = ""


class Scanner:
    """Reads pictures in several threads; each file once.

    Args:
        progress: told how many of the files of a call are done.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._known: dict[Path, Scan] = {}

    def scan(self, paths: Iterable[Path]) -> None:
        """Read files that are not known yet."""
        waiting = [path for path in dict.fromkeys(paths) if path not in self._known]
        with ThreadPoolExecutor(_THREADS) as pool:
            for done, (path, found) in enumerate(_few_at_a_time(pool, waiting), start=1):
                self._known[path] = found
                self._progress(done, len(waiting), 0.0)

    def of(self, path: Path) -> Scan:
        """What is known of a file; it is read now if it was not yet."""
        if path not in self._known:
            self._known[path] = scan_picture(path)
        return self._known[path]


def scan_picture(path: Path) -> Scan:
    """Decode a picture whole, and add up its bytes."""
    try:
        height, width = read_picture(path).pixels.shape[:2]
        return Scan((width, height), sha256_of(path))
    except InputError as error:
        return Scan(_size_in_head(path), problem=error.message)
    except OSError as error:
        return Scan(None, problem=f"{path} cannot be read: {error.strerror or error}.")


def sha256_of(path: Path) -> str:
    """The check sum of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _size_in_head(path: Path) -> tuple[int, int] | None:
    try:
        with opened(path) as image:
            width, height = image.size
            return width, height
    except InputError:
        return None


def _few_at_a_time(pool: ThreadPoolExecutor, paths: Iterable[Path]) -> Iterator[tuple[Path, Scan]]:
    left = iter(paths)
    while some := list(islice(left, _WAITING)):
        yield from zip(some, pool.map(scan_picture, some), strict=True)
