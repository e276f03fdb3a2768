"""From a folder of data sets to manifests of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from iiccli.atomic import check_target
from iiccli.datasets.groups import Groups
from iiccli.datasets.layouts.base import Desk, Draft, Layout, Note, Request
from iiccli.datasets.layouts.div2k import ZOOMS
from iiccli.datasets.manifest import Manifest, write_manifest
from iiccli.datasets.scanning import Progress
from iiccli.errors import InputError, UsageError

FOLDER = "manifests"
"""Below the root."""


@dataclass(frozen=True)
class Prepared:
    """What was written.

    Attributes:
        manifests: in the order of the splits.
        left_out: sentences on what is damaged or odd, with the items that it costs.
        remarks: other sentences for the user.
    """

    manifests: tuple[Manifest, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]

    def groups(self) -> list[int]:
        """How many groups each manifest gives."""
        return [len(Groups(manifest)) for manifest in self.manifests]


def request_for(
    layout: Layout,
    root: Path,
    *,
    only: Sequence[str] = (),
    pictures: int | None = None,
    zooms: Sequence[int] = (),
) -> Request:
    """A request that a layout can meet.

    Args:
        layout: of the data set.
        root: the folder of all data sets.
        only: splits; empty takes all that there are.
        pictures: how many are embedded together; None takes what is usual.
        zooms: of double views; empty takes all that are there.

    Raises:
        UsageError: the data set has no such split, number of pictures, or zooms.
    """
    for split in only:
        if split not in layout.splits:
            known = ", ".join(layout.splits)
            raise UsageError(f"{layout.alias} has no split {split!r}.", f"Its splits: {known}.")
    if pictures is not None and pictures not in (layout.choice or (layout.pictures,)):
        known = ", ".join(map(str, layout.choice or (layout.pictures,)))
        raise UsageError(
            f"{layout.alias} does not come in groups of {pictures}.", f"Possible: {known}."
        )
    if zooms and layout.task != "dual":
        raise UsageError(f"{layout.alias} has no zoom.", "--zoom is for div2k-dual.")
    for zoom in zooms:
        if zoom not in ZOOMS:
            known = ", ".join(map(str, ZOOMS))
            raise UsageError(f"There is no zoom of {zoom}.", f"Possible: {known}.")
    splits = tuple(split for split in layout.splits if not only or split in only)
    return Request(root, splits, pictures or layout.pictures, tuple(dict.fromkeys(zooms)))


def prepare(
    layout: Layout,
    request: Request,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    note: Note = lambda sentence: None,
) -> Prepared:
    """Look at every file of a data set and write its manifests, all of them or none.

    Args:
        layout: of the data set.
        request: see `request_for`.
        force: replace manifests that exist.
        progress: told how far it is.
        note: told each sentence of `Prepared` as soon as it is known.

    Raises:
        InputError: something is missing; all of it is listed. Or nothing is left of a split.
        OutputExistsError: a manifest exists and `force` is false.
        OutputError: the system refuses to write.
    """
    _check_needs(layout, request)
    folder = request.root / FOLDER
    for stem in layout.stems(request):
        check_target(_file(folder, stem), force=force)
    desk = Desk(request.root, progress, note)
    drafts = list(layout.drafts(request, desk))
    for draft in drafts:
        _check_draft(layout, draft)
    written = []
    for draft in drafts:
        path = _file(folder, draft.stem)
        write_manifest(path, draft.heading, draft.items, force=force)
        written.append(Manifest(draft.heading, draft.items, path))
    return Prepared(tuple(written), tuple(desk.left_out), tuple(desk.remarks))


def _file(folder: Path, stem: str) -> Path:
    return folder / f"{stem}.jsonl"


def _check_needs(layout: Layout, request: Request) -> None:
    problems = _missing(layout, request)
    if not problems:
        return
    number = "one thing is" if len(problems) == 1 else f"{len(problems)} things are"
    lines = "".join(f"\n  {problem}" for problem in problems)
    single = {split: replace(request, splits=(split,)) for split in request.splits}
    whole = [f"--only {split}" for split, r in single.items() if not _missing(layout, r)]
    enough = f" What is there is enough for {' '.join(whole)}." if whole else ""
    raise InputError(
        f"{layout.alias} is not complete: {number} missing.{lines}",
        f"Get it from {layout.source}; docs/data.md shows the tree.{enough}",
    )


def _missing(layout: Layout, request: Request) -> list[str]:
    return [need.problem for need in layout.needs(request) if need.problem]


def _check_draft(layout: Layout, draft: Draft) -> None:
    if draft.items:
        return
    splits = f"the {draft.heading.split} split of {layout.alias}"
    raise InputError(
        f"Nothing is left for {splits}, so no manifest was written.",
        "The set is not whole, or damaged; --only takes other splits.",
    )
