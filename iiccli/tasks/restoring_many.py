"""Restoring carriers that do not belong together: where each result goes, and one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from iiccli.carrier import Carrier, Header
from iiccli.errors import IicError
from iiccli.media.image import read_picture
from iiccli.tasks.batch import Job, State, alike, check_distinct, is_folder, own_results, too_large
from iiccli.tasks.conversion import Conversion
from iiccli.tasks.models import Loader
from iiccli.tasks.parts import Bad, Group, find_carriers, grouped, read_parts, with_pixels
from iiccli.tasks.restoring import (
    Keep,
    Progress,
    Report,
    check_any_target,
    conversion_of,
    keep_nothing,
    restore_carriers,
    spare,
)
from iiccli.tasks.unmarked import Told, read_told, single
from iiccli.tasks.way import Choice, is_moving

LABEL = "restored"
"""What results are called that are given no name: `STEM.restored/` or `STEM.restored.png`."""


@dataclass(frozen=True)
class RestoreJob:
    """One carrier, or all parts of a clip, to restore.

    Attributes:
        carriers: see `parts.Group`.
        target: where to; a slash at the end is a folder.
        named: the user named this very target, so that finding it there is an error.
    """

    carriers: list[Carrier]
    target: str
    named: bool = False


@dataclass(frozen=True)
class RestoreOutcome:
    """What became of a job, or of a file that is none.

    Attributes:
        path: the carrier, the first one of a clip.
        target: where to; empty for what could not even be planned.
        state: `done`, `skipped` (the results were there) or `failed`.
        report: what came back, if it did now.
        error: why it failed.
    """

    path: Path
    target: str
    state: State
    report: Report | None = None
    error: IicError | None = None


def plan(
    sources: Sequence[Path],
    output: str | None,
    loader: Loader,
    choice: Choice,
    *,
    recursive: bool = False,
    force: bool = False,
    accept: Callable[[Carrier], None] = lambda carrier: None,
) -> tuple[list[RestoreJob], list[Bad]]:
    """Give every carrier, or every whole clip, its target.

    One carrier and one clip go right into the target. Of several, and of carriers in a folder,
    each goes below it: into `NAME/`, or as `NAME.png` if one picture comes back, in the tree in
    which they lay. Without an output results go beside their carriers.

    Args:
        sources: carriers and folders of them.
        output: a file or folder.
        loader: tells the conversion where a header has lost it.
        choice: what is wanted.
        recursive: go into folders of folders.
        force: replace what exists.
        accept: raises an `IicError` for carriers that are not wanted.

    Returns:
        What to do, and what cannot be restored.

    Raises:
        IicError: nothing can be, or a single target does not suit.
    """
    items = find_carriers(sources, recursive, _earlier_results(output))
    paths = [item.sources[0] for item in items]
    if output is not None and (not is_folder(output) or len(paths) == 1):
        check_any_target(output, force=force)
    if output is not None and not is_folder(output):
        spare(paths, output)
        carriers = read_parts(paths, loader.phrase)
        accept(carriers[0])
        return [RestoreJob(carriers, output, named=True)], []
    groups, bad = grouped(items, loader.phrase)
    if not groups and len(paths) == 1:
        raise bad[0].error
    kinds: list[tuple[Group, Conversion]] = []
    for group in groups:
        try:
            accept(group.carriers[0])
            kinds.append((group, conversion_of(group.carriers[0].header, loader)))
        except IicError as error:
            if len(paths) == 1:
                raise
            bad.append(Bad(group.carriers[0].path, error))
    if output is not None and len(kinds) == 1 and not bad:
        group, kind = kinds[0]
        if group.folder is None or is_moving(kind, group.carriers):
            check_any_target(output, force=force)
            return [RestoreJob(group.carriers, output, named=True)], []
    jobs = [
        RestoreJob(group.carriers, _target(_base(group, output), group, kind, choice))
        for group, kind in kinds
    ]
    check_distinct([Job(tuple(c.path for c in job.carriers), Path(job.target)) for job in jobs])
    return jobs, bad


def _earlier_results(output: str | None) -> Callable[[Path], bool]:
    """Tell which files of folders are what an earlier run has restored."""
    beside = own_results(None, LABEL)
    below = own_results(output, LABEL) if output is not None else beside

    def restored(path: Path) -> bool:
        return beside(path) or below(path) or path.parent.name.endswith(f".{LABEL}")

    return restored


def plan_told(
    sources: Sequence[Path],
    output: str | None,
    loader: Loader,
    choice: Choice,
    what: Told,
    *,
    force: bool = False,
) -> RestoreJob:
    """Give a carrier without header its target; see `plan`.

    Raises:
        IicError: it cannot be restored, or the target does not suit.
    """
    source = single(sources)
    if output is not None:
        check_any_target(output, force=force)
        spare([source], output)
    carrier = read_told(source, what, loader)
    if output is not None:
        return RestoreJob([carrier], output, named=True)
    group = Group([carrier], Path(source.stem), None)
    kind = conversion_of(carrier.header, loader)
    return RestoreJob([carrier], _target(_base(group, None), group, kind, choice))


def _base(group: Group, output: str | None) -> Path:
    """Where a result goes, without suffix."""
    if output is not None:
        return Path(output) / group.place
    first = group.carriers[0].path
    if len(group.carriers) > 1 and group.folder is not None:
        folder = first.parent.resolve()
        return folder.with_name(f"{folder.name}.{LABEL}")
    return first.with_name(f"{first.stem}.{LABEL}")


def _target(base: Path, group: Group, kind: Conversion, choice: Choice) -> str:
    header = group.carriers[0].header
    form = kind.forms.get(choice.form or "")
    if form is not None and form.write is not None:
        return f"{base}{form.suffix}"
    if is_moving(kind, group.carriers) and not (kind.clip and choice.only):
        return f"{base}/"
    alone = choice.only is not None or (form is not None and form.combine is not None)
    return f"{base}.png" if alone or len(kind.names(header)) == 1 else f"{base}/"


def run(
    jobs: Sequence[RestoreJob],
    loader: Loader,
    choice: Choice,
    *,
    force: bool = False,
    progress: Callable[[int], Progress] = lambda number: lambda done, total, share: None,
    keep: Keep = keep_nothing,
) -> Iterator[RestoreOutcome]:
    """Restore one after the other; one that fails does not stop the others.

    Where all that would be written is there and can be read, it is left as it is, unless the
    user named the target or `force` is given.

    Args:
        jobs: see `plan`.
        loader: gives the models.
        choice: what is wanted.
        force: replace what exists.
        progress: given a job's number, whom to tell how far it is.
        keep: see `Keep`.
    """
    for number, job in enumerate(jobs):
        path = job.carriers[0].path
        try:
            if not (force or job.named) and _is_there(job, loader, choice):
                outcome = RestoreOutcome(path, job.target, "skipped")
            else:
                report = restore_carriers(
                    job.carriers,
                    job.target,
                    loader,
                    choice,
                    force=force,
                    progress=progress(number),
                    keep=keep,
                )
                outcome = RestoreOutcome(path, job.target, "done", report)
        except IicError as error:
            outcome = RestoreOutcome(path, job.target, "failed", error=error)
        except MemoryError:
            outcome = RestoreOutcome(path, job.target, "failed", error=too_large(path))
        yield outcome


def _is_there(job: RestoreJob, loader: Loader, choice: Choice) -> bool:
    header = job.carriers[0].header
    kind = conversion_of(header, loader)
    target = Path(job.target)
    try:
        if target.is_file():
            picture = read_picture(target)
            # The one picture that comes back looks like its carrier; of several, who knows.
            looks = len(kind.names(header)) > 1
            return looks or alike(
                picture.pixels, with_pixels(job.carriers[0], loader.phrase).pixels
            )
        if not target.is_dir():
            return False
        for file in _expected(job, kind, header, choice):
            read_picture(target / file)
    except IicError:
        return False
    return True


def _expected(job: RestoreJob, kind: Conversion, header: Header, choice: Choice) -> list[str]:
    """Names of the files that a job writes into its folder."""
    if not is_moving(kind, job.carriers):
        return [f"{name}.png" for name in kind.names(header)]
    if kind.clip or choice.form or choice.only:
        frames = sum(c.header.valid if kind.clip else 1 for c in job.carriers)
        return [f"{i + 1:04}.png" for i in range(frames)]
    return [f"{n}/{i + 1:04}.png" for n in kind.names(header) for i in range(len(job.carriers))]
