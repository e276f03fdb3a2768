"""`-`: one picture from stdin, one picture to stdout."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from iiccli.errors import IicError, InputError, UsageError
from iiccli.temporary import scratch_folder

STREAM = "-"


@dataclass(frozen=True)
class Streams:
    """A verb's arguments with `-` replaced by files.

    Attributes:
        paths: the inputs.
        output: where to; a temporary file if it is to be sent to stdout.
        to_stdout: whether it is.
        folder: of the temporary files; None if there are none.
    """

    paths: list[Path]
    output: str | None
    to_stdout: bool
    folder: Path | None

    def shown(self, text: str) -> str:
        """Call temporary files what the user calls them."""
        if self.folder is None:
            return text
        text = text.replace(str(self.folder / "stdin"), "standard input")
        return text.replace(str(self.folder / "stdout.png"), "standard output")

    def send(self) -> None:
        """Copy the finished picture to stdout, if that is where it goes."""
        if not self.to_stdout:
            return
        with Path(str(self.output)).open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


@contextmanager
def streams(
    inputs: Sequence[str],
    output: str | None,
    *,
    as_json: bool = False,
    together: bool = False,
) -> Iterator[Streams]:
    """Read stdin where an input is `-`, and prepare stdout where the output is.

    Without an output the result of stdin goes to stdout. Only one result can; where several
    inputs may make one, `together`, the caller has to look to it.

    Raises:
        UsageError: `-` twice, a terminal at either end, or results as JSON and a picture both
            on stdout.
        InputError: nothing comes from stdin.
    """
    reads = list(inputs).count(STREAM)
    if reads > 1:
        raise UsageError("Standard input is given twice.", "Give - once.")
    to_stdout = output == STREAM or (output is None and reads == 1)
    if not reads and not to_stdout:
        yield Streams([Path(name) for name in inputs], output, False, None)
        return
    if to_stdout and as_json:
        raise UsageError(
            "The picture and --json would both go to standard output.", "Name a file with -o."
        )
    if to_stdout and len(inputs) > 1 and not together:
        raise UsageError(
            f"{len(inputs)} inputs, but standard output takes one picture.",
            "Give a folder with -o, or one input.",
        )
    for used, stream, name in ((to_stdout, sys.stdout, "output"), (reads, sys.stdin, "input")):
        if used and _closed(stream):
            raise UsageError(f"Standard {name} is closed.", "Name a file instead of -.")
    if to_stdout and sys.stdout.isatty():
        raise UsageError(
            "A picture is not written to a terminal.", "Name a file with -o, or use a pipe."
        )
    if reads and sys.stdin.isatty():
        raise UsageError(
            "- reads a picture from standard input, but that is the terminal.",
            "Pipe a picture in, or name a file.",
        )
    with scratch_folder() as folder:
        if reads:
            with (folder / "stdin").open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            if not (folder / "stdin").stat().st_size:
                raise InputError("Nothing came from standard input.")
        paths = [folder / "stdin" if given == STREAM else Path(given) for given in inputs]
        place = str(folder / "stdout.png") if to_stdout else output
        made = Streams(paths, place, to_stdout, folder)
        try:
            yield made
        except IicError as error:
            error.message, error.hint = made.shown(error.message), made.shown(error.hint)
            raise


def _closed(stream: object) -> bool:
    """Tell whether Python was started without it: `iic … >&-`."""
    return stream is None
