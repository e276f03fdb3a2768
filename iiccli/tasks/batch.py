"""Many carriers in one go: which inputs there are, where each result goes, what is left to do.

A verb turns its arguments into `Item`s (`find_items`, or its own for several sources a carrier),
gives them targets with `plan`, and has `run` make them one by one. Nothing is made before all
targets are known to differ.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from iiccli.carrier import FORMATS, Header, read_carrier
from iiccli.errors import DeviceError, IicError, InputError, UsageError
from iiccli.media.frames import STILL_SUFFIXES, frames_by_pattern, natural_key
from iiccli.media.image import resize
from iiccli.tasks.conversion import Made
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pictures import Pixels, quality_index
from iiccli.tasks.stills import read_flat, read_noted

State = Literal["done", "skipped", "failed"]

_THUMBNAIL = (32, 32)
_ALIKE = 6.0
"""Mean difference of thumbnails up to which a carrier is taken for that of a picture: what is
hidden moves a thumbnail by less than 1, and two pictures of one series lie above 10."""


@dataclass(frozen=True)
class Item:
    """What one result is made from.

    Attributes:
        sources: files, the one that gives the name first.
        place: where the result goes below an output folder, without suffix: `trip/photo`.
        folder: the folder that was given as a whole; None where the file itself was.
    """

    sources: tuple[Path, ...]
    place: Path
    folder: Path | None = None


@dataclass(frozen=True)
class Job:
    """One result to make.

    Attributes:
        sources: what from.
        target: where to.
        named: the user named this very target, so that finding it there is an error.
    """

    sources: tuple[Path, ...]
    target: Path
    named: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: the job.
        state: `done`, `skipped` (the result was there, and whole) or `failed`.
        made: the carrier, if it was made now.
        error: why it failed.
    """

    job: Job
    state: State
    made: Made | None = None
    error: IicError | None = None


EmbedOne = Callable[[Sequence[Path], Path], Made]
"""Makes one carrier from its sources at the target."""


def find_items(
    inputs: Sequence[Path],
    *,
    recursive: bool = False,
    suffixes: Collection[str] = STILL_SUFFIXES,
    leave_out: Callable[[Path], bool] = lambda path: False,
    noun: str = "pictures",
) -> list[Item]:
    """One item for each file, and for each picture in each folder, in natural order.

    Args:
        inputs: files, folders, and patterns such as `*.jpg` where no shell has expanded them.
            A file is taken whatever it is called.
        recursive: go into the folders of a folder, too.
        suffixes: of the files to take out of folders. Hidden files are left out.
        leave_out: tells which files of folders are to be passed over.
        noun: what the files are, for the error.

    Raises:
        InputError: a folder holds nothing to take, or cannot be read, or nothing matches a
            pattern.
    """
    items: list[Item] = []
    for source in _expanded(inputs):
        if not source.is_dir():
            items.append(Item((source,), Path(source.stem)))
            continue
        # Whoever names a folder of results means them.
        all_of_it = leave_out(source / f"any{next(iter(suffixes))}")
        inside = [
            path
            for path in _files(source, recursive)
            if path.suffix.lower() in suffixes and (all_of_it or not leave_out(path))
        ]
        if not inside:
            raise InputError(
                f"The folder {source} holds no {noun}.",
                f"Looked for: {', '.join(sorted(suffixes))}."
                + ("" if recursive else " With --recursive the folders in it are searched, too."),
            )
        items += [Item((p,), p.relative_to(source).with_name(p.stem), source) for p in inside]
    return items


def _expanded(inputs: Sequence[Path]) -> Iterator[Path]:
    for source in inputs:
        if any(letter in str(source) for letter in "*?[") and not source.exists():
            yield from frames_by_pattern(str(source))
        else:
            yield source


def _files(folder: Path, recursive: bool) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir(), key=lambda path: natural_key(path.name))
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error
    shown = [path for path in entries if not path.name.startswith(".")]
    yield from (path for path in shown if path.is_file())
    if recursive:
        for path in shown:
            if path.is_dir() and not path.is_symlink():  # a link may lead round in a circle
                yield from _files(path, recursive)


def is_folder(output: str) -> bool:
    """Tell whether `-o` means a folder: it is one, ends in a slash, or has no suffix."""
    slashes = (os.sep,) if os.altsep is None else (os.sep, os.altsep)
    return output.endswith(slashes) or not Path(output).suffix or Path(output).is_dir()


def own_results(output: str | None, label: str) -> Callable[[Path], bool]:
    """Tell for `find_items` which files of a folder are results of an earlier run.

    Args:
        output: as given with `-o`.
        label: what results are called without it, see `plan`.
    """
    if output is None:
        return lambda path: path.name.endswith(f".{label}.png")
    place = Path(output).resolve()
    return lambda path: place in path.resolve().parents


def plan(
    items: Sequence[Item],
    output: str | None,
    label: str,
    *,
    single: bool = True,
    suffix: str = ".png",
) -> list[Job]:
    """Give every item its target.

    Args:
        items: what to make.
        output: as given with `-o`: a file, or a folder that keeps the items' places; None puts
            each result beside its first source, as `STEM.LABEL.png`.
        label: see `output`.
        single: whether a file may be meant; not if the input was a folder.
        suffix: of results whose name is not given.

    Raises:
        UsageError: several items and a single file, two items with one target, or a target that
            is a source.
    """
    if not items:
        raise UsageError("There is nothing to do.", "Name at least one picture.")
    if output is None:
        jobs = [
            Job(i.sources, i.sources[0].with_name(f"{i.place.name}.{label}{suffix}")) for i in items
        ]
    elif is_folder(output):
        jobs = [
            Job(i.sources, Path(output) / i.place.with_name(i.place.name + suffix)) for i in items
        ]
    elif len(items) == 1 and single:
        jobs = [Job(items[0].sources, Path(output), named=True)]
    else:
        raise UsageError(
            f"{output} is one file; what comes of several inputs, or of a folder, is not.",
            f"Give a folder, such as -o {Path(output).with_suffix('')}/.",
        )
    check_distinct(jobs)
    return jobs


def check_distinct(jobs: Sequence[Job]) -> None:
    """Refuse jobs with one target, or a target that is a source.

    Raises:
        UsageError: there are such.
    """
    sources = {_key(path): path for job in jobs for path in job.sources}
    taken: dict[str, Job] = {}
    for job in jobs:
        key = _key(job.target)
        if key in sources:
            raise UsageError(
                f"{job.target} would overwrite {sources[key]}, which is one of the inputs.",
                "Give another name or folder with -o.",
            )
        if key in taken:
            one, other = taken[key].sources[0], job.sources[0]
            if _key(one) == _key(other):
                raise UsageError(f"{other} is given twice.", "Leave one of them out.")
            raise UsageError(
                f"{one} and {other} would both become {job.target}.",
                "Convert them one by one, or into different folders.",
            )
        taken[key] = job


def _key(path: Path) -> str:
    return os.path.normcase(path.resolve())


def run(
    jobs: Sequence[Job],
    embed_one: EmbedOne,
    task: str,
    *,
    force: bool = False,
    same: Callable[[Job, Header], bool] = lambda job, header: True,
    look: bool = True,
    strip: bool = False,
) -> Iterator[Outcome]:
    """Do the jobs, one after the other; a job that fails does not stop the others.

    A target that is a whole carrier of this conversion, of the same picture, is left as it is,
    unless the user named it or `force` is given.

    Args:
        jobs: see `plan`.
        embed_one: makes one carrier; what it raises as an `IicError` is the job's failure.
        task: of the carriers.
        force: make what is there, too. `embed_one` has to know it as well.
        same: tells by its header whether a carrier that is there is what the job would make:
            the same model, quality and so on.
        look: compare a carrier that is there with the job's first source, which it must
            resemble.
        strip: a carrier that is there must have no EXIF and no XMP.
    """
    for job in jobs:
        reference = job.sources[0] if look else None
        try:
            if not (force or job.named) and is_done(
                job.target, task, reference, partial(same, job), strip=strip
            ):
                outcome = Outcome(job, "skipped")
            else:
                outcome = Outcome(job, "done", embed_one(job.sources, job.target))
        except IicError as error:
            outcome = Outcome(job, "failed", error=error)
        except MemoryError:
            outcome = Outcome(job, "failed", error=too_large(job.sources[0]))
        yield outcome


def too_large(path: Path) -> DeviceError:
    """The error that a batch goes on after, where memory does not suffice for one of many."""
    return DeviceError(f"There is not enough memory for {path}.", "Shrink it first.")


def is_done(
    target: Path,
    task: str,
    reference: Path | None,
    same: Callable[[Header], bool] = lambda header: True,
    *,
    strip: bool = False,
) -> bool:
    """Tell whether a target is a whole carrier of a conversion, made from that picture.

    Args:
        target: may be missing.
        task: the conversion.
        reference: a picture that the carrier has to look like.
        same: tells by the header whether it is what would be made now.
        strip: it must have no EXIF and no XMP.
    """
    if target.suffix.lower() not in FORMATS or not target.is_file():
        return False
    try:
        carrier = read_carrier(target)
        header = carrier.header
        if carrier.state != "whole" or header.task != task or not same(header):
            return False
        if strip and (carrier.attached.exif or carrier.attached.xmp):
            return False
        if reference is None:
            return True
        read = read_noted if carrier.alpha is not None else read_flat
        return alike(read(reference).pixels, carrier.pixels)
    except IicError:
        return False


def made_by(model: LoadedModel, quality: str) -> Callable[[Job, Header], bool]:
    """Tell for `run` whether a carrier that is there is of this model, quality and pass phrase."""
    level = quality_index(quality, model.converter.qualities)

    def same(job: Job, header: Header) -> bool:
        if (header.model_hash, header.quality) != (model.hash, level):
            return False
        if header.lock is None or model.phrase is None:
            return header.lock is None and model.phrase is None
        return model.phrase.key_for(header.lock) is not None

    return same


def alike(a: Pixels, b: Pixels) -> bool:
    """Tell by thumbnails whether two pictures, RGB or gray, show the same."""
    one, other = (_thumbnail(x) for x in (a, b))
    return float(np.abs(one - other).mean()) < _ALIKE


def _thumbnail(pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    small = resize(pixels, _THUMBNAIL).astype(np.float64)
    return small if small.ndim == 2 else small @ np.array([0.299, 0.587, 0.114])


def common_code(errors: Iterable[IicError | None]) -> int:
    """The exit code of a whole batch: 0, the one that all failures share, or 1."""
    codes = {error.exit_code for error in errors if error is not None}
    return codes.pop() if len(codes) == 1 else int(bool(codes))
