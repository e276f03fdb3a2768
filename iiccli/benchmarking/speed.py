"""Speed and memory of every model, each measurement in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.benchmarking.book import SPEED, Book
from iiccli.benchmarking.fidelity import Progress
from iiccli.benchmarking.scenes import photographs
from iiccli.benchmarking.startup import startup_seconds
from iiccli.benchmarking.trial import PAPER, Trial
from iiccli.errors import UsageError
from iiccli.inference.device import choose
from iiccli.zoo.catalogue import Entry

SIZES = {"480p": (854, 480), "1080p": (1920, 1080), "4K": (3840, 2160)}
"""Width and height by name."""

_VERSION = 2
_SMALL = 10**6
"""Pictures of fewer pixels are measured twice, of which the faster counts; the paper's once."""

Run = Callable[[Trial], dict[str, Any]]


@dataclass(frozen=True)
class Size:
    """A size of pictures: its name, width and height."""

    name: str
    width: int
    height: int


def read_sizes(words: str) -> list[Size]:
    """Sizes from a list such as `480p,1080p,640x360`, from the smallest to the largest.

    Raises:
        UsageError: something else is in it.
    """
    found = []
    for word in words.replace(" ", "").split(","):
        known = {name.lower(): (name, size) for name, size in SIZES.items()}
        match = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", word)
        if word.lower() in known:
            name, (width, height) = known[word.lower()]
        elif match:
            width, height = int(match[1]), int(match[2])
            name = f"{width}x{height}"
        else:
            raise UsageError(
                f"{word!r} is no size.", f"Give some of {', '.join(SIZES)}, or such as 640x360."
            )
        found.append(Size(name, width, height))
    return sorted(dict.fromkeys(found), key=lambda size: size.width * size.height)


def measure_speed(
    models: Sequence[Entry],
    sizes: Sequence[Size],
    root: Path,
    book: Book,
    *,
    quality: str,
    device: str = "auto",
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    run: Run | None = None,
) -> None:
    """Measure every model at every size, the paper's network at the smallest; and the start-up.

    On CUDA also in bf16 and fp16, and compiled.

    Args:
        models: what is measured.
        sizes: from the smallest on.
        root: a folder with photographs in it.
        book: keeps the figures; what it has already is left alone.
        quality: of the carriers.
        device: see `iiccli.inference.device.choose`.
        force: measure again what is there.
        progress: told how far it is.
        run: measures a trial; by default in a process of its own.

    Raises:
        InputError: there are no photographs.
        DeviceError: the device is not there.
    """
    run = run or in_own_process
    chosen = choose(device)
    paths = tuple(str(path) for path in photographs(root))
    if force or "startup" not in book.facts:
        book.facts["startup"] = startup_seconds()
        book.save()
    planned = [(e.name, str(e.path), e.hash, size) for size in sizes for e in models]
    if any(e.card.task == "video" for e in models):
        planned.insert(len(models), (PAPER, PAPER, "", sizes[0]))
    ways = [("fp32", False)]
    if chosen.type == "cuda":
        ways += [("bf16", False), ("fp16", False), ("fp32", True), ("bf16", True)]
    jobs = [(*what, *way) for what in planned for way in ways]
    for done, (name, path, digest, size, precision, compiled) in enumerate(jobs):
        progress(done, len(jobs), 0.0)
        key = {
            "model": name,
            "size": size.name,
            "quality": quality,
            "device": str(chosen),
            "precision": precision,
            "compiled": compiled,
            "sha256": digest,
            "version": _VERSION,
        }
        known = book.find(SPEED, key)
        if not force and known and "why" not in known:  # what failed may do better this time
            continue
        rounds = 2 if size.width * size.height < _SMALL and name != PAPER else 1
        trial = Trial(
            *(path, size.width, size.height, quality, paths),
            *(str(chosen), precision, compiled, rounds),
        )
        pixels = {"width": size.width, "height": size.height}
        book.put(SPEED, key, pixels | run(trial))
        book.save()
    progress(len(jobs), len(jobs), 0.0)


def in_own_process(trial: Trial) -> dict[str, Any]:
    """Measure in a new process, which alone has the memory that is told; see `trial.measured`."""
    child = subprocess.run(
        [sys.executable, "-m", "iiccli.benchmarking.trial", trial.json],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # as `iic` itself runs
    )
    if child.returncode == 0:
        found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
        return found
    if child.returncode < 0:
        return {"why": f"It was ended by signal {-child.returncode}, perhaps for want of memory."}
    lines = child.stderr.strip().splitlines() or ["no reason given"]
    return {"why": f"It failed: {lines[-1]}"}
