"""How a training goes, on a terminal; in a pipe, nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from iiccli.training.watching.base import Pixels
from iiccli.training.watching.log import scalars

_KNOWN = {
    "loss": ("loss", "{:.4g}"),
    "cover_psnr": ("carrier", "{:.2f} dB"),
    "restored_psnr": ("restored", "{:.2f} dB"),
    "psnr": ("PSNR", "{:.2f} dB"),
    "gain": ("gain", "{:+.2f} dB"),
    "pictures_per_second": ("pictures/s", "{:.3g}"),
}
"""Figures that come first, in this order: how they are called, and how shown."""

_HIDDEN = {"train/minutes", "train/rate"}
"""One is shown anyway, the other nobody watches."""

_GAP = 2
"""Columns between figures."""

_WIDEST = 60
"""Columns of the bar at most."""


class Display:
    """A bar, the time left and the latest figures, on `console` if it is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._steps: int | None = None
        self._begun: tuple[float, float] | None = None
        self._now = (0, 0.0, 0.0)
        self._rows: dict[str, tuple[int, dict[str, float]]] = {}

    def started(self, facts: Mapping[str, Any]) -> None:
        """Say what is trained, and show the bar."""
        if not self._console.is_terminal:
            return
        self._steps = facts.get("steps")
        self._console.print(_heading(facts))
        self._live = Live(
            console=self._console,
            get_renderable=self._picture,
            redirect_stdout=sys.stdout.isatty(),  # else results meant for a file would go here
        )
        self._live.start()

    def progress(self, step: int, share: float, seconds: float) -> None:
        """Remember it; the display draws itself anew four times a second."""
        if self._begun is None:
            self._begun = (share, seconds)
        self._now = (step, min(max(share, 0.0), 1.0), seconds)

    def line(self, line: Mapping[str, Any]) -> None:
        """Show its figures."""
        if self._live is None:
            return
        kind = "validation" if "validation" in line else "train"
        self._rows[kind] = (line["step"], _figures(scalars(line), f"{kind}/"))

    def sheet(self, step: int, picture: Pixels) -> None:
        """Not shown."""

    def close(self) -> None:
        """Leave the last figures standing."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _picture(self) -> RenderableType:
        step, share, seconds = self._now
        done = f"step {step:,}" if self._steps is None else f"step {step:,} of {self._steps:,}"
        width = self._console.width
        words = [f"{100 * share:.0f} %", f"{_clock(seconds)} used"]
        words += [] if share >= 1 else [f"{self._left()} left"]
        row = Table.grid(padding=(0, _GAP, 0, 0))
        room = width - sum(len(word) + _GAP for word in (done, *words)) - _GAP
        bar = [ProgressBar(total=1.0, completed=share, width=min(_WIDEST, room))] * (room > 4)
        row.add_row(done, *bar, *words)
        return Group(row, self._table()) if self._rows else row

    def _table(self) -> RenderableType:
        """A row for the last line of training, one for the last validation; what fits, no more."""
        rows = dict(
            sorted(self._rows.items())
        )  # a copy: the display's thread draws while ours adds
        columns = [["", *(_title(kind, step) for kind, (step, _) in rows.items())]]
        present = {name for _, figures in rows.values() for name in figures}
        for name in [*(n for n in _KNOWN if n in present), *sorted(present - set(_KNOWN))]:
            title, form = _KNOWN.get(name, (name.replace("_", " "), "{:.4g}"))
            cells = [form.format(f[name]) if name in f else "" for _, f in rows.values()]
            columns.append([title, *cells])
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim")
        free = self._console.width
        shown: list[list[str]] = []
        for column in columns:
            free -= max(map(len, column)) + _GAP
            if free < 0:
                break
            table.add_column(column[0], justify="right" if shown else "left", no_wrap=True)
            shown.append(column[1:])
        for row in zip(*shown, strict=True):
            table.add_row(*row)
        return table

    def _left(self) -> str:
        """The time left, by how fast this start, not an earlier one, has come on."""
        _, share, seconds = self._now
        before, then = self._begun or (share, seconds)
        if share <= before or seconds <= then:
            return "-:--:--"
        return _clock((seconds - then) / (share - before) * (1 - share))


def _heading(facts: Mapping[str, Any]) -> Text:
    heading = Text(str(facts.get("name", "training")), "bold")
    about = [str(facts[key]) for key in ("task", "network") if facts.get(key)]
    if facts.get("parameters"):
        about.append(f"{_count(facts['parameters'])} parameters")
    if facts.get("device"):
        about.append(f"on {facts['device']}")
    return heading.append(f"  {', '.join(about)}", "not bold")


def _figures(found: Mapping[str, float | None], kind: str) -> dict[str, float]:
    """What is worth showing: finite, not hidden, and nothing that was not skipped."""
    return {
        key.removeprefix(kind): value
        for key, value in found.items()
        if value is not None and key not in _HIDDEN and (value or key != "train/skipped")
    }


def _title(kind: str, step: int) -> str:
    return "training" if kind == "train" else f"validation at {step:,}"


def _count(number: int) -> str:
    for size, name in ((1_000_000, "million"), (1_000, "thousand")):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return str(number)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
