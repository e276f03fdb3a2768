"""What a training tells those who watch it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from iiccli.atomic import output_error

Pixels = npt.NDArray[np.uint8]


class Watcher(Protocol):
    """Somebody who is told how a training goes. Methods are called in the order they stand here.

    Where several processes train together, only the first of them is watched.
    """

    def started(self, facts: Mapping[str, Any]) -> None:
        """The training begins, or goes on.

        Args:
            facts: what is known about it: ``name``, ``task``, ``network``, ``parameters`` (their
                number), ``device``, ``run`` (its folder), ``steps`` and ``minutes`` (the budget;
                None where it has no such limit).
        """
        ...

    def progress(self, step: int, share: float, seconds: float) -> None:
        """A step is done. Told so often that it has to cost nothing.

        Args:
            step: so many are done.
            share: of the budget that is used up, 0..1.
            seconds: used for training since its first start.
        """
        ...

    def line(self, line: Mapping[str, Any]) -> None:
        """A line of the log.

        Args:
            line: ``step``, ``minutes``, and either figures, which are means since the last such
                line, or ``validation``, which holds figures.
        """
        ...

    def sheet(self, step: int, picture: Pixels) -> None:
        """A sample sheet, (H, W, 3) uint8, drawn after so many steps."""
        ...

    def close(self) -> None:
        """The training has ended, was stopped, or has failed. More than once does no harm."""
        ...


class Watchers:
    """Hands on to several watchers, in their order.

    Raises:
        OutputError: from every method, where one of them cannot write.
    """

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = tuple(watchers)
        self._run = Path()

    def started(self, facts: Mapping[str, Any]) -> None:
        """See `Watcher.started`."""
        self._run = Path(facts.get("run", "."))
        self._each(lambda watcher: watcher.started(facts))

    def progress(self, step: int, share: float, seconds: float) -> None:
        """See `Watcher.progress`."""
        self._each(lambda watcher: watcher.progress(step, share, seconds))

    def line(self, line: Mapping[str, Any]) -> None:
        """See `Watcher.line`."""
        self._each(lambda watcher: watcher.line(line))

    def sheet(self, step: int, picture: Pixels) -> None:
        """See `Watcher.sheet`."""
        self._each(lambda watcher: watcher.sheet(step, picture))

    def close(self) -> None:
        """Close all of them, also if one fails; what failed first is raised then."""
        first: Exception | None = None
        for watcher in self._watchers:
            try:
                with writing(self._run):
                    watcher.close()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def _each(self, tell: Callable[[Watcher], None]) -> None:
        with writing(self._run):
            for watcher in self._watchers:
                tell(watcher)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the system's refusal to write into an `OutputError` that names the file, or `place`.

    Raises:
        OutputError: the system refuses.
    """
    try:
        yield
    except OSError as error:
        named = isinstance(error.filename, str | Path)
        raise output_error(Path(error.filename) if named else place, error) from error
