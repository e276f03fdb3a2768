"""What is measured: models, on test sets, at qualities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases import CaseOptions, Planned, plan_cases
from iiccli.evaluation.standard import SETS, StandardSet
from iiccli.tasks.conversion import MODULES
from iiccli.zoo.catalogue import Entry, entries, find
from iiccli.zoo.modelfile import Card

Note = Callable[[str], None]
"""Told what is left out, in one sentence."""


@dataclass(frozen=True)
class Subject:
    """A model at one quality, on one test set.

    Attributes:
        entry: the model.
        card: what it says about itself.
        sha256: of its file.
        set: name of the test set.
        quality: of the carrier.
        cases: in order, as many as wanted.
        of: how many cases the set has.
    """

    entry: Entry
    card: Card
    sha256: str
    set: str
    quality: str
    cases: Sequence[Planned]
    of: int


def chosen_models(tasks: Sequence[str], names: Sequence[str]) -> list[Entry]:
    """The models named; else the newest version of each at hand, in the order of tasks.

    Args:
        tasks: only models for these; all where there are none.
        names: names or paths; all where there are none.

    Raises:
        UsageError: there is no such task.
        ModelError: there is no such model, or none at all.
    """
    for task in tasks:
        if task not in MODULES:
            raise UsageError(f"There is no task {task!r}.", f"Choose one of: {', '.join(MODULES)}.")
    if names:
        found = [find(name) for name in names]
    else:
        newest = {entry.base: entry for entry in entries()}  # versions are in order
        found = list(newest.values())
    kept = [entry for entry in found if not tasks or entry.card.task in tasks]
    if not kept:
        what = f"for {' or '.join(tasks)}" if tasks else "at hand"
        raise ModelError(f"There is no model {what} to be measured.", "See `iic models`.")
    order = list(MODULES)
    return sorted(kept, key=lambda e: (order.index(e.card.task), e.card.scale, e.card.pictures))


def subjects(
    root: Path,
    models: Sequence[Entry],
    qualities: Sequence[str],
    limit: int | None,
    note: Note,
) -> list[Subject]:
    """All that is measured, model by model.

    Args:
        root: the folder of all standard test sets, as many as there are; or one folder of the
            user's own pictures, which then serves every task that it has pictures for.
        models: see `chosen_models`.
        qualities: names of qualities.
        limit: the first so many cases of each set.
        note: told of sets that are not there.

    Raises:
        InputError: there is nothing to be measured.
    """
    if not root.is_dir():
        raise InputError(f"There is no folder {root}.", "Name the folder of test pictures.")
    found = []
    for entry in models:
        card, digest = entry.card, entry.hash
        for test_set in sets_in(root, card.task):
            options = test_set.options
            if options.backgrounds is not None:
                options = replace(options, backgrounds=root / options.backgrounds)
            try:
                plan = plan_cases(card, root / test_set.folder, options)
            except InputError as error:
                note(f"{entry.name} is not measured on {test_set.name}: {error.message}")
                continue
            cases = plan.cases[:limit]
            total = len(plan.cases)
            found += [
                Subject(entry, card, digest, test_set.name, quality, cases, total)
                for quality in qualities
            ]
    if not found:
        raise InputError(
            f"The folder {root} has no pictures for {_tasks(models)}.",
            "Name the folder that holds the test sets, such as Kodak24 and video.",
        )
    return found


def sets_in(root: Path, task: str) -> list[StandardSet]:
    """The standard sets of a task that are there; where no set of any task is, `root` itself."""
    known = {name for sets in SETS.values() for s in sets for name in [s.folder]}
    if any((root / name).is_dir() for name in known):
        return [s for s in SETS[task] if all(p.is_dir() for p in _folders(root, s))]
    own = CaseOptions(backgrounds=Path()) if task == "layers" else CaseOptions()
    return [StandardSet(root.resolve().name, ".", own)]


def _folders(root: Path, test_set: StandardSet) -> Iterator[Path]:
    yield root / test_set.folder
    if test_set.options.backgrounds is not None:
        yield root / test_set.options.backgrounds


def _tasks(models: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(entry.card.task for entry in models))
