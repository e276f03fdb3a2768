"""The page on the models that ship: figures per task, next to what others have published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from iiccli.evaluation.cases import RULES
from iiccli.evaluation.protocol import PROTOCOL
from iiccli.evaluation.published import FIRST_BARS, PUBLISHED
from iiccli.evaluation.standard import SETS
from iiccli.tasks.conversion import MODULES
from iiccli.tasks.pictures import QUALITIES
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card, sha256
from iiccli.zoo.packing import models_in, stem

_COLUMNS = {
    "cover_psnr": "cover PSNR",
    "others_psnr": "others PSNR",
    "others_y_psnr": "others Y",
    "cover_ssim": "cover SSIM",
    "others_ssim": "others SSIM",
}
_LAYERS = {
    "background_psnr": "background",
    "foreground_psnr": "foreground",
    "alpha_error": "alpha error",
}

_INTRODUCTION = """\
# Models

Written by `make models` from what the files say about themselves; `iic models show NAME` tells the
same and more. A file that is here never changes: a better one gets a new version. What is
superseded, and wanted only for carriers of before, is packed: `xz -d` gives the file whose SHA-256
is told.

Others are the pictures that come back besides the reference: the frames, views, secrets and layers
that the cover does not show; for `gray` and `rescale` the picture itself. Rows in italics are
figures as published, and the bars that a model trained on a CPU has to reach at least."""


def models_page(folder: Path) -> str:
    """Describe all models in a folder, in Markdown; empty if there is none.

    Raises:
        ModelError: a file cannot be read.
    """
    entries = [Entry(stem(path), path) for path in models_in(folder)]
    known = [(entry, entry.card) for entry in entries]
    known.sort(key=lambda pair: _place(*pair))
    if not known:
        return ""
    tasks = list(dict.fromkeys(card.task for _, card in known))
    lines = [_INTRODUCTION]
    for task in tasks:
        lines += ["", *_task(task, [(e, c) for e, c in known if c.task == task])]
    lines += ["", "## Protocol", "", f"{PROTOCOL}.", "", "Cases:", ""]
    lines += [f"- `{task}`: {RULES[task]}." for task in tasks if task in RULES]
    words = {s.name: s.words for task in tasks for s in SETS.get(task, ())}
    lines += ["", "Test sets:", "", *(f"- {name}: {text}." for name, text in words.items())]
    lines += ["", "## Files"]
    for entry, card in known:
        lines += ["", *_section(entry, card)]
    return "\n".join(lines) + "\n"


def sets_of(card: Card) -> dict[str, dict[str, dict[str, float]]]:
    """The figures that a card keeps: name of the test set to quality to figure.

    The first models kept those of one set, DAVIS, at the place where now the sets are.
    """
    metrics = card.metrics
    if "sets" in metrics:
        found: dict[str, dict[str, dict[str, float]]] = metrics["sets"]
        return found
    return {"DAVIS": metrics["qualities"]} if "qualities" in metrics else {}


def _place(entry: Entry, card: Card) -> tuple[Any, ...]:
    tasks = list(MODULES)
    task = tasks.index(card.task) if card.task in tasks else len(tasks)
    return task, card.scale, card.pictures, entry.base, entry.version


def _task(task: str, models: Sequence[tuple[Entry, Card]]) -> Iterator[str]:
    """The table of one task."""
    columns = _COLUMNS | (_LAYERS if task == "layers" else {})
    yield f"## {task}"
    yield ""
    yield f"| model | pictures | test set | quality | {' | '.join(columns.values())} |"
    yield "| --- | ---: | --- | --- |" + " ---: |" * len(columns)
    bases = list(dict.fromkeys(entry.base for entry, _ in models))
    for base in bases:
        for entry, card in models:
            if entry.base == base:
                yield from _own(card, list(columns))
        for row in (row for row in PUBLISHED if row.model == base):
            cover = "" if row.cover is None else f"{row.cover:.2f} dB"
            yield _others(row.method, row.data, cover, f"{row.others:.2f} dB", len(columns))
        if base in FIRST_BARS:
            data, bar, others = FIRST_BARS[base]
            cover = "" if bar is None else f"≥ {bar:g} dB"
            yield _others("first bar", data, cover, f"≥ {others:g} dB", len(columns))


def _own(card: Card, columns: Sequence[str]) -> Iterator[str]:
    whole = card.metrics.get("cut_from", {})
    for name, rows in sets_of(card).items():
        if name in whole:
            name = f"{name}, {card.metrics['cases'][name]} of {whole[name]} cases"
        for quality in (quality for quality in QUALITIES if quality in rows):
            cells = [_cell(column, rows[quality].get(column)) for column in columns]
            first = [card.name, str(card.pictures), name, quality]
            yield f"| {' | '.join([*first, *cells])} |"


def _others(method: str, data: str, cover: str, others: str, columns: int) -> str:
    cells = [f"*{method}*", "", f"*{data}*" if data else "", ""]
    cells += [f"*{cell}*" if cell else "" for cell in (cover, others)]
    return f"| {' | '.join(cells)} |" + "  |" * (columns - 2)


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} dB" if column.endswith("psnr") else f"{value:.4f}"


def _section(entry: Entry, card: Card) -> list[str]:
    """One model: where it comes from."""
    path, recipe = entry.path, card.recipe
    schedule = recipe.get("schedule", {})
    training = [
        words.format(value)
        for words, value in (
            ("{:.0f} minutes", schedule.get("minutes")),
            ("learning rate {}", schedule.get("rate")),
            ("batches of {}", recipe.get("batch")),
            ("crops of {} pixels", recipe.get("crop")),
        )
        if value is not None
    ]
    size = "" if card.scale == 1 else f", carrier of 1/{card.scale} their size"
    lines = [
        f"### {card.name}",
        "",
        f"- File: [{path.name}]({path.name}), {path.stat().st_size / 1e6:.2f} MB, SHA-256",
        f"  `{sha256(path)}`",
        f"- For: {card.task}, {card.pictures} {'picture' if card.pictures == 1 else 'pictures'}"
        f"{size}; network `{card.network}`",
    ]
    if card.data:
        lines.append(f"- Trained on: {card.data}")
    if training:
        lines.append(f"- Training: {', '.join(training)}")
    if "machine" in recipe:
        lines.append(f"- Machine: {recipe['machine']}, torch {recipe.get('torch', '')}")
    lines.append(f"- Licence: {card.licence}")
    return lines
