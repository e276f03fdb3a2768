"""What the rows of a book amount to: means, who is ahead by how much, growth, bars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from iiccli.benchmarking.contestants import NETWORK
from iiccli.benchmarking.contestants.method import CODEC
from iiccli.benchmarking.trial import PAPER

Facts = Mapping[str, Any]
Row = Mapping[str, Any]

FASTER, MEMORY = 6.0, 0.5
"""At video-5, 480p, on the CPU: so many times as fast as the paper's network at least, in this
share of its memory at most."""
LINEAR = 1.15
"""Seconds may grow with this power of the number of pixels at most."""
STARTUP = 5.0
"""`iic --version` may take so many times as long as `python -c pass`."""

_OURS = (NETWORK, CODEC)
_HELD = 0.3
"""A contestant held to a PSNR has the model's within so many dB, where white and black clip."""


@dataclass(frozen=True)
class Standing:
    """A contestant on one set, against our model on the same cases.

    Attributes:
        contestant: its name.
        cases: on how many both were measured.
        failed: on how many it gave nothing.
        cover_psnr: mean over cases, in dB; likewise the next.
        others_psnr: of what comes back besides the reference.
        ahead: by how many dB our model's is better; negative where we lose.
        same_cover: whether its carrier has the PSNR of ours.
    """

    contestant: str
    cases: int
    failed: int
    cover_psnr: float
    others_psnr: float
    ahead: float
    same_cover: bool


@dataclass(frozen=True)
class Match:
    """All contestants for one model on one set.

    Attributes:
        task, model, set, quality: what was measured.
        cases: how many.
        standings: our model first.
        best: name of the case that our model restores best; likewise the worst.
        worst: see there.
    """

    task: str
    model: str
    set: str
    quality: str
    cases: int
    standings: Sequence[Standing]
    best: tuple[str, float]
    worst: tuple[str, float]

    @property
    def rival(self) -> Standing | None:
        """The best of those that have the same cover and are not ours."""
        fair = [s for s in self.standings if s.same_cover and s.contestant not in _OURS]
        return max(fair, key=lambda s: s.others_psnr, default=None)

    @property
    def codec(self) -> Standing | None:
        """The tool's own codec."""
        return next((s for s in self.standings if s.contestant == CODEC), None)


def matches(facts: Facts) -> list[Match]:
    """Fidelity by model, set and quality, in the order in which it was measured."""
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in facts["fidelity"]:
        groups.setdefault((row["task"], row["model"], row["set"], row["quality"]), []).append(row)
    found = []
    for name, rows in groups.items():
        ours = {
            row["case"]: row
            for row in rows
            if row["contestant"] == NETWORK and "others_psnr" in row
        }
        if not ours:
            continue
        names = dict.fromkeys([NETWORK, *(row["contestant"] for row in rows)])
        standings = [s for n in names if (s := _standing(n, rows, ours)) is not None]
        ordered = sorted(ours.values(), key=lambda row: float(row["others_psnr"]))
        worst, best = ((str(r["case"]), float(r["others_psnr"])) for r in (ordered[0], ordered[-1]))
        found.append(Match(*name, len(ours), standings, best, worst))
    return found


def _standing(name: str, rows: Sequence[Row], ours: Mapping[str, Row]) -> Standing | None:
    own = [row for row in rows if row["contestant"] == name and row["case"] in ours]
    good = [row for row in own if "others_psnr" in row]
    if not good:
        return None
    cover = mean(row["cover_psnr"] for row in good)
    others = mean(row["others_psnr"] for row in good)
    same = [ours[row["case"]] for row in good]
    apart = abs(cover - mean(row["cover_psnr"] for row in same))
    ahead = mean(row["others_psnr"] for row in same) - others
    failed = len(own) - len(good)
    return Standing(name, len(good), failed, cover, others, ahead, apart <= _HELD)


@dataclass(frozen=True)
class Survival:
    """What one contestant gives back after each damage.

    Attributes:
        task, model, set, quality: what was measured.
        contestant: its name.
        others_psnr: by damage, mean over the cases that gave anything, in dB; None: none did.
        survived: by damage, share of the cases that gave anything.
        broken: by damage, mean share that was found broken; None where that is not known.
        why: by damage, the sentence of the first case that gave nothing.
    """

    task: str
    model: str
    set: str
    quality: str
    contestant: str
    others_psnr: Mapping[str, float | None]
    survived: Mapping[str, float]
    broken: Mapping[str, float | None]
    why: Mapping[str, str]


def survivals(facts: Facts) -> list[Survival]:
    """Robustness by model and contestant."""
    groups: dict[tuple[str, str, str, str, str], dict[str, list[Row]]] = {}
    for row in facts["robustness"]:
        named = (row["task"], row["model"], row["set"], row["quality"], row["contestant"])
        groups.setdefault(named, {}).setdefault(row["damage"], []).append(row)
    found = []
    for name, damages in groups.items():
        values = {
            d: [r["others_psnr"] for r in rows if "why" not in r] for d, rows in damages.items()
        }
        broken = {
            d: [r["broken"] for r in rows if r.get("broken") is not None]
            for d, rows in damages.items()
        }
        reasons = {d: [r["why"] for r in rows if "why" in r] for d, rows in damages.items()}
        found.append(
            Survival(
                *name,
                others_psnr={d: mean(v) if v else None for d, v in values.items()},
                survived={d: len(v) / len(damages[d]) for d, v in values.items()},
                broken={d: mean(v) if v else None for d, v in broken.items()},
                why={d: w[0] for d, w in reasons.items() if w},
            )
        )
    return found


@dataclass(frozen=True)
class Growth:
    """How the seconds of a model, both ways together, grow with its pictures.

    Attributes:
        model: its name.
        exponent: of the number of pixels; 1 is linear.
        sizes: on how many sizes that rests.
    """

    model: str
    exponent: float
    sizes: int


def growths(facts: Facts) -> list[Growth]:
    """By a straight line through the logarithms, by least squares; of models with two sizes."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in plain_speed(facts):
        pixels, seconds = row["width"] * row["height"], seconds_of(row)
        points.setdefault(row["model"], []).append((math.log(pixels), math.log(seconds)))
    return [
        Growth(model, _slope(found), len(found))
        for model, found in points.items()
        if len(found) > 1
    ]


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = (mean(values) for values in zip(*points, strict=True))
    slope: float = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return slope


def plain_speed(facts: Facts) -> list[Row]:
    """Rows of speed in full precision, not compiled, that have figures."""
    return [
        row
        for row in facts["speed"]
        if row["precision"] == "fp32" and not row["compiled"] and "why" not in row
    ]


def seconds_of(row: Row) -> float:
    """Both ways together."""
    return float(row["embed_seconds"] + row["restore_seconds"])


def way_of(row: Row) -> str:
    """On what, and in which numbers, a row of speed was measured."""
    return f"{row['device']} {row['precision']}{' compiled' if row['compiled'] else ''}"


def megapixels_per_second(row: Row) -> float:
    """Pixels of a row of speed, both ways together, in a second."""
    return float(row["width"] * row["height"] / seconds_of(row) / 1e6)


def share_of_roof(row: Row) -> str:
    """What its convolutions reach of a large matrix product; empty where there are none."""
    rate = row["conv_gflops"]
    return f"{rate / row['roof_gflops']:.0%}" if rate else ""


def share_in_network(row: Row) -> str:
    """Which part of embedding and of restoring is in the network; empty where that is not known."""
    shares = [row.get(f"{way}_in_network") for way in ("embed", "restore")]
    return " / ".join(f"{share:.0%}" for share in shares if share is not None)


@dataclass(frozen=True)
class Bar:
    """Something that has to hold.

    Attributes:
        words: what.
        value: what was found.
        bar: what it is held against.
        most: whether the value may be at most the bar; else at least.
    """

    words: str
    value: float
    bar: float
    most: bool

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.value <= self.bar if self.most else self.value >= self.bar


def bars(facts: Facts) -> list[Bar]:
    """All that the figures at hand can tell."""
    found = []
    rows = plain_speed(facts)
    for paper in (row for row in rows if row["model"] == PAPER):
        for own in (row for row in rows if _same_work(row, paper)):
            times = seconds_of(paper) / seconds_of(own)
            share = own["peak_bytes"] / paper["peak_bytes"]
            where = f"{own['model']} at {own['size']} on {own['device']}"
            found.append(
                Bar(f"times as fast as the paper's network: {where}", times, FASTER, False)
            )
            found.append(Bar(f"share of the paper's memory: {where}", share, MEMORY, True))
    found += [
        Bar(f"seconds grow with the power of pixels: {g.model}", g.exponent, LINEAR, True)
        for g in growths(facts)
    ]
    times_by_name = facts.get("startup")
    if times_by_name:
        ratio = times_by_name["iic --version"] / times_by_name["python -c pass"]
        found.append(Bar("`iic --version` in units of `python -c pass`", ratio, STARTUP, True))
    return found


def _same_work(row: Row, paper: Row) -> bool:
    """Whether a row is of the newest model that does what the paper's network does."""
    base = str(row["model"]).split(".")[0]
    return base == "video-5" and all(row[k] == paper[k] for k in ("size", "device"))


def numbers(rows: Iterable[Row], name: str) -> list[float]:
    """A figure of all rows that have it."""
    return [float(row[name]) for row in rows if row.get(name) is not None]


def summary(facts: Facts) -> dict[str, Any]:
    """All of this as JSON holds it."""
    return {
        "fidelity": [
            {
                **{k: getattr(m, k) for k in ("task", "model", "set", "quality", "cases")},
                "best": {"case": m.best[0], "others_psnr": m.best[1]},
                "worst": {"case": m.worst[0], "others_psnr": m.worst[1]},
                "contestants": [vars(s) for s in m.standings],
            }
            for m in matches(facts)
        ],
        "robustness": [vars(s) for s in survivals(facts)],
        "growth": [vars(g) for g in growths(facts)],
        "bars": [{**vars(b), "met": b.met} for b in bars(facts)],
    }
