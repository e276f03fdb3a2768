"""Feeding a target with damaged inputs: what may happen is a result or an `IicError`."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from iiccli.errors import IicError

MOST_SECONDS = 10.0
MOST_BYTES = 2 * 2**30
KEEP = "IIC_FUZZ_KEEP"
"""Environment variable: a folder that inputs are kept in which found something."""


class TooSlow(BaseException):
    """An input took longer than `MOST_SECONDS`."""


@dataclass(frozen=True)
class Target:
    """Something that is given what nobody vouches for.

    Attributes:
        make: gives an input, by chance.
        run: takes it; a file may be written into the folder.
        weight: its share of all inputs: cheap targets get more.
    """

    make: Callable[[Random], Any]
    run: Callable[[Any, Path, Random], None]
    weight: int


def feed(name: str, target: Target, count: int, seed: int, folder: Path) -> dict[str, int]:
    """Run a target on so many inputs; the result counts outcomes by name.

    Raises:
        AssertionError: it raised something else, took too long, or too much memory; with the
            number that gives the same input again, and where the input is kept.
    """
    outcomes: dict[str, int] = {}
    most = max(MOST_BYTES, _memory())  # what was taken before says nothing about this target
    before = signal.signal(signal.SIGALRM, _too_slow)
    try:
        for number in range(count):
            chance = Random(f"{name} {seed} {number}")
            given = target.make(chance)
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
            try:
                target.run(given, folder, chance)
                outcome = "result"
            except IicError as error:
                assert error.message
                outcome = type(error).__name__
            except (Exception, TooSlow) as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                raise AssertionError(_story(name, seed, number, given, folder)) from error
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            slow = time.monotonic() - began > MOST_SECONDS
            if slow or _memory() > most:
                what = "too slow" if slow else "too much memory"
                raise AssertionError(f"{what}: {_story(name, seed, number, given, folder)}")
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    finally:
        signal.signal(signal.SIGALRM, before)
    return outcomes


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def _memory() -> int:
    """The most that this process, or one of its children, ever had in memory."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) * 1024


def _story(name: str, seed: int, number: int, given: object, folder: Path) -> str:
    keep = Path(os.environ.get(KEEP) or folder)
    keep.mkdir(parents=True, exist_ok=True)
    kept = keep / f"{name}-{seed}-{number}"
    kept.write_bytes(given if isinstance(given, bytes) else repr(given).encode("utf-8", "replace"))
    return f"{name}, seed {seed}, input {number}; kept in {kept}"
