"""Every error a user can cause: one sentence, one hint, one documented exit code.

Nothing in here imports anything of ours, so every layer may raise these. The command line
prints `message` and `hint` on stderr and leaves with `exit_code`. The table of
`iic help exit-codes` and `docs/exit-codes.md` is `exit_codes`: the first line of each class's
docstring is what users read.
"""

from __future__ import annotations

from typing import ClassVar

DONE = 0
UNEXPECTED = 70
"""A mistake of ours (EX_SOFTWARE)."""
HUNG_UP = 129
INTERRUPTED = 130
UNREAD = 141
TERMINATED = 143

_OTHERS = {
    DONE: "Done.",
    UNEXPECTED: "A mistake in iic. `IIC_DEBUG=1` shows the traceback; please report it.",
    HUNG_UP: "Ended because its terminal was closed (SIGHUP).",
    INTERRUPTED: "Interrupted (Ctrl-C, SIGINT).",
    UNREAD: "Whoever read standard output has left, as `head` does (SIGPIPE).",
    TERMINATED: "Ended from outside (SIGTERM).",
}


class IicError(Exception):
    """An expected error of no other kind; of several inputs, errors of several kinds.

    Base of all expected errors.

    Attributes:
        message: one clear sentence: what is wrong, with the file's name.
        hint: what to do about it; may be empty.
        exit_code: the process's exit status when the error ends a command.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(IicError):
    """The command line, or an argument of the Python API, makes no sense."""

    exit_code = 2


class InputError(IicError):
    """An input is missing, unreadable, damaged, or of a kind that is not supported."""

    exit_code = 3


class NotACarrierError(IicError):
    """The picture is readable, but holds nothing that iic has put there."""

    exit_code = 4


class DamagedCarrierError(IicError):
    """The picture was a carrier, but too little of it is left to restore from."""

    exit_code = 5


class NewerCarrierError(DamagedCarrierError):
    """The carrier is whole, but of a format that only a newer iic knows."""


class ModelError(IicError):
    """A model is unknown, missing, damaged, or does not fit the task."""

    exit_code = 6


class OutputExistsError(IicError):
    """The target exists and `--force` was not given."""

    exit_code = 7


class OutputError(IicError):
    """The target cannot be written: format, permission, space, or a failed check."""

    exit_code = 8


class DeviceError(IicError):
    """The device asked for is not there, or its memory does not suffice."""

    exit_code = 9


class TrainingError(IicError):
    """Training cannot start or go on: no data, a foreign checkpoint, an invalid recipe."""

    exit_code = 10


class PhraseError(IicError):
    """A carrier is locked, and the pass phrase is missing or wrong."""

    exit_code = 11


class IicWarning(UserWarning):
    """Something that the user should know, told through Python's `warnings`: half a sentence."""


def exit_codes() -> list[tuple[int, str, str]]:
    """Every exit code there is, in order: the code, its class's name or "", and what it means."""
    rows = [(code, "", meaning) for code, meaning in _OTHERS.items()]
    kinds: list[type[IicError]] = [IicError]
    for kind in kinds:  # grows meanwhile
        kinds += kind.__subclasses__()
        if kind.__module__ == __name__:
            meaning = (kind.__doc__ or "").partition("\n")[0]
            rows.append((kind.exit_code, kind.__name__, meaning))
    return sorted(rows)
