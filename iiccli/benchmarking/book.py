"""bench.json: everything that was measured, kept so that a long run can go on after a stop."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iiccli import __version__
from iiccli.atomic import atomic_path
from iiccli.errors import InputError
from iiccli.evaluation.likeness import IDENTICAL

NAME = "bench.json"
FORMAT = 1

Row = dict[str, Any]

FIDELITY, ROBUSTNESS, SPEED, GALLERY = "fidelity", "robustness", "speed", "gallery"
SECTIONS = (FIDELITY, ROBUSTNESS, SPEED, GALLERY)

_STATE = ("sha256", "version")
"""Of a row's key, what says whether the figures still are of what there is now."""

NOTES = {
    "psnr": f"dB; equal pictures count as {IDENTICAL:.0f}",
    "seconds": "by the wall clock of this machine; other processes may have been running",
}


class Book:
    """Rows by section. A row is found by its key; measuring it again replaces it.

    Attributes:
        path: of the file.
        facts: all that the file holds: `format`, `iic`, `machine`, `begun`, `notes`, and rows in
            the sections.
    """

    def __init__(self, path: Path) -> None:
        """Read what there is.

        Raises:
            InputError: the file cannot be read, or is no such book.
        """
        self.path = path
        self.facts: dict[str, Any] = read_book(path) if path.exists() else _empty()
        self._places = {
            (section, self._name(row)): place
            for section in SECTIONS
            for place, row in enumerate(self.facts[section])
        }

    def find(self, section: str, key: Mapping[str, Any]) -> Row | None:
        """The row of that key, as long as it is of the same model and version."""
        place = self._places.get((section, _named(key)))
        if place is None:
            return None
        row: Row = self.facts[section][place]
        return row if all(row.get(k) == key.get(k) for k in _STATE) else None

    def put(self, section: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
        """Keep a row in place of an older one; `save` writes it."""
        row = {**key, **{name: _plain(value) for name, value in values.items()}, "keys": list(key)}
        name = (section, _named(key))
        rows: list[Row] = self.facts[section]
        if name in self._places:
            rows[self._places[name]] = row
        else:
            self._places[name] = len(rows)
            rows.append(row)
        return row

    def rows(self, section: str, **wanted: Any) -> list[Row]:
        """All rows of a section that have such values."""
        return [
            row for row in self.facts[section] if all(row.get(k) == v for k, v in wanted.items())
        ]

    def save(self) -> None:
        """Write everything.

        Raises:
            OutputError: the system refuses.
        """
        self.facts["written"] = _now()
        text = json.dumps(self.facts, indent=1, ensure_ascii=False)
        with atomic_path(self.path, force=True) as path:
            path.write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def _name(row: Row) -> tuple[Any, ...]:
        return _named({key: row.get(key) for key in row["keys"]})


def read_book(path: Path) -> dict[str, Any]:
    """What a bench.json holds.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as JSON.", "Choose another folder, or move it away."
        ) from error
    ours = isinstance(facts, dict) and all(
        isinstance(facts.get(section), list)
        and all(
            isinstance(row, dict) and isinstance(row.get("keys"), list) for row in facts[section]
        )
        for section in SECTIONS
    )
    if not ours or facts.get("format") != FORMAT:
        raise InputError(
            f"{path} was not written by this version's `iic bench`.",
            "Choose another folder, or move it away.",
        )
    return dict(facts)


def machine() -> dict[str, Any]:
    """What is measured on."""
    import torch

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _empty() -> dict[str, Any]:
    facts: dict[str, Any] = {"format": FORMAT, "iic": __version__, "begun": _now()}
    facts["notes"] = dict(NOTES)
    facts["machine"] = machine()
    return facts | {section: [] for section in SECTIONS}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _named(key: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted((k, v) for k, v in key.items() if k not in _STATE))


def _plain(value: Any) -> Any:
    """A value as JSON holds it; JSON knows no infinity, which is the PSNR of equal pictures."""
    if isinstance(value, float):
        return round(min(value, IDENTICAL), 4) if math.isinf(value) else round(value, 6)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
