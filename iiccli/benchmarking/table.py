"""The tables that `iic bench` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iiccli.benchmarking.damage import DAMAGES
from iiccli.benchmarking.summary import (
    bars,
    matches,
    megapixels_per_second,
    share_in_network,
    share_of_roof,
    survivals,
    way_of,
)


def lines(facts: Mapping[str, Any], parts: Sequence[str]) -> Iterator[str]:
    """All that is known of some parts, as lines of at most 100 columns or little more."""
    if "fidelity" in parts and facts["fidelity"]:
        yield from _fidelity(facts)
    if "robustness" in parts and facts["robustness"]:
        yield ""
        yield from _robustness(facts)
    if "speed" in parts and facts["speed"]:
        yield ""
        yield from _speed(facts)


def _fidelity(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'':64}{'carrier':>9}{'others':>9}{'we are':>9}"
    words = f"{'model':18}{'test set':22}{'cases':>6}  {'contestant':16}"
    yield f"{words}{'dB':>9}{'dB':>9}{'ahead':>9}"
    for match in matches(facts):
        name = f"{match.model:18}{_cut(_set(match.set, match.quality), 21):22}"
        for standing in match.standings:
            first = standing is match.standings[0]
            mark = "" if first or standing.same_cover else " *"
            yield (
                f"{name if first else '':40}{standing.cases:>6}  {standing.contestant:16}"
                f"{_db(standing.cover_psnr):>9}{_db(standing.others_psnr):>9}"
                f"{'' if first else f'{standing.ahead:+.2f}':>9}{mark}"
            )
    yield "others: what comes back besides the reference.  *: another carrier, no fair comparison"


def _robustness(facts: Mapping[str, Any]) -> Iterator[str]:
    for survival in survivals(facts):
        yield f"{survival.model}, {survival.contestant}: others in dB after"
        for damage in (name for name in DAMAGES if name in survival.survived):
            value = survival.others_psnr[damage]
            text = survival.why.get(damage, "") if value is None else _db(value)
            lost = survival.broken[damage]
            part = f", {lost:.0%} found broken" if value is not None and lost else ""
            yield f"  {damage:18}{text}{part}"


def _speed(facts: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{'model':18}{'size':>10}  {'device':14}{'embed':>9}{'restore':>9}{'Mpixel/s':>10}"
        f"{'memory':>10}{'of roof':>9}{'in network':>12}"
    )
    for row in facts["speed"]:
        way = way_of(row)
        head = f"{row['model']:18}{row['size']:>10}  {way:14}"
        if "why" in row:
            yield f"{head}{row['why']}"
            continue
        rate, share = megapixels_per_second(row), share_of_roof(row)
        yield (
            f"{head}{row['embed_seconds']:>7.1f} s{row['restore_seconds']:>7.1f} s{rate:>10.3f}"
            f"{row['peak_bytes'] / 1e6:>7.0f} MB{share:>9}{share_in_network(row):>12}"
        )
    for bar in bars(facts):
        sign = "≤" if bar.most else "≥"
        verdict = "met" if bar.met else "missed"
        yield f"{verdict:8}{bar.value:.2f} (bar: {sign} {bar.bar:g}) {bar.words}"


def _set(name: str, quality: str) -> str:
    return name if quality == "balanced" else f"{name}, {quality}"


def _db(value: float) -> str:
    return "same" if value >= 100 else f"{value:.2f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
