"""The application: its verbs, and what happens when one of them fails."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import typer

from iiccli import __version__
from iiccli.atomic import output_error
from iiccli.cli import (
    bench,
    compose,
    data,
    decompose,
    detect,
    devices,
    dual_view,
    embed_video,
    evaluate,
    gray,
    hide,
    inspect_carrier,
    models,
    mononize,
    rescale,
    restore,
    signals,
    train,
)
from iiccli.cli.help import help_
from iiccli.errors import (
    UNEXPECTED,
    UNREAD,
    DeviceError,
    IicError,
    IicWarning,
    InputError,
)

DEBUG_VARIABLE = "IIC_DEBUG"
"""Environment variable: show tracebacks."""

LONGEST_NAME = 200
"""So much of a file's name is shown."""

STDOUT = "standard output"

_WRITING = (errno.ENOSPC, errno.EROFS, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Only writing fails with these."""

app = typer.Typer(
    name="iic",
    help="Several pictures in one normal-looking picture, and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"iic {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and leave."
    ),
) -> None:
    """Several pictures in one normal-looking picture, and back."""


app.command("embed-video")(embed_video.embed_video)
app.command("hide")(hide.hide)
app.command("compose")(compose.compose)
app.command("decompose")(decompose.decompose)
app.command("mononize")(mononize.mononize)
app.command("dual-view")(dual_view.dual_view)
app.command("gray")(gray.gray)
app.command("rescale")(rescale.rescale)
app.command("restore")(restore.restore)
app.command("inspect")(inspect_carrier.inspect)
app.command("evaluate")(evaluate.evaluate)
app.command("detect")(detect.detect)
app.command("bench")(bench.bench)
app.command("devices")(devices.devices)
app.command("help")(help_)
app.add_typer(train.app, name="train")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")


def run() -> int:
    """Run `iic`; every error becomes one sentence on stderr.

    Returns:
        The exit code; where a signal came, that does not count.
    """
    # Read by OpenMP when torch is loaded: threads that wait sleep instead of spinning, which on
    # a busy machine took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files are any bytes
    with warnings.catch_warnings():
        warnings.showwarning = partial(_warned, warnings.showwarning)
        code = _code_of(app)
        return _flushed(code)


def _code_of(command: Callable[..., object]) -> int:
    """Run a command to its end, and say what went wrong."""
    try:
        command(prog_name="iic")
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # which Typer turns into 1
            return UNREAD
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except IicError as error:
        return _complain(error)
    except MemoryError:
        return _complain(
            DeviceError(
                "There is not enough memory for this.", "Try --max-side, or a smaller --tile."
            )
        )
    except Exception as error:
        signals.current.check()  # else it may be what has become of Ctrl-C on its way
        if os.environ.get(DEBUG_VARIABLE):
            raise
        if isinstance(error, OSError) and (said := _as_expected(error)) is not None:
            return _complain(said)
        print(
            f"iic: an unexpected {type(error).__name__}: {error}\n"
            f"hint: This is a mistake in iic {__version__}. Please report it with the command and "
            f"the output that {DEBUG_VARIABLE}=1 gives.",
            file=sys.stderr,
        )
        return UNEXPECTED
    return 0


def _complain(error: IicError) -> int:
    signals.current.check()
    with suppress(OSError):  # nobody may be there to read it
        print(f"iic: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_code


def _as_expected(error: OSError) -> IicError | None:
    """What the system says of files and disks, where nobody closer by has said it better."""
    name = str(error.filename) if error.filename is not None else ""
    # It may be said because the name is too long.
    name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    if error.errno in _WRITING:
        return output_error(Path(name or STDOUT), error)
    return InputError(f"{name}: {error.strerror}.") if name else None


def _flushed(code: int) -> int:
    """Send what is left of the result; a result that nobody gets is none."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = code or UNREAD
    except OSError as error:
        code = code or _complain(output_error(Path(STDOUT), error))
    else:
        return code
    # Python flushes once more at its end, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _warned(
    otherwise: Callable[..., None],
    message: Warning | str,
    category: type[Warning],
    *where: Any,
    **more: Any,
) -> None:
    """Our own warnings are notes for the user."""
    if issubclass(category, IicWarning):
        print(f"note: {message}", file=sys.stderr)
    else:
        otherwise(message, category, *where, **more)
