"""Several watchers at once."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iiccli.errors import OutputError
from iiccli.training.watching.base import Watchers
from tests.conftest import Pixels


class Noted:
    """Writes down what it is told; fails where it should."""

    def __init__(self, failing: str = "", error: Exception | None = None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.failing = failing
        self.error = error or OSError(errno.ENOSPC, "No space left on device")

    def _tell(self, name: str, *what: Any) -> None:
        if name == self.failing:
            raise self.error
        self.told.append((name, *what))

    def started(self, facts: Mapping[str, Any]) -> None:
        self._tell("started", facts)

    def progress(self, step: int, share: float, seconds: float) -> None:
        self._tell("progress", step, share, seconds)

    def line(self, line: Mapping[str, Any]) -> None:
        self._tell("line", line)

    def sheet(self, step: int, picture: Pixels) -> None:
        self._tell("sheet", step, picture)

    def close(self) -> None:
        self._tell("close")


def tell(watchers: Watchers, method: str, run: Path) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "started": ({"run": run},),
        "progress": (1, 0.5, 2.0),
        "line": ({"step": 1},),
        "sheet": (1, np.zeros((1, 1, 3), np.uint8)),
        "close": (),
    }
    getattr(watchers, method)(*arguments[method])


METHODS = ("started", "progress", "line", "sheet", "close")


def test_everybody_hears_everything_in_order(tmp_path: Path) -> None:
    one, two = Noted(), Noted()
    watchers = Watchers([one, two])
    for method in METHODS:
        tell(watchers, method, tmp_path)
    assert [name for name, *_ in one.told] == list(METHODS)
    assert one.told == two.told
    assert one.told[1] == ("progress", 1, 0.5, 2.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_full_disk_is_one_sentence(tmp_path: Path, method: str) -> None:
    watchers = Watchers([Noted(failing=method)])
    if method != "started":
        tell(watchers, "started", tmp_path)
    with pytest.raises(OutputError, match="No space left to write") as caught:
        tell(watchers, method, tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_known_is_named(tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "a.png"))
    watchers = Watchers([Noted("line", error)])
    with pytest.raises(OutputError, match=r"No permission to write .*a\.png"):
        watchers.line({"step": 1})


def test_all_are_closed_though_one_fails(tmp_path: Path) -> None:
    first, second = Noted("close"), Noted("close", RuntimeError("later"))
    last = Noted()
    with pytest.raises(OutputError):
        Watchers([first, second, last]).close()
    assert last.told == [("close",)]
