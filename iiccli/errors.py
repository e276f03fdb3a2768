"""Every error a user can cause: one sentence, one hint, one documented exit code.

Nothing in here imports anything of ours, so every layer may raise these. The command line
prints `message` and `hint` on stderr and leaves with `exit_code`; the table in
`docs/exit-codes.md` lists them.
"""

from __future__ import annotations

from typing import ClassVar


class IicError(Exception):
    """Base of all expected errors.

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
