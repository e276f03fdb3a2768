"""Robustness: what still comes back after what happens to pictures on their way."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from iiccli.benchmarking.book import FIDELITY, ROBUSTNESS, Book
from iiccli.benchmarking.contestants import NETWORK, Contestant, Job, contestants
from iiccli.benchmarking.damage import DAMAGES, damaged
from iiccli.benchmarking.fidelity import Progress, key, prepared
from iiccli.benchmarking.subjects import Note, Subject
from iiccli.errors import IicError, InputError
from iiccli.evaluation.comparing import compared
from iiccli.evaluation.likeness import mean_psnr
from iiccli.evaluation.metrics import psnr
from iiccli.tasks.models import Loader


def measure_robustness(
    subjects: Sequence[Subject],
    book: Book,
    loader: Loader,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    note: Note = lambda line: None,
) -> None:
    """Damage the carriers of our models and of the classical ways, and restore what is left.

    Of each model the first test set serves. What is in the book already is left alone.

    Args:
        subjects: what is measured.
        book: keeps the figures; saved after each contestant.
        loader: of models.
        force: measure again what is there.
        progress: told how far it is.
        note: told what is left out.
    """
    firsts = first_sets(subjects)
    total = sum(len(subject.cases) for subject in firsts)
    done = 0
    for subject in firsts:
        field = [c for c in contestants(subject.entry, subject.card, loader) if c.fair]
        for planned in subject.cases:
            progress(done, total, 0.0)
            done += 1
            if all(not _missing(book, subject, planned.name, c, force) for c in field):
                continue
            try:
                case = planned.read()
            except InputError as error:
                note(f"{planned.name} is left out: {error.message}")
                continue
            known = book.find(FIDELITY, key(subject, case.name, field[0]))
            level = float((known or {}).get("cover_psnr", "inf"))
            for contestant in field:
                names = _missing(book, subject, case.name, contestant, force)
                if not names and (contestant.name != NETWORK or level < float("inf")):
                    continue
                job = prepared(case, subject, loader, level)
                found, own = _restored(contestant, job, names)
                level = own if contestant.name == NETWORK else level
                for name, values in found.items():
                    book.put(ROBUSTNESS, _key(subject, case.name, contestant, name), values)
                book.save()
    progress(total, total, 0.0)


def first_sets(subjects: Sequence[Subject]) -> list[Subject]:
    """Of each model and quality, the first set."""
    firsts: dict[tuple[str, str], Subject] = {}
    for subject in subjects:
        firsts.setdefault((subject.entry.name, subject.quality), subject)
    return list(firsts.values())


def _key(subject: Subject, case: str, contestant: Contestant, damage: str) -> dict[str, Any]:
    return key(subject, case, contestant) | {"damage": damage}


def _missing(
    book: Book, subject: Subject, case: str, contestant: Contestant, force: bool
) -> list[str]:
    return [
        name
        for name in DAMAGES
        if force or book.find(ROBUSTNESS, _key(subject, case, contestant, name)) is None
    ]


def _restored(
    contestant: Contestant, job: Job, names: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], float]:
    """Figures by damage, or why there are none; and the PSNR of the undamaged carrier."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        try:
            contestant.embed(job, path)
        except IicError as error:
            return {name: {"why": error.message} for name in names}, float("inf")
        whole = contestant.restore(job, path).carrier
        place = Path(folder) / "damaged"
        place.mkdir()
        found = {
            name: _after(contestant, job, damaged(name, path, place), str(place)) for name in names
        }
    return found, psnr(whole, job.cover)


def _after(contestant: Contestant, job: Job, path: Path, folder: str) -> dict[str, Any]:
    """What comes back from a damaged carrier: PSNR in dB, and the share that was found broken."""
    try:
        back = contestant.restore(job, path)
    except IicError as error:
        return {"why": error.message.replace(f"{folder}/", "")}
    restored = back.restored
    if [p.shape for p in restored.pictures] != [p.shape for p in job.pictures]:
        height, width = restored.pictures[0].shape[:2]
        return {"why": f"What comes back has another size, {width}×{height}."}
    pairs = compared(job.card, job.case, back.header, restored).pairs
    each = [psnr(np.asarray(a), b) for a, b in pairs]
    others = [v for i, v in enumerate(each) if i != job.case.reference] or each
    return {
        "others_psnr": mean_psnr(others),
        "restored_psnr": mean_psnr(each),
        "broken": restored.damaged,
    }
