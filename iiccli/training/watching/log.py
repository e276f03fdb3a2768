"""The log of a run: a JSON object on every line, which survives a kill."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import IO, Any

from iiccli.errors import TrainingError
from iiccli.training.watching.base import Pixels, writing

NAME = "log.jsonl"
"""Of the log in a run's folder."""

Line = dict[str, Any]


class JsonLog:
    """Appends each line to a file, and flushes it. A number that is not finite becomes null.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def started(self, facts: Mapping[str, Any]) -> None:
        """Open the file; a line that a kill has torn is cut off."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_file():
                _mend(self.path)
            self._file = self.path.open("a", encoding="utf-8")

    def progress(self, step: int, share: float, seconds: float) -> None:
        """Not logged."""

    def line(self, line: Mapping[str, Any]) -> None:
        """Append it."""
        assert self._file is not None, "`started` comes first"
        with writing(self.path):
            self._file.write(json.dumps(_plain(line), ensure_ascii=False, allow_nan=False) + "\n")
            self._file.flush()

    def sheet(self, step: int, picture: Pixels) -> None:
        """Not logged."""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with writing(self.path):
                file.close()


def read_log(path: Path) -> list[Line]:
    """The lines of a log, in the order of their steps; numbers that are not finite are None.

    A last line that is torn is left out: the run was killed, or is writing at this moment. Where a
    resumed training did steps once more, their newer lines replace the older ones.

    Raises:
        TrainingError: there is no such file, it cannot be read, or it is no log of a training.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        raise TrainingError(
            f"{path} does not exist.", "Name the folder that was given to `iic train` as --run."
        ) from None
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}.") from error
    kept: list[Line] = []
    rows = text.split("\n")
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        line = _parsed(row)
        if line is None:
            if number == len(rows):
                break
            raise TrainingError(
                f"{path} is no log of a training: line {number} is none of its lines.",
                "Remove that line to read the others.",
            )
        _add(kept, line)
    return kept


def scalars(line: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures of a line, called ``train/…`` or ``validation/…``; None is not finite.

    Whatever else is a number is among them, but for the step; nested ones are joined by slashes.
    """
    figures = {key: value for key, value in line.items() if key not in ("step", "validation")}
    if "validation" in line:
        # Minutes belong to the training's lines; twice in a chart is once too often.
        figures.pop("minutes", None)
        return dict(_flat("validation", line["validation"])) | dict(_flat("train", figures))
    return dict(_flat("train", figures))


def _flat(name: str, value: Any) -> Iterator[tuple[str, float | None]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{name}/{key}", item)
    elif value is None:
        yield name, None
    elif isinstance(value, bool):
        return
    elif isinstance(value, Real):
        yield name, float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """As JSON has it: no infinity, no numbers of numpy's, no paths."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    return str(value)


def _parsed(row: str) -> Line | None:
    """A line of a log, or None if it is none."""
    try:
        line = json.loads(row)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict):
        return None
    step = line.get("step")
    if not isinstance(step, int) or isinstance(step, bool):
        return None
    plain: Line = _plain(line)
    return plain


def _add(lines: list[Line], line: Line) -> None:
    """Append a line, in place of those of later steps, and of one of its own step and kind."""
    beside: list[Line] = []
    while lines and lines[-1]["step"] >= line["step"]:
        old = lines.pop()
        if old["step"] == line["step"] and ("validation" in old) != ("validation" in line):
            beside.append(old)
    lines += [*beside, line]


def _mend(path: Path) -> None:
    """Make a file end with a whole line."""
    content = path.read_bytes()
    if not content or content.endswith(b"\n"):
        return
    end = content.rfind(b"\n") + 1
    with path.open("r+b") as file:
        if _parsed(content[end:].decode("utf-8", "replace")) is None:
            file.truncate(end)
        else:
            file.seek(0, 2)
            file.write(b"\n")
