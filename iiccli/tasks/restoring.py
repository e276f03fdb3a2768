"""From carriers back to pictures and clips, whatever conversion made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from iiccli.atomic import atomic_folder, check_target
from iiccli.carrier import Attached, Carrier, Header, contents
from iiccli.errors import DamagedCarrierError, UsageError
from iiccli.inference.converter import no_progress
from iiccli.media.clip import CLIP_SUFFIXES, check_clip_target, write_clip
from iiccli.media.image import PICTURE_SUFFIXES, check_picture_target, resize, write_picture
from iiccli.tasks.batch import is_folder
from iiccli.tasks.conversion import ALPHA, MODULES, Conversion, Output, conversion
from iiccli.tasks.models import Loader
from iiccli.tasks.parts import find_carriers, read_parts, with_pixels
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.tasks.unmarked import Told, read_told, single
from iiccli.tasks.way import EVERYTHING, Choice, Way, wanted

DEFAULT_RATE = Fraction(25)

Progress = Callable[[int, int, float], None]
"""Called with: carriers done, carriers in all, share of the present one."""


@dataclass(frozen=True)
class RestoredOutputs:
    """What came out of one carrier, as its conversion names it.

    Attributes:
        outputs: the main one first.
        restored: the pictures behind them.
    """

    outputs: list[Output]
    restored: RestoredPictures


Keep = Callable[[Carrier, RestoredOutputs], None]
"""Called with every carrier and what came out of it."""


def keep_nothing(carrier: Carrier, restored: RestoredOutputs) -> None:
    """Forget it."""


@dataclass(frozen=True)
class Report:
    """What a restoration found.

    Attributes:
        output: what was written.
        pictures: how many came back.
        states: of the carriers, in order: `whole`, `stripped` or `changed`.
        damaged: mean share of the area whose message was broken; None if not known.
        notes: remarks on the carriers.
        task: the conversion.
        names: of the pictures that were written, where they are no frames of a clip.
        method: of the carriers, `network` or `codec`; empty where they differ.
    """

    output: Path
    pictures: int
    states: list[str]
    damaged: float | None
    notes: list[str]
    task: str = ""
    names: tuple[str, ...] = ()
    method: str = ""


def restore_outputs(
    loader: Loader,
    carrier: Carrier,
    progress: Callable[[float], None] = no_progress,
    *,
    force: bool = False,
) -> RestoredOutputs:
    """Restore what a carrier holds, by name; `force` is that of `restore_pictures`.

    Raises:
        ModelError, PhraseError, DamagedCarrierError, DeviceError: see `restore_pictures`.
    """
    restored = restore_pictures(loader, carrier, progress, force=force)
    kind = conversion_of(carrier.header, loader)
    outputs = kind.outputs(carrier.header, restored)
    outputs, remark = _with_alpha(outputs, carrier, kind.transparent)
    return RestoredOutputs(outputs, replace(restored, notes=(*restored.notes, *remark)))


def _with_alpha(
    outputs: list[Output], carrier: Carrier, name: str
) -> tuple[list[Output], tuple[str, ...]]:
    """Give the output of that name the carrier's alpha, and remark on what became of it."""
    alpha = carrier.alpha
    if alpha is None:
        lost = carrier.header.extra.get(ALPHA) is True
        return outputs, ("its alpha channel was lost since it was made",) if lost else ()
    if not name:
        return outputs, ("it has an alpha channel, which was left aside",)
    return [
        replace(out, alpha=resize(alpha, (out.pixels.shape[1], out.pixels.shape[0])))
        if out.name == name
        else out
        for out in outputs
    ], ()


def conversion_of(header: Header, loader: Loader) -> Conversion:
    """The conversion that made a carrier; where the header has lost it, the model tells.

    Raises:
        ModelError: the model is not here, or the conversion is not known.
    """
    if header.task in MODULES:
        return conversion(header.task)
    model = loader.load_for_carrier(header)
    return conversion(model.converter.card.task)


def restore(
    sources: Sequence[Path],
    target: Path | str,
    loader: Loader,
    choice: Choice = EVERYTHING,
    *,
    told: Told | None = None,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    keep: Keep = keep_nothing,
) -> Report:
    """Restore one carrier, or all parts of a clip, into `target`.

    Args:
        sources: a carrier, or parts of one clip, or their folder.
        target: a folder for pictures, a clip by its suffix, or a picture file if just one
            picture is wanted.
        loader: gives the models.
        choice: see there.
        told: what a single carrier without header holds.
        force: replace what exists, and restore what is left of a locked carrier that was changed.
        progress: see `Progress`.
        keep: see `Keep`.

    Raises:
        InputError, NotACarrierError, DamagedCarrierError, ModelError, OutputError,
        OutputExistsError, UsageError: see `errors`.
    """
    check_any_target(target, force=force)
    found = [item.sources[0] for item in find_carriers(sources)]
    spare(found, target)
    carriers = read_all(found, loader, told)
    return restore_carriers(
        carriers, target, loader, choice, force=force, progress=progress, keep=keep
    )


def read_all(paths: Sequence[Path], loader: Loader, told: Told | None = None) -> list[Carrier]:
    """Read one carrier, or all parts of a clip; see `read_parts` and `read_told`.

    Raises:
        InputError, NotACarrierError, DamagedCarrierError, ModelError, UsageError: see `errors`.
    """
    if told is not None:
        return [read_told(single(paths), told, loader)]
    return read_parts(paths, loader.phrase)


def check_any_target(target: Path | str, *, force: bool) -> None:
    """Refuse a target that suits no conversion, before any carrier is read.

    Raises:
        UsageError: its suffix is of nothing that can be written.
        OutputExistsError, OutputError: see `atomic.check_target`.
    """
    path = Path(target)
    suffix = path.suffix.lower()
    if is_folder(str(target)):
        check_target(path, force=force)
    elif suffix in PICTURE_SUFFIXES and suffix not in CLIP_SUFFIXES:
        check_picture_target(path)
        check_target(path, force=force)
    elif suffix in CLIP_SUFFIXES or not _implies_a_form(suffix):
        check_clip_target(target, force=force)
    else:
        check_target(path, force=force)


def _implies_a_form(suffix: str) -> bool:
    forms = (form for task in MODULES for form in conversion(task).forms.values())
    return any(suffix in form.implied for form in forms)


def spare(carriers: Sequence[Path], target: Path | str) -> None:
    """Refuse a target that is one of the carriers, even with `force`.

    Raises:
        UsageError: it is.
    """
    place = Path(target).resolve()
    for carrier in carriers:
        if carrier.resolve() == place:
            raise _overwrites(target, carrier)


def _overwrites(target: Path | str, carrier: Path) -> UsageError:
    return UsageError(
        f"{target} would overwrite the carrier {carrier}.", "Give another name with -o."
    )


def restore_carriers(
    carriers: Sequence[Carrier],
    target: Path | str,
    loader: Loader,
    choice: Choice = EVERYTHING,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    keep: Keep = keep_nothing,
) -> Report:
    """Restore what `read_parts` or `grouped` has read; see `restore`."""
    header = carriers[0].header
    kind = conversion_of(header, loader)
    way = Way(kind, carriers, str(target), choice)
    path = Path(target)
    for carrier in carriers if way.folder else ():
        own = carrier.path.resolve()
        if own.parent == path.resolve() and way.writes(own.name):
            raise _overwrites(target, carrier.path)
    if carriers[0].alpha is not None and way.takes(kind.transparent):
        check_picture_target(path, alpha=True)
    attached = carriers[0].attached
    if choice.strip:
        attached = Attached(icc=attached.icc)
    tally = _Tally(carriers)

    def kept(carrier: Carrier, back: RestoredOutputs) -> None:
        tally.add(carrier, back)
        keep(carrier, back)

    stream = outputs_of(carriers, loader, progress, kept, force=force)
    names: tuple[str, ...] = ()
    if way.clip:
        rate = header.fps or DEFAULT_RATE
        if way.tracks:
            _write_tracks(path, stream, way.names, force=force)
        else:
            frames = way.frames(stream)
            write_clip(target, frames, rate, durations=_durations(carriers, kind), force=force)
    else:
        names = _write_stills(way, path, next(stream), attached, force=force)
    if way.clip and not (kind.clip or way.tracks):
        tally.pictures = len(carriers)  # one of each, whatever else came out of it
    return tally.report(path, kind.task, names)


def check_only(header: Header, loader: Loader, only: str | None) -> None:
    """Refuse the name of an output that a carrier does not have.

    Raises:
        UsageError: it has none of that name.
        ModelError: see `conversion_of`.
    """
    wanted(conversion_of(header, loader).names(header), only, contents(header))


def outputs_of(
    carriers: Sequence[Carrier],
    loader: Loader,
    progress: Progress = lambda done, total, share: None,
    keep: Keep = keep_nothing,
    *,
    force: bool = False,
) -> Iterator[list[Output]]:
    """Restore what `read_parts` has read, one carrier after the other; see `restore_outputs`.

    Raises:
        ModelError, PhraseError, DamagedCarrierError, DeviceError: see `restore_pictures`.
    """
    for done, carrier in enumerate(carriers):

        def share_of(share: float, done: int = done) -> None:
            progress(done, len(carriers), share)

        whole = with_pixels(carrier, loader.phrase)
        back = restore_outputs(loader, whole, share_of, force=force)
        keep(whole, back)
        yield back.outputs


def _durations(carriers: Sequence[Carrier], kind: Conversion) -> list[float] | None:
    """Seconds of each frame; what is in one carrier but no clip, such as two views, is one."""
    durations = [carrier.header.durations for carrier in carriers]
    if any(seconds is None for seconds in durations):
        return None
    frames = None if kind.clip else 1
    return [seconds for found in durations for seconds in (found or ())[:frames]]


def _write_stills(
    way: Way, path: Path, outputs: list[Output], attached: Attached, *, force: bool
) -> tuple[str, ...]:
    """Write what came out of one carrier; the result is the names of what was written."""
    if way.form is not None and way.form.write is not None:
        target = path / f"{way.form_name}{way.form.suffix}" if way.folder else path
        way.form.write(target, outputs, attached, force)
        return tuple(output.name for output in outputs)
    if way.form is not None and way.form.combine is not None:
        wanted = [replace(way.form.combine(outputs), name=way.form_name)]
    else:
        wanted = [output for output in outputs if output.name in way.names]
        if not wanted:
            raise DamagedCarrierError(
                "The carrier does not hold what its header says.", "Look for the original file."
            )
    if not way.folder:
        write_output(path, wanted[0], attached, force=force)
        return (wanted[0].name,)
    with atomic_folder(path, force=force) as folder:
        for output in wanted:
            write_output(folder / f"{output.name}.png", output, attached, force=True)
    return tuple(output.name for output in wanted)


def write_output(path: Path, output: Output, attached: Attached, *, force: bool = False) -> None:
    """Write one picture with its alpha, and the profile and metadata that describe it.

    All that comes out of a carrier is in its profile; EXIF and XMP may be of one picture alone.

    Raises:
        UsageError, OutputError, OutputExistsError: see `write_picture`.
    """
    kept = attached if output.attached else Attached()
    write_picture(
        path,
        output.pixels,
        alpha=output.alpha,
        icc=output.icc or attached.icc,
        exif=kept.exif,
        xmp=kept.xmp,
        force=force,
    )


def _write_tracks(
    path: Path, stream: Iterator[list[Output]], names: Sequence[str], *, force: bool
) -> None:
    """Write the frames of a clip of several views: a folder for each, numbered from 1."""
    with atomic_folder(path, force=force) as folder:
        for number, outputs in enumerate(stream, start=1):
            for output in outputs:
                if output.name in names:
                    place = folder / output.name / f"{number:04}.png"
                    write_picture(place, output.pixels, alpha=output.alpha, force=True)


class _Tally:
    """Collects what is to be reported."""

    def __init__(self, carriers: Sequence[Carrier]) -> None:
        self.states: list[str] = [carrier.state for carrier in carriers]
        self.notes = [f"{carrier.path.name}: {n}" for carrier in carriers for n in carrier.notes]
        self.methods = {carrier.header.method for carrier in carriers}
        self.pictures = 0
        self.damages: list[float] = []
        header = carriers[0].header
        if len(carriers) == 1 and header.parts > 1:
            self.notes.append(
                f"{carriers[0].path.name} is part {header.part + 1} of the {header.parts} of "
                "its clip; only this part was restored."
            )

    def add(self, carrier: Carrier, back: RestoredOutputs) -> None:
        self.pictures += len(back.outputs)
        if back.restored.damaged is not None:
            self.damages.append(back.restored.damaged)
        self.notes += [f"{carrier.path.name}: {note}." for note in back.restored.notes]

    def report(self, path: Path, task: str, names: tuple[str, ...]) -> Report:
        return Report(
            output=path,
            pictures=len(names) or self.pictures,
            states=self.states,
            damaged=sum(self.damages) / len(self.damages) if self.damages else None,
            notes=self.notes,
            task=task,
            names=names,
            method=next(iter(self.methods)) if len(self.methods) == 1 else "",
        )
