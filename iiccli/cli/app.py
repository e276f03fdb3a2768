"""The application: its verbs, and what happens when one of them fails."""

from __future__ import annotations

import io
import os
import signal
import sys
from types import FrameType

import typer

from iiccli import __version__
from iiccli.cli import (
    bench,
    compose,
    data,
    decompose,
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
    train,
)
from iiccli.errors import IicError, InputError

UNEXPECTED = 70
"""Exit code of a mistake of ours (EX_SOFTWARE)."""

DEBUG_VARIABLE = "IIC_DEBUG"
"""Environment variable: show tracebacks."""

LONGEST_NAME = 200
"""So much of a file's name is shown."""

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
app.command("bench")(bench.bench)
app.command("devices")(devices.devices)
app.add_typer(train.app, name="train")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")


def _terminated(number: int, frame: FrameType | None) -> None:
    """Leave through all `finally` blocks, so that nothing half-written stays."""
    sys.exit(128 + number)


def run() -> None:
    """Run `iic`; every error becomes one sentence on stderr and an exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    # Read by OpenMP when torch is loaded: threads that wait sleep instead of spinning, which on
    # a busy machine took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files are any bytes
    try:
        app(prog_name="iic")
    except IicError as error:
        print(f"iic: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except MemoryError:
        print("iic: There is not enough memory for this.", file=sys.stderr)
        print("hint: Try --max-side, or a smaller --tile.", file=sys.stderr)
        sys.exit(9)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        if isinstance(error, OSError) and error.filename is not None:
            # What the system says of a name: that it is too long, or on a disk that fails.
            name = str(error.filename)
            name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
            print(f"iic: {name}: {error.strerror}.", file=sys.stderr)
            sys.exit(InputError.exit_code)
        print(
            f"iic: an unexpected {type(error).__name__}: {error}\n"
            f"hint: This is a mistake in iic {__version__}. Please report it with the command and "
            f"the output that {DEBUG_VARIABLE}=1 gives.",
            file=sys.stderr,
        )
        sys.exit(UNEXPECTED)
