"""Which work is shared out among threads, and how.

Torch's own threads pay where operations are large, as convolutions are. Of small ones, as in a
search for motion or a transform of a strip, each wakes and waits for all threads: 2 threads take
longer than one. There whole pieces of work are shared out instead: torch and numpy work outside
of Python's lock. What comes out does not depend on how many threads there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

MOST = 8
"""Threads beyond these wait for memory, and for each other."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()
_inside = 0
_outside = 1


@contextmanager
def in_pieces() -> Iterator[None]:
    """Let torch use one thread for an operation, and `shared` the others; it may be nested."""
    global _inside, _outside
    with _lock:
        if _inside == 0:
            _outside = torch.get_num_threads()
            torch.set_num_threads(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_num_threads(_outside)


def workers() -> int:
    """How many threads `shared` has: those that torch has outside of `in_pieces`."""
    with _lock:
        return min(MOST, _outside if _inside else torch.get_num_threads())


def shared(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What some work gives for each item, in order."""
    items = list(items)
    if len(items) <= 1 or workers() == 1:
        return [work(item) for item in items]
    mode = torch.is_inference_mode_enabled()

    def worked(item: Item) -> Result:
        with torch.inference_mode(mode):  # each thread has its own
            return work(item)

    return list(_pool(workers()).map(worked, items))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "iic", _alone)


def _alone() -> None:
    torch.set_num_threads(1)
