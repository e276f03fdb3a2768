"""The page on benchmarks in the documentation, from a bench.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iiccli.benchmarking.contestants import others
from iiccli.benchmarking.damage import DAMAGES, words
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
from iiccli.evaluation.likeness import IDENTICAL
from iiccli.tasks.models import Loader

Facts = Mapping[str, Any]


def benchmarks_page(facts: Facts, source: str) -> str:
    """Everything as tables, in Markdown.

    Args:
        facts: what bench.json holds.
        source: how the page names that file, as a link beside it.
    """
    found = matches(facts)
    return "\n".join(
        [
            *_introduction(facts, found, source),
            *_fidelity(facts, found),
            *_robustness(facts),
            *_speed(facts),
            *_protocol(facts, found),
        ]
    )


def _introduction(facts: Facts, found: Sequence[Match], source: str) -> Iterator[str]:
    machine = facts["machine"]
    yield "# Benchmarks"
    yield ""
    yield (
        f"Written by `scripts/benchmarks_page.py` from [{source}]({source}), which `iic bench` "
        f"wrote: iic {facts['iic']}, {facts['written'][:10]}, {machine['processor']}, "
        f"{machine['cores']} cores, torch {machine['torch']}."
    )
    counts = sorted({match.cases for match in found})
    if counts:
        sizes = facts.get("sets", {})
        whole = all(match.cases == sizes.get(f"{match.task}: {match.set}") for match in found)
        some = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        yield ""
        if whole:
            yield f"Every test set was measured whole, {some} cases each."
        else:
            first = "first case" if some == "1" else f"first {some} cases"
            verb = "was" if some == "1" else "were"
            yield (
                f"**Only the {first} of each test set {verb} measured**: single "
                "pictures, which tell how things lie, but no means over a set. Figures of whole "
                "sets are in [models/README.md](../models/README.md)."
            )


def _fidelity(facts: Facts, found: Sequence[Match]) -> Iterator[str]:
    if not found:
        return
    yield from ("", "## Fidelity", "")
    yield (
        "PSNR in dB of the carrier, and of what comes back besides the reference (the picture "
        "itself for `gray` and `rescale`). *Classical*: the best of the ways whose carrier is held "
        "to the PSNR of ours; we are *ahead* of it by so many dB. *Naive*: the best of those whose "
        "carrier is as it comes, with its PSNR."
    )
    yield ""
    heads = ("model", "test set", "quality", "cases", "carrier", "ours", "classical", "ahead")
    yield f"| {' | '.join([*heads, '`--method codec`', 'naive'])} |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for match in found:
        ours, rival = match.standings[0], match.rival
        naive = max(
            (s for s in match.standings[1:] if not s.same_cover and s is not match.codec),
            key=lambda s: s.others_psnr,
            default=None,
        )
        cells = (
            *(match.model, match.set, match.quality, str(match.cases)),
            *(_db(ours.cover_psnr), _db(ours.others_psnr)),
            "" if rival is None else f"{_db(rival.others_psnr)} {rival.contestant}",
            "" if rival is None else f"{rival.ahead:+.2f}",
            "" if match.codec is None else _db(match.codec.others_psnr),
            "" if naive is None else _naive(naive),
        )
        yield f"| {' | '.join(cells)} |"
    lost = [(match, match.rival) for match in found if match.rival and match.rival.ahead < 0]
    yield ""
    if not lost:
        yield "We lose nowhere here."
        return
    yield "**Where we lose**, at the same PSNR of the carrier:"
    yield ""
    for match, rival in lost:
        yield (
            f"- {match.model} on {match.set} ({match.quality}): by {-rival.ahead:.2f} dB to "
            f"{rival.contestant}."
        )


def _naive(standing: Standing) -> str:
    return f"{_db(standing.others_psnr)} {standing.contestant} (carrier {_db(standing.cover_psnr)})"


def _robustness(facts: Facts) -> Iterator[str]:
    found = survivals(facts)
    if not found:
        return
    yield from ("", "## Robustness", "")
    yield (
        "PSNR in dB of what comes back besides the reference after the carrier was damaged; – "
        "where nothing does."
    )
    yield ""
    names = [name for name in DAMAGES if any(name in s.survived for s in found)]
    yield f"| model | contestant | {' | '.join(names)} |"
    yield f"| --- | --- |{' ---: |' * len(names)}"
    for survival in found:
        cells = " | ".join(_survived(survival, name) for name in names)
        yield f"| {survival.model} | {survival.contestant} | {cells} |"
    yield from ("", "Why nothing comes back, at the first model that says so:", "")
    first: dict[tuple[str, str], str] = {}
    for survival in found:
        for name, why in survival.why.items():
            first.setdefault((survival.contestant, name), why)
    yield "| contestant | damage | why |"
    yield "| --- | --- | --- |"
    for (contestant, name), why in first.items():
        yield f"| {contestant} | {name} | {why} |"


def _survived(survival: Survival, name: str) -> str:
    value = survival.others_psnr.get(name)
    if value is None:
        return "–"
    share = survival.survived[name]
    return _db(value) if share == 1 else f"{_db(value)} ({share:.0%} of cases)"


def _speed(facts: Facts) -> Iterator[str]:
    if not facts["speed"]:
        return
    yield from ("", "## Speed and memory", "")
    yield (
        "Pictures to a carrier and back in memory, each measurement in a process of its own. "
        "*Of roof*: what the network's convolutions reach of a large matrix product in the same "
        "process. *In network*: the part of embedding and of restoring that is in torch's "
        "operations, measured on pictures of 427 × 240; the rest is entropy coding, and the search "
        "for how finely to code. "
        "`iicnet-video-5` is the paper's own network at its published size, with random weights. "
        "Other processes may have been running, more beside one measurement than beside "
        "another, which *of roof* shows: ratios of seconds may be off by as much."
    )
    yield ""
    columns = "embed | restore | Mpixel/s | peak memory | of roof | in network"
    yield f"| model | size | device | {columns} |"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in facts["speed"]:
        way = way_of(row)
        head = f"| {row['model']} | {row['size']} | {way} |"
        if "why" in row:
            yield f"{head} {row['why']} | | | | | |"
            continue
        yield (
            f"{head} {row['embed_seconds']:.1f} s | {row['restore_seconds']:.1f} s | "
            f"{megapixels_per_second(row):.3f} | {row['peak_bytes'] / 1e6:.0f} MB | "
            f"{share_of_roof(row)} | {share_in_network(row)} |"
        )
    slopes = ", ".join(f"{g.model} {g.exponent:.2f}" for g in growths(facts))
    if slopes:
        yield from ("", f"Seconds grow with this power of the number of pixels: {slopes}.")
    if "startup" in facts:
        times = ", ".join(f"`{k}` {v * 1000:.0f} ms" for k, v in facts["startup"].items())
        yield from ("", f"Start-up: {times}.")
    held = bars(facts)
    if held:
        yield from ("", "| | found | bar | what |", "| --- | ---: | ---: | --- |")
        for bar in held:
            sign = "≤" if bar.most else "≥"
            verdict = "met" if bar.met else "**missed**"
            yield f"| {verdict} | {bar.value:.2f} | {sign} {bar.bar:g} | {bar.words} |"


def _protocol(facts: Facts, found: Sequence[Match]) -> Iterator[str]:
    yield from ("", "## How", "")
    yield f"{facts['protocol']}."
    seen = {s.contestant for match in found for s in match.standings}
    ways = others(Loader())
    yield ""
    yield from (f"- {way.name}: {way.words}." for way in ways if way.name in seen)
    if facts["robustness"]:
        yield ""
        yield from (f"- {name}: {text}." for name, text in words().items())
    yield from (
        "",
        "The classical ways put a length and the codec's bytes into the lowest bits of all "
        "samples, moved by ±1 (log2 3 bits a sample) and its kin of larger odd moduli, two of them "
        "shared out so that the carrier has exactly the PSNR of ours. The finest setting of the "
        "encoder that fits is taken. Everything is written to disk and read back; there is no "
        "error correction.",
        "",
        "Anew: `make bench DATA=FOLDER`, then `.venv/bin/python scripts/benchmarks_page.py "
        "bench/bench.json`.",
        "",
    )


def _db(value: float) -> str:
    return "identical" if value >= IDENTICAL else f"{value:.2f}"
