"""Ctrl-C and SIGTERM, taken as a wish to stop at the next checkpoint."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType


class Stop:
    """Set by the first SIGINT or SIGTERM; the second ends the process at once.

    A context: outside of it the signals mean what they meant before.

    Attributes:
        code: the exit code that the signal asks for; 0 without one.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.code = 0
        self._say = say
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __call__(self) -> bool:
        """Tell whether to stop."""
        return self.code != 0

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.code:
            sys.exit(128 + number)
        self.code = 128 + number
        self._say("stopping: a checkpoint is written; again stops at once")
