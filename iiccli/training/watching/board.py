"""A training in TensorBoard: `tensorboard --logdir RUN`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iiccli.errors import OutputError, TrainingError
from iiccli.training.watching.base import Pixels, writing
from iiccli.training.watching.log import scalars

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
"""In a run's folder."""


class Board:
    """Writes figures and sheets for TensorBoard into a folder.

    Raises:
        TrainingError: TensorBoard is not installed.
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "TensorBoard is not installed.",
                "Install it with: pip install 'iiccli[tensorboard]'",
            ) from error
        self._folder = folder
        self._make = SummaryWriter
        self._facts: Mapping[str, Any] = {}
        self._writer: SummaryWriter | None = None
        self._hook = threading.excepthook

    def started(self, facts: Mapping[str, Any]) -> None:
        """Keep the facts until it is known which step comes first."""
        self._facts = facts

    def progress(self, step: int, share: float, seconds: float) -> None:
        """Begin at the first step that is done."""
        if self._writer is None:
            self._begin(step)

    def line(self, line: Mapping[str, Any]) -> None:
        """Write its figures; those that are not finite are left out."""
        writer = self._writer or self._begin(line["step"])
        with self._writing():
            for name, value in scalars(line).items():
                if value is not None:
                    writer.add_scalar(name, value, line["step"])
            writer.flush()

    def sheet(self, step: int, picture: Pixels) -> None:
        """Write it as an image."""
        writer = self._writer or self._begin(step)
        with self._writing():
            writer.add_image("sheet", picture, step, dataformats="HWC")
            writer.flush()

    def close(self) -> None:
        """Close the file."""
        if threading.excepthook == self._heard:
            threading.excepthook = self._hook
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with self._writing():
                writer.close()

    def _begin(self, step: int) -> SummaryWriter:
        """Open a file; what an earlier start wrote of this step and later ones is void."""
        if threading.excepthook != self._heard:
            self._hook, threading.excepthook = threading.excepthook, self._heard
        table = "".join(f"| {key} | {value} |\n" for key, value in self._facts.items())
        with self._writing():
            self._writer = writer = self._make(str(self._folder), purge_step=step)
            writer.add_text("run", f"| | |\n| --- | --- |\n{table}", step)
            writer.flush()
        return writer

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in one sentence what fails, and try nothing more then."""
        try:
            with writing(self._folder):
                yield
        except OutputError:
            self._writer = None
            raise

    def _heard(self, raised: threading.ExceptHookArgs) -> None:
        """Print no traceback of TensorBoard's own thread: its errors come up in ours, too."""
        ours = type(raised.thread).__module__.startswith("tensorboard.")
        if not (ours and isinstance(raised.exc_value, OSError)):
            self._hook(raised)
