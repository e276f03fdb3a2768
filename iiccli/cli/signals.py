"""Ctrl-C and its like: one way out, whatever they meet."""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType

NUMBERS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

GRACE = 2.0
"""Seconds for tidying up in which more signals are passed over: a terminal and a program that wraps
this one often send one each."""

_LATER = 0.05


class Taken:
    """A context, a process's last, in which signals end what runs through all `finally` blocks.

    The first one is raised, SIGINT as `KeyboardInterrupt` and the others as `SystemExit`. Not all
    code lets that pass: Python makes a `RuntimeError` of it while a class is made, so importing may
    fail with one; what is raised while an object is disposed of vanishes. So what counts in the end
    is `number`, and not what arrives; and what vanished is raised again. One more signal after
    `GRACE` seconds ends the process at once.

    One that comes when all is done comes too late: Python takes a tenth of a second to shut down
    after torch, and an exit code that says otherwise would be wrong about what was written.

    Attributes:
        number: of the signal that came first; None without one.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._came = 0.0
        self._lost = False
        self._over = False
        self._hook = sys.unraisablehook

    @property
    def code(self) -> int | None:
        """The exit code that the signal asks for; None without one."""
        return None if self.number is None else 128 + self.number

    def __enter__(self) -> Taken:
        self._hook, sys.unraisablehook = sys.unraisablehook, self._vanished
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                before = signal.getsignal(number)
                # `nohup` and shells have some ignored, which has to stay so.
                if before is not signal.SIG_IGN and before is not None:
                    signal.signal(number, self._take)
            # On its way out Python gives its handlers back to the system, which would kill.
            atexit.unregister(_deafen)  # so that it is there once
            atexit.register(_deafen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Whatever a signal has become ends here."""
        self._over = True
        if self.number is None:
            self._came = time.monotonic()
        sys.unraisablehook = self._hook
        return self.number is not None

    def check(self) -> None:
        """Raise once more what got lost on the way.

        Raises:
            SystemExit: there was a signal.
        """
        if self.code is not None:
            sys.exit(self.code)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._over or (self.number is not None and not self._lost):
            if time.monotonic() - self._came > GRACE:
                os._exit(self.code or 128 + number)
            return
        self._lost = False
        if self.number is None:
            self.number, self._came = number, time.monotonic()
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + self.number)

    def _vanished(self, what: sys.UnraisableHookArgs) -> None:
        """Python cannot raise where an object is disposed of: raise it a little later."""
        number = self.number
        if number is None or not issubclass(what.exc_type, KeyboardInterrupt | SystemExit):
            self._hook(what)
            return
        self._lost = True
        timer = threading.Timer(_LATER, _thread.interrupt_main, (number,))
        timer.daemon = True
        timer.start()


def _deafen() -> None:
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


current = Taken()
"""Of the command that runs."""
