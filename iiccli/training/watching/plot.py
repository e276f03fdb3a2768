"""The curves of runs in a picture."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from iiccli.atomic import atomic_path
from iiccli.errors import TrainingError
from iiccli.training.watching.curves import Curve, Run, panels, read_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "curves.png"
"""Of the picture in a run's folder."""

_TITLES = {
    "loss": "Loss",
    "cover_psnr": "PSNR of the carrier, dB",
    "restored_psnr": "PSNR of what is restored, dB",
    "psnr": "PSNR, dB",
    "gain": "Gain, dB",
    "rate": "Learning rate",
    "pictures_per_second": "Pictures per second",
    "skipped": "Steps skipped",
}

_COLOURS = (  # told apart by the colour-blind, too (Okabe and Ito)
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b",
)  # fmt: skip
Dash = Literal["-", "--", ":"]
_DASHES: tuple[Dash, ...] = ("-", "--", ":")
_INK, _FAINT, _GRID = "#1c1c1e", "#78787c", "#e4e4e2"

_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": _INK,
    "text.usetex": False,
    "axes.edgecolor": _FAINT,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": _FAINT,
    "grid.color": _GRID,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "legend.frameon": False,
}

_MOST = 24
"""Panels at most."""

_MARK = "iic train plot"
"""What a picture of ours says made it."""

_MARKED = 40
"""Up to so many validations have large dots."""

_STEEP = 30
"""A loss whose largest value is so many times the smallest gets a logarithmic scale."""

_LONG = 180
"""From so many minutes on, hours are told."""


def plot(
    folders: Path | Sequence[Path],
    target: Path,
    *,
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Draw what one run, or several for comparison, have logged, into a PNG.

    Each figure gets a panel, over steps: means of training as a line (smoothed where it has many
    points), validations as dots. A single run's time is told above.

    Args:
        folders: that of a run, or those of several.
        target: the picture.
        force: replace it if it exists.
        report: told what is left out.

    Raises:
        TrainingError: matplotlib is missing, a log cannot be read, or nothing is logged yet.
        OutputExistsError: the target exists and `force` is false.
        OutputError: it cannot be written.
    """
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise TrainingError(
            "matplotlib is not installed.", "Install it: pip install 'iiccli[train]'"
        ) from error
    folders = [folders] if isinstance(folders, Path) else list(folders)
    found = [(folder, read_run(folder)) for folder in folders]
    drawn = [(folder, run) for folder, run in found if run is not None and panels([run])]
    if not drawn:
        what = f"{folders[0]} has logged no" if len(folders) == 1 else "No run has logged any"
        raise TrainingError(f"{what} figures yet.", "Wait for a minute.")
    for folder in folders:
        if folder not in [kept for kept, _ in drawn]:
            report(f"{folder} has logged no figures yet; left out.")
    runs = [run for _, run in drawn]
    if len({run.name for run in runs}) < len(runs):
        runs = [replace(run, name=str(folder)) for folder, run in drawn]
    names = panels(runs)
    for name in names[_MOST:]:
        report(f"There is no room for {name}; left out.")
    with (
        rc_context(_STYLE),  # type: ignore[arg-type]
        atomic_path(target, force=force) as temporary,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a run's name may be in any script
        figure = _figure(runs, names[:_MOST])
        figure.savefig(temporary, format="png", metadata={"Software": _MARK})


def is_ours(path: Path) -> bool:
    """Whether a file is a picture that `plot` has drawn."""
    try:
        with Image.open(path) as image:
            return image.format == "PNG" and image.info.get("Software") == _MARK
    except (OSError, ValueError, SyntaxError):
        return False


def _figure(runs: Sequence[Run], names: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = min(len(names), 2 if len(names) <= 4 else 3)
    rows = math.ceil(len(names) / columns)
    size = (max(4.6 * columns, 6), 2.7 * rows + 1)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    figure = Figure(figsize=size, dpi=110, layout=layout)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for place, panel in enumerate(axes.flat):
        if place >= len(names):
            panel.remove()
            continue
        _panel(panel, runs, names[place])
        panel.tick_params(labelbottom=True)
        if place >= len(names) - columns:
            panel.set_xlabel("step")
        if place < columns and len(runs) == 1:
            _times(panel, runs[0])
    _heading(figure, runs)
    return figure


def _panel(panel: Axes, runs: Sequence[Run], name: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    present = []
    for run, (colour, dash) in zip(runs, _looks(len(runs)), strict=True):
        if name in run.training:
            present.append(run.training[name])
            _training(panel, run.training[name], colour, dash)
        if name in run.validation:
            present.append(run.validation[name])
            validation = colour if len(runs) > 1 else _COLOURS[1]
            _validation(panel, run.validation[name], validation, dash)
    words = name.replace("_", " ")
    panel.set_title(_TITLES.get(name, words[:1].upper() + words[1:]), parse_math=False)
    if name == "loss" and _is_steep(present):
        panel.set_yscale("log")
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))


def _training(panel: Axes, curve: Curve, colour: str, dash: Dash) -> None:
    smooth = curve.smoothed()
    if smooth is None:
        marker = "." if curve.points < 3 else ""  # a line needs two
        panel.plot(curve.steps, curve.values, dash, color=colour, marker=marker, linewidth=1.2)
    else:
        panel.plot(curve.steps, curve.values, color=colour, alpha=0.25, linewidth=0.8)
        panel.plot(smooth.steps, smooth.values, dash, color=colour, linewidth=1.5)


def _validation(panel: Axes, curve: Curve, colour: str, dash: Dash) -> None:
    size = 5 if curve.points <= _MARKED else 3
    panel.plot(
        curve.steps, curve.values, dash, color=colour, marker="o", markersize=size, linewidth=0.8,
        markeredgecolor="white", markeredgewidth=0.6, zorder=3,
    )  # fmt: skip


def _is_steep(curves: Sequence[Curve]) -> bool:
    values = np.concatenate([curve.values for curve in curves])
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() > _STEEP * values.min())


def _times(panel: Axes, run: Run) -> None:
    """Tell above a panel when its steps were done."""
    from matplotlib.ticker import MaxNLocator

    there = np.isfinite(run.minutes.values)
    steps, minutes = run.minutes.steps[there], run.minutes.values[there]
    if len(set(minutes)) < 2:
        return
    unit, name = (60, "h") if minutes[-1] >= _LONG else (1, "min")
    ticks = MaxNLocator(5).tick_values(minutes[0] / unit, minutes[-1] / unit)
    ticks = ticks[(ticks >= minutes[0] / unit) & (ticks <= minutes[-1] / unit)]
    above = panel.secondary_xaxis("top")
    above.set_xticks(np.interp(ticks * unit, minutes, steps), [f"{t:g} {name}" for t in ticks])
    above.spines["top"].set_visible(True)


def _heading(figure: Figure, runs: Sequence[Run]) -> None:
    """A title, and what the lines mean."""
    from matplotlib.lines import Line2D

    single = len(runs) == 1
    entries = []
    if not single:
        for run, (colour, dash) in zip(runs, _looks(len(runs)), strict=True):
            entries.append((_short(run.name), Line2D([], [], color=colour, linestyle=dash)))
    if any(run.training for run in runs):
        entries.append(("training", Line2D([], [], color=_COLOURS[0] if single else _FAINT)))
    if any(run.validation for run in runs):
        dots = Line2D([], [], color=_COLOURS[1] if single else _FAINT, marker="o", linewidth=0.8)
        entries.append(("validation", dots))
    title = _summary(runs[0]) if single else f"{len(runs)} runs"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, parse_math=False)
    names, lines = zip(*entries, strict=True)
    legend = figure.legend(lines, names, loc="outside lower left", ncols=min(len(entries), 4))
    for text in legend.get_texts():
        text.set_parse_math(False)


def _summary(run: Run) -> str:
    steps = int(run.minutes.steps[-1])
    words = f"{_short(run.name)}: {steps:,} step{'' if steps == 1 else 's'}"
    minutes = run.minutes.values[np.isfinite(run.minutes.values)]
    if not len(minutes):
        return words
    hours = f"{minutes[-1] / 60:.1f} hours"
    return f"{words}, {hours if minutes[-1] >= _LONG else f'{minutes[-1]:.3g} minutes'}"


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"


def _looks(number: int) -> list[tuple[str, Dash]]:
    """A colour and dashes for each run; no two of the first 21 are alike."""
    every = [(colour, dash) for dash in _DASHES for colour in _COLOURS]
    return list(islice(cycle(every), number))
