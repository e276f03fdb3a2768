"""Results to stdout; progress and talk to stderr, and only where somebody reads it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iiccli.errors import UsageError

Meter = Callable[[int, int, float], None]
"""Told: parts done, parts in all, share of the present one."""


def say(message: str, *, quiet: bool = False) -> None:
    """A remark for the user, on stderr."""
    if not quiet:
        print(message, file=sys.stderr)


def result(text: str) -> None:
    """A line of the result, on stdout."""
    print(text)


def count_of(number: int, noun: str) -> str:
    """A number with its noun: 1 frame, 2 frames."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def check_preview(preview: Path, others: Sequence[Path], *, force: bool) -> None:
    """Refuse a sheet that cannot be written, or would overwrite one of the `others`.

    Raises:
        UsageError: it would, or its suffix is no picture's.
        OutputExistsError, OutputError: see `iiccli.atomic.check_target`.
    """
    from iiccli.atomic import check_target
    from iiccli.media.image import check_picture_target

    check_picture_target(preview)
    if any(preview.absolute() == other.absolute() for other in others):
        raise UsageError(
            f"The preview would overwrite {preview}.", "Give another name with --preview."
        )
    check_target(preview, force=force)


def check_output(output: Path | None, *, force: bool) -> None:
    """Refuse a file of figures that cannot be written.

    Raises:
        UsageError: it is a folder.
        OutputExistsError, OutputError: see `iiccli.atomic.check_target`.
    """
    from iiccli.atomic import check_target

    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"{output} is a folder, not a file.", "Choose another name with -o.")
    check_target(output, force=force)


def tell_figures(
    facts: dict[str, Any],
    lines: Callable[[], Iterable[str]],
    output: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write figures into a file, if one is named, and print them: as JSON, or as these lines."""
    from iiccli.atomic import atomic_path

    if output is not None:
        with atomic_path(output, force=force) as path:
            path.write_text(json_text(facts) + "\n", encoding="utf-8")
    if as_json:
        result_json(facts)
        return
    for line in lines():
        result(line)


def result_json(value: Any, *, line: bool = False) -> None:
    """The whole result as one JSON object on stdout, or one of several, each on a line."""
    print(json_text(value, line=line))


def json_text(value: Any, *, line: bool = False) -> str:
    """A result as JSON, on one line or indented."""
    return json.dumps(_finite(value), indent=None if line else 2, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """JSON knows no infinity: the PSNR of equal pictures becomes null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextmanager
def meter(label: str, *, quiet: bool = False) -> Iterator[Meter]:
    """A progress bar on a terminal; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # else results meant for a file would go to stderr
    ) as bar:
        job = bar.add_task(label, total=1.0)

        def tell(done: int, total: int, share: float) -> None:
            name = label if total == 1 else f"{label} ({min(done + 1, total)} of {total})"
            bar.update(job, completed=(done + share) / max(total, 1), description=name)

        yield tell
