"""The report: one page with all figures, pictures and plots of a book."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from iiccli.atomic import atomic_path
from iiccli.benchmarking.contestants import NETWORK, others
from iiccli.benchmarking.damage import DAMAGES, words
from iiccli.benchmarking.gallery import FOLDER
from iiccli.benchmarking.report import plots
from iiccli.benchmarking.report.style import CSS
from iiccli.benchmarking.summary import (
    Match,
    Standing,
    Survival,
    bars,
    growths,
    matches,
    megapixels_per_second,
    share_in_network,
    share_of_roof,
    survivals,
    way_of,
)
from iiccli.evaluation.cases import RULES
from iiccli.evaluation.likeness import IDENTICAL
from iiccli.tasks.models import Loader

REPORT = "report.html"

_FEWEST, _PAIRS = 4, 6
"""Pictures side by side at least; and in the row of all contestants, each with its difference."""

Facts = Mapping[str, Any]


def write_report(facts: Facts, folder: Path) -> Path:
    """Write the report beside its book; an older one is replaced.

    Args:
        facts: what bench.json holds.
        folder: where it is, with the pictures.

    Raises:
        OutputError: it cannot be written.
    """
    target = folder / REPORT
    with atomic_path(target, force=True) as path:
        path.write_text("\n".join(page(facts, folder)) + "\n", encoding="utf-8")
    return target


def page(facts: Facts, folder: Path) -> Iterator[str]:
    """The lines of the page."""
    found = matches(facts)
    machine = facts["machine"]
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>iic bench</title><style>{CSS}</style></head><body>"
    yield "<header><h1>iic, beside what else there is</h1>"
    yield (
        f'<p class="faint">iic {_(facts["iic"])}, {_(facts.get("written", ""))[:10]} · '
        f"{_(machine['processor'])}, {machine['cores']} cores, {_(machine['system'])} · "
        f"torch {_(machine['torch'])}{', ' + _(machine['cuda']) if machine['cuda'] else ''}</p>"
    )
    yield "</header>"
    parts = {
        "glance": ("At a glance", list(_glance(facts, found))),
        "fidelity": ("Fidelity", list(_fidelity(facts, found, folder))),
        "robustness": ("Robustness", list(_robustness(facts))),
        "speed": ("Speed and memory", list(_speed(facts))),
        "protocol": ("How it was measured", list(_protocol(facts, found))),
    }
    kept = {key: part for key, part in parts.items() if part[1]}
    links = (f'<a href="#{key}">{title}</a>' for key, (title, _lines) in kept.items())
    yield f"<nav><div>{''.join(links)}</div></nav><main>"
    for key, (title, lines) in kept.items():
        yield f'<h2 id="{key}">{title}</h2>'
        yield from lines
    yield "</main><footer>Written by <code>iic bench</code>. All figures: bench.json.</footer>"
    yield "</body></html>"


def _glance(facts: Facts, found: Sequence[Match]) -> Iterator[str]:
    if found and plots.available():
        plot = plots.ahead(found)
        if plot:
            yield (
                "<p>What comes back besides the reference, in dB, against the best classical way "
                "whose carrier is as close to the cover as ours.</p>"
            )
            yield f'<section class="card plot">{plot}</section>'
    held = bars(facts)
    if held:
        yield '<section class="card"><h3>Bars</h3><div class="wide"><table>'
        for bar in held:
            verdict = (
                '<span class="good">met</span>' if bar.met else '<span class="bad">missed</span>'
            )
            sign = "≤" if bar.most else "≥"
            yield (
                f'<tr><td>{verdict}</td><td class="n">{bar.value:.2f}</td>'
                f'<td class="n faint">{sign} {bar.bar:g}</td><td>{_(bar.words)}</td></tr>'
            )
        yield "</table></div></section>"


def _fidelity(facts: Facts, found: Sequence[Match], folder: Path) -> Iterator[str]:
    if not found:
        return
    yield (
        "<p>Our model first; then the classical ways, whose carriers are held to the same PSNR; "
        "then the naive ones, whose carriers are as they come. “Ahead” is by how many dB our model "
        "gives back better pictures; where it is negative, we lose.</p>"
    )
    walls = {(row["model"], row["quality"]): row for row in facts["gallery"]}
    for match in found:
        yield f'<section class="card" id="{_anchor(match)}">'
        yield f"<h3>{_(match.model)} on {_(match.set)}, {_(match.quality)}</h3>"
        cases = f"{match.cases} case{'s' if match.cases > 1 else ''}"
        yield f'<p class="faint">{cases} · {_(RULES.get(match.task, match.task))}</p>'
        yield '<div class="two"><div class="wide">'
        yield from _standings(match)
        if match.cases > 1:
            yield (
                f'<p class="note">Best: {_(match.best[0])}, {_db(match.best[1])}. '
                f"Worst: {_(match.worst[0])}, {_db(match.worst[1])}.</p>"
            )
        yield "</div><div>"
        if plots.available():
            yield plots.histogram(match, _rows_of(facts, match))
        yield "</div></div>"
        wall = walls.get((match.model, match.quality))
        if wall is not None and wall["set"] == match.set:
            yield f'<p class="note">The case {_(wall["case"])}:</p>'
            yield from _wall(wall["rows"], folder / FOLDER)
        yield "</section>"


def _rows_of(facts: Facts, match: Match) -> list[Mapping[str, Any]]:
    return [
        row
        for row in facts["fidelity"]
        if "others_psnr" in row
        and (row["model"], row["set"], row["quality"]) == (match.model, match.set, match.quality)
    ]


def _standings(match: Match) -> Iterator[str]:
    yield "<table><tr><th></th><th class=n>carrier, dB</th><th class=n>others, dB</th>"
    yield "<th class=n>ahead, dB</th></tr>"
    for standing in match.standings:
        first = standing.contestant == NETWORK
        name = match.model if first else standing.contestant
        failed = f" ({standing.failed} failed)" if standing.failed else ""
        yield (
            f"<tr{' class=ours' if first else ''}><td>{_(name + failed)}</td>"
            f'<td class="n">{_bare(standing.cover_psnr)}</td>'
            f'<td class="n">{_bare(standing.others_psnr)}</td>'
            f'<td class="n">{"" if first else _ahead(standing)}</td></tr>'
        )
    yield "</table>"


def _ahead(standing: Standing) -> str:
    kind = "none" if not standing.same_cover else "good" if standing.ahead >= 0 else "bad"
    return f'<span class="{kind}">{standing.ahead:+.2f}</span>'


def _wall(rows: Sequence[Sequence[Mapping[str, str]]], folder: Path) -> Iterator[str]:
    *upper, last = rows
    columns = max(_FEWEST, *(len(row) for row in upper))
    for row in (*upper, last):
        own = _PAIRS if row is last else columns
        yield f'<div class="row" style="--n: {own}">'
        for panel in row:
            source = _embedded(folder / panel["file"])
            if source is not None:
                caption = _(panel["caption"])
                yield f'<figure><img src="{source}" alt="{caption}" loading="lazy">'
                yield f"<figcaption>{caption}</figcaption></figure>"
        yield "</div>"


def _embedded(path: Path) -> str | None:
    """A JPEG as a URI; None where it has gone."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"


def _robustness(facts: Facts) -> Iterator[str]:
    found = survivals(facts)
    if not found:
        return
    yield (
        "<p>PSNR in dB of what comes back besides the reference after the carrier was damaged, "
        "mean over the cases that gave anything; a dash where none did.</p>"
    )
    names = [name for name in DAMAGES if any(name in s.survived for s in found)]
    heads = "".join(f'<th class="n">{_(name)}</th>' for name in names)
    yield '<section class="card"><div class="wide"><table>'
    yield f"<tr><th>model</th><th></th>{heads}</tr>"
    last = None
    for survival in found:
        own = (survival.model, survival.quality)
        words_ = f"{survival.model}, {survival.quality}" if own != last else ""
        last = own
        cells = "".join(f'<td class="n">{_survived(survival, name)}</td>' for name in names)
        yield f"<tr><td>{_(words_)}</td><td>{_(survival.contestant)}</td>{cells}</tr>"
    yield "</table></div><details><summary>What fails says why</summary><table>"
    for survival in found:
        for name in (name for name in names if name in survival.why):
            yield (
                f"<tr><td>{_(survival.model)}</td><td>{_(survival.contestant)}</td>"
                f"<td>{_(name)}</td><td>{_(survival.why[name])}</td></tr>"
            )
    yield "</table></details></section>"


def _survived(survival: Survival, damage: str) -> str:
    value = survival.others_psnr.get(damage)
    if value is None:
        return f'<span class="none" title="{_(survival.why.get(damage, ""))}">–</span>'
    whole = survival.others_psnr.get("none") or value
    # Green where nothing was lost, over yellow to red where 25 dB were.
    hue = 155 - 125 * min(1.0, max(0.0, (whole - value) / 25))
    share = survival.survived[damage]
    some = "" if share == 1 else f" ({share:.0%})"
    broken = survival.broken.get(damage)
    title = f' title="{broken:.1%} found broken"' if broken else ""
    ground = f"background: hsl({hue:.0f} 62% 88%)"
    return f'<span class="cell" style="{ground}"{title}>{value:.1f}{some}</span>'


def _speed(facts: Facts) -> Iterator[str]:
    if not facts["speed"]:
        return
    yield (
        "<p>Pictures to a carrier and back in memory, without files, each measurement in a process "
        "of its own. “Of roof” is what the network's convolutions reach of a large matrix product "
        "in the same process; “in network” the part of embedding and of restoring that is in "
        "torch's operations.</p>"
    )
    yield '<section class="card"><div class="wide"><table>'
    yield "<tr><th>model</th><th>size</th><th>on</th>"
    for head in (
        "embed, s",
        "restore, s",
        "Mpixel/s",
        "peak, MB",
        "of roof",
        "GFLOP/s, roof",
        "in network",
    ):
        yield f'<th class="n">{head}</th>'
    yield "</tr>"
    for row in facts["speed"]:
        way = way_of(row)
        yield f"<tr><td>{_(row['model'])}</td><td>{_(row['size'])}</td><td>{_(way)}</td>"
        if "why" in row:
            yield f'<td colspan="7">{_(row["why"])}</td></tr>'
            continue
        cells = (
            f"{row['embed_seconds']:.2f}",
            f"{row['restore_seconds']:.2f}",
            f"{megapixels_per_second(row):.3f}",
            f"{row['peak_bytes'] / 1e6:.0f}",
            share_of_roof(row),
            f"{row['roof_gflops']:.0f}",
            share_in_network(row),
        )
        yield "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
    yield "</table></div>"
    slopes = ", ".join(f"{_(g.model)} {g.exponent:.2f}" for g in growths(facts))
    if slopes:
        yield f'<p class="note">Seconds grow with this power of the pixels: {slopes}.</p>'
    if "startup" in facts:
        times = ", ".join(f"{_(k)} {v * 1000:.0f} ms" for k, v in facts["startup"].items())
        yield f'<p class="note">Start-up: {times}.</p>'
    yield "</section>"
    plot = plots.growth(facts) if plots.available() else ""
    if plot:
        yield f'<section class="card plot">{plot}</section>'


def _protocol(facts: Facts, found: Sequence[Match]) -> Iterator[str]:
    yield '<section class="card">'
    yield f"<p>{_(facts.get('protocol', ''))}.</p>"
    for name, text in facts["notes"].items():
        yield f'<p class="note">{_(name)}: {_(text)}.</p>'
    seen = {s.contestant for match in found for s in match.standings}
    yield "<table>"
    for contestant in others(Loader()):
        if contestant.name in seen:
            yield f"<tr><td>{_(contestant.name)}</td><td>{_(contestant.words)}</td></tr>"
    if facts["robustness"]:
        for name, text in words().items():
            yield f"<tr><td>{_(name)}</td><td>{_(text)}</td></tr>"
    yield "</table></section>"


def _anchor(match: Match) -> str:
    letters = (c if c.isalnum() else "-" for c in f"{match.model}-{match.set}-{match.quality}")
    return "".join(letters)


def _db(value: float) -> str:
    return "identical" if value >= IDENTICAL else f"{value:.2f} dB"


def _bare(value: float) -> str:
    return "identical" if value >= IDENTICAL else f"{value:.2f}"


def _(text: Any) -> str:
    """Text as it may stand in a page."""
    return escape(str(text))
