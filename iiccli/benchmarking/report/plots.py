"""Plots of a report, as SVG that stands inside the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from iiccli.benchmarking.summary import Match, plain_speed, seconds_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (  # told apart by the colour-blind, too (Okabe and Ito)
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5b5b5b",
)  # fmt: skip
_GOOD, _BAD, _INK, _FAINT, _GRID = "#00795a", "#d55e00", "#1c1c1e", "#6d6d72", "#e2e2df"
_STYLE = {
    "font.family": ["sans-serif"],
    "font.size": 10,
    "text.color": _INK,
    "svg.fonttype": "none",
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "xtick.color": _FAINT,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_ABOUT = ("Date", "Creator", "Format", "Type")
"""What matplotlib would say of a file, with addresses in it."""
_FEW = 8
"""Fewer cases than that are shown as dots, one by one."""
_BINS = 16


def available() -> bool:
    """Whether there is matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def ahead(found: Sequence[Match]) -> str:
    """By how many dB our models are better than the best way with the same carrier."""
    rows = [(f"{m.model} · {m.set}", m.rival) for m in found if m.rival is not None]
    if not rows:
        return ""
    with _drawing("ahead", 8.6, 0.9 + 0.3 * len(rows)) as (axes, picture):
        places = range(len(rows))
        values = [rival.ahead for _, rival in rows if rival is not None]
        axes.barh(places, values, color=[_GOOD if v >= 0 else _BAD for v in values], height=0.62)
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set_yticks(places, [name for name, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        # Room for the words beside the longest bars.
        low, high = min(0.0, *values), max(0.0, *values)
        room = 0.26 * max(high - low, 1.0)
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("dB by which our model is ahead (right) or behind (left)")
        for place, (_, rival) in zip(places, rows, strict=True):
            assert rival is not None  # left out above
            right = rival.ahead >= 0
            axes.annotate(
                f"{rival.ahead:+.1f} against {rival.contestant}",
                (rival.ahead, place),
                xytext=(5 if right else -5, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=8.5,
                color=_FAINT,
            )
    return picture()


def histogram(match: Match, rows: Sequence[Mapping[str, Any]]) -> str:
    """PSNR of what comes back, case by case, of all contestants."""
    names = [s.contestant for s in match.standings]
    values = {n: [r["others_psnr"] for r in rows if r["contestant"] == n] for n in names}
    name = f"{match.model}{match.set}{match.quality}"
    with _drawing(name, 5.4, 0.9 + 0.42 * len(names)) as (axes, picture):
        if match.cases < _FEW:
            for place, own in enumerate(values.values()):
                axes.plot(own, [place] * len(own), "o", color=_colour(place), alpha=0.8, ms=8)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.grid(axis="x")
        else:
            every = [value for own in values.values() for value in own]
            low, high = min(every), max(every)
            edges = [low + (high - low) * i / _BINS for i in range(_BINS + 1)]
            for place, (label, own) in enumerate(values.items()):
                axes.hist(own, edges, color=_colour(place), alpha=0.55, label=label)
            axes.legend(fontsize=9)
            axes.set_ylabel("cases")
            axes.grid(axis="y")
        axes.set_xlabel("PSNR of what comes back besides the reference, dB")
    return picture()


def growth(facts: Mapping[str, Any]) -> str:
    """Seconds and memory against the number of pixels."""
    rows = plain_speed(facts)
    if len({row["size"] for row in rows}) < 2:
        return ""
    models = list(dict.fromkeys(row["model"] for row in rows))
    sizes = {row["size"]: row["width"] * row["height"] / 1e6 for row in rows}
    with _drawing("growth", 9.4, 4.4, columns=2) as (both, picture):
        for axes, title, figures in (
            (both[0], "seconds, both ways", [seconds_of(row) for row in rows]),
            (both[1], "peak memory, MB", [row["peak_bytes"] / 1e6 for row in rows]),
        ):
            for place, model in enumerate(models):
                own = [
                    (row["width"] * row["height"] / 1e6, value)
                    for row, value in zip(rows, figures, strict=True)
                    if row["model"] == model
                ]
                x, y = zip(*sorted(own), strict=True)
                dash = "-" if place < len(_COLOURS) else "--"
                axes.plot(x, y, f"o{dash}", color=_colour(place), label=model, ms=5, lw=1.4)
            axes.set_xscale("log")
            axes.set_xticks(list(sizes.values()), list(sizes))
            axes.set_xticks([], minor=True)
            axes.set_title(title, loc="left", fontsize=11)
            axes.grid(True)
        both[0].set_yscale("log")
        both[0].yaxis.set_major_formatter("{x:g}")
        both[0].legend(fontsize=8)
        both[1].set_ylim(bottom=0)
    return picture()


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


@contextmanager
def _drawing(
    salt: str, width: float, height: float, columns: int = 1
) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Give axes, and what makes SVG of them once the block has ended."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    done: list[str] = []
    style: Any = {**_STYLE, "svg.hashsalt": salt}
    with rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(1, columns)
        yield axes, lambda: done[0]
        done.append(_svg(figure))


def _svg(figure: Figure) -> str:
    """The picture without the head of an XML file; its ground is the page's."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(_ABOUT))
    text = file.getvalue()
    return text[text.index("<svg") :]
