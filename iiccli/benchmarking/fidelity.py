"""Fidelity: what comes back from our models and from all other ways, on the same pictures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from iiccli.benchmarking.book import FIDELITY, GALLERY, Book
from iiccli.benchmarking.contestants import NETWORK, Back, Contestant, Job, contestants
from iiccli.benchmarking.gallery import FOLDER, hang
from iiccli.benchmarking.subjects import Note, Subject
from iiccli.errors import IicError, InputError
from iiccli.evaluation.cases import Case
from iiccli.evaluation.comparing import taken
from iiccli.evaluation.protocol import judged
from iiccli.tasks.models import Loader

Progress = Callable[[int, int, float], None]
"""Told: parts done, parts in all, share of the present one."""


def measure_fidelity(
    subjects: Sequence[Subject],
    book: Book,
    loader: Loader,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    note: Note = lambda line: None,
) -> None:
    """Measure all contestants on every case that the book does not have yet.

    The book is saved after each case. A contestant that cannot do a case gets a row that says
    why; a case that cannot be read is told and left out.

    Args:
        subjects: what is measured.
        book: keeps the figures, and pictures of the first case of each model beside it.
        loader: of models.
        force: measure again what is there.
        progress: told how far it is.
        note: told what is left out.
    """
    total = sum(len(subject.cases) for subject in subjects)
    done = 0
    shown = set()
    for subject in subjects:
        field = contestants(subject.entry, subject.card, loader)
        wall = (subject.entry.name, subject.quality)
        for number, planned in enumerate(subject.cases):
            progress(done, total, 0.0)
            done += 1
            first = number == 0 and wall not in shown
            shown.add(wall)
            missing = [
                c for c in field if force or not book.find(FIDELITY, key(subject, planned.name, c))
            ]
            hung = not first or (not force and _hangs(book, subject))
            if not missing and hung:
                continue
            try:
                case = planned.read()
            except InputError as error:
                note(f"{planned.name} is left out: {error.message}")
                continue
            _one(case, subject, field if not hung else missing, book, loader, show=not hung)
            book.save()
    progress(total, total, 0.0)


def key(subject: Subject, case: str, contestant: Contestant) -> dict[str, Any]:
    """What identifies a row."""
    network = contestant.name == NETWORK
    return {
        "task": subject.card.task,
        "model": subject.entry.name,
        "set": subject.set,
        "quality": subject.quality,
        "case": case,
        "contestant": contestant.name,
        # Others are held to the model's cover, so their figures are as old as it is.
        "sha256": subject.sha256 if network or contestant.fair else None,
        "version": contestant.version,
    }


def prepared(case: Case, subject: Subject, loader: Loader, psnr: float = float("inf")) -> Job:
    """A case as all contestants get it; see `Job` for `psnr`."""
    converter = loader.load(subject.entry).converter
    pictures = taken(subject.card, case)
    cover = converter.cover(pictures[case.reference])
    return Job(case, subject.card, subject.quality, pictures, cover, psnr)


def _hangs(book: Book, subject: Subject) -> bool:
    row = book.find(GALLERY, _wall(subject))
    return row is not None and all(
        (book.path.parent / FOLDER / panel["file"]).is_file() for r in row["rows"] for panel in r
    )


def _wall(subject: Subject) -> dict[str, Any]:
    return {
        "model": subject.entry.name,
        "quality": subject.quality,
        "sha256": subject.sha256,
        "version": 1,
    }


def _one(
    case: Case,
    subject: Subject,
    field: Sequence[Contestant],
    book: Book,
    loader: Loader,
    *,
    show: bool,
) -> None:
    """Measure some contestants, the model first, on one case."""
    known = [row for row in _of_case(book, subject, case) if row["contestant"] == NETWORK]
    psnr = float(known[0].get("cover_psnr") or "inf") if known else float("inf")
    found: list[tuple[Contestant, Back]] = []
    for contestant in field:
        job = prepared(case, subject, loader, psnr)
        values, back = attempt(contestant, job)
        book.put(FIDELITY, key(subject, case.name, contestant), values)
        if contestant.name == NETWORK:
            psnr = values.get("cover_psnr", float("inf"))
        if back is not None:
            found.append((contestant, back))
    if show and found and found[0][0].name == NETWORK:
        rows = hang(book.path.parent, f"{subject.entry.name}-{subject.quality}", job, found)
        book.put(GALLERY, _wall(subject), {"set": subject.set, "case": case.name, "rows": rows})


def _of_case(book: Book, subject: Subject, case: Case) -> list[dict[str, Any]]:
    return book.rows(
        FIDELITY,
        model=subject.entry.name,
        set=subject.set,
        quality=subject.quality,
        case=case.name,
        sha256=subject.sha256,
    )


def attempt(contestant: Contestant, job: Job) -> tuple[dict[str, Any], Back | None]:
    """Embed, write, read, restore and compare; figures, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        begun = time.perf_counter()
        try:
            contestant.embed(job, path)
            between = time.perf_counter()
            back = contestant.restore(job, path)
        except IicError as error:
            return {"why": error.message}, None
        ended = time.perf_counter()
        size = path.stat().st_size
    result = judged(job.case, job.card, job.cover, back.carrier, back.header, back.restored)
    return {
        **result.figures,
        "embed_seconds": between - begun,
        "restore_seconds": ended - between,
        "file_bytes": size,
    }, back
