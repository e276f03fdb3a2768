"""Where a pass phrase comes from: a prompt, a file, or the environment; never the command line."""

from __future__ import annotations

import getpass
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iiccli.cli.output import say
from iiccli.errors import UsageError

if TYPE_CHECKING:
    from iiccli.locking import Phrase

KEY_VARIABLE = "IIC_KEY"
"""Environment variable: the pass phrase, where no option says where it is."""

_PANEL = "Pass phrase (or IIC_KEY in the environment)"

KeyOption = Annotated[
    bool,
    typer.Option(
        "--key",
        help="Ask for the pass phrase that locks, or opens, what a carrier holds.",
        rich_help_panel=_PANEL,
    ),
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option("--key-file", help="Take the pass phrase from a file.", rich_help_panel=_PANEL),
]


def phrase_of(
    key: bool, key_file: Path | None, *, new: bool = True, quiet: bool = False
) -> Phrase | None:
    """The pass phrase that the user means; None where there is none.

    Args:
        key: ask for it.
        key_file: or take it from here.
        new: it is to lock something, so a slip would be fatal: it is asked for twice.
        quiet: no remarks.

    Raises:
        UsageError: two ways at once, an empty one, no terminal to ask on, or two that differ.
        InputError: the file cannot be read.
    """
    variable = os.environ.get(KEY_VARIABLE, "")
    if key and key_file is not None:
        raise UsageError("--key and --key-file do not go together.", "Leave out one of them.")
    if not (key or key_file or variable):
        return None
    from iiccli.locking import Phrase

    if key_file is not None:
        phrase = Phrase.from_file(key_file)
    elif key:
        phrase = Phrase(_asked(new))
    else:
        phrase = Phrase(variable)
        if new:
            say(f"note: locked with the pass phrase in {KEY_VARIABLE}.", quiet=quiet)
    if new and phrase.short:
        say("note: so short a pass phrase is soon guessed; five words are better.", quiet=quiet)
    return phrase


def _asked(twice: bool) -> str:
    phrase = _ask("Pass phrase: ")
    if twice and _ask("Once more: ") != phrase:
        raise UsageError("The two pass phrases differ.", "Try again.")
    return phrase


def _ask(prompt: str) -> str:
    """Ask on the terminal, whatever standard input is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError, OSError) as error:
            raise UsageError(
                "There is no terminal to ask for the pass phrase on.",
                f"Give --key-file, or {KEY_VARIABLE} in the environment.",
            ) from error
