"""A whole benchmark: what is asked for, one part after the other, into one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.atomic import check_target
from iiccli.benchmarking.book import NAME, Book
from iiccli.benchmarking.fidelity import Progress, measure_fidelity
from iiccli.benchmarking.report import plots
from iiccli.benchmarking.report.page import write_report
from iiccli.benchmarking.robustness import measure_robustness
from iiccli.benchmarking.speed import Size, measure_speed
from iiccli.benchmarking.subjects import Note, chosen_models, subjects
from iiccli.benchmarking.summary import summary
from iiccli.errors import OutputError
from iiccli.evaluation.protocol import PROTOCOL
from iiccli.inference.device import choose
from iiccli.tasks.models import Loader

PARTS = ("fidelity", "robustness", "speed")

Meter = Callable[[str], AbstractContextManager[Progress]]
"""Given a label, shows progress for as long as its block runs."""


@dataclass(frozen=True)
class Wishes:
    """What is to be measured.

    Attributes:
        data: the folder of test pictures; see `subjects.subjects`.
        output: the folder for everything.
        parts: of `PARTS`.
        tasks: only models for these; all where there are none.
        models: only these; the newest of each where there are none.
        qualities: of the carriers; the first for speed.
        sizes: for speed, from the smallest on.
        limit: the first so many cases of each set.
        device: see `iiccli.inference.device.choose`.
        force: measure again what is there.
    """

    data: Path
    output: Path
    parts: Sequence[str]
    tasks: Sequence[str]
    models: Sequence[str]
    qualities: Sequence[str]
    sizes: Sequence[Size]
    limit: int | None
    device: str
    force: bool


def run(wishes: Wishes, meter: Meter, note: Note) -> dict[str, Any]:
    """Measure, and write bench.json and report.html.

    What bench.json has already is kept and not measured again, so a run that was stopped goes on,
    and more can be added to one that has ended. The report is of all that the file holds.

    Args:
        wishes: what is measured.
        meter: shows how far it is.
        note: told what is left out.

    Returns:
        What bench.json holds.

    Raises:
        UsageError, ModelError, InputError, DeviceError: something asked for is not there.
        OutputExistsError: the folder holds something else.
        OutputError: it cannot be written.
    """
    choose(wishes.device)
    models = chosen_models(wishes.tasks, wishes.models)
    book = open_book(wishes.output, force=wishes.force)
    measured = [part for part in PARTS if part in wishes.parts]
    if measured != ["speed"]:
        planned = subjects(wishes.data, models, wishes.qualities, wishes.limit, note)
        totals = {f"{s.card.task}: {s.set}": s.of for s in planned}
        book.facts["sets"] = {**book.facts.get("sets", {}), **totals}
        loader = Loader(device=wishes.device)
        for part, measure in (("fidelity", measure_fidelity), ("robustness", measure_robustness)):
            if part in measured:
                with meter(part) as tell:
                    measure(planned, book, loader, force=wishes.force, progress=tell, note=note)
    if "speed" in measured:
        with meter("speed") as tell:
            measure_speed(
                models,
                wishes.sizes,
                wishes.data,
                book,
                quality=wishes.qualities[0],
                device=wishes.device,
                force=wishes.force,
                progress=tell,
            )
    book.facts["protocol"] = PROTOCOL
    book.facts["summary"] = summary(book.facts)
    book.save()
    if not plots.available():
        note("matplotlib is not installed (pip install 'iiccli[train]'): the report has no plots.")
    write_report(book.facts, wishes.output)
    return book.facts


def open_book(folder: Path, *, force: bool) -> Book:
    """The book in a folder, or a new one.

    Raises:
        OutputExistsError: the folder holds other things, and `force` is false.
        OutputError: it is a file, or cannot be written.
        InputError: there is a bench.json of another kind.
    """
    path = folder / NAME
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder.", "Choose another name with -o.")
    if not path.exists():
        check_target(folder, force=force)
    return Book(path)
