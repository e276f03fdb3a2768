"""From carriers back to pictures and clips, whatever conversion made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from iiccli.atomic import check_target
from iiccli.carrier import FORMATS, Carrier, read_carrier
from iiccli.errors import InputError, UsageError
from iiccli.inference.converter import no_progress
from iiccli.media.clip import CLIP_SUFFIXES, check_clip_target, write_clip
from iiccli.media.image import PICTURE_SUFFIXES, check_picture_target, write_picture
from iiccli.tasks.conversion import Output, conversion
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import Pixels, RestoredPictures, restore_pictures

_DEFAULT_RATE = Fraction(25)

Progress = Callable[[int, int, float], None]
"""Called with: carriers done, carriers in all, share of the present one."""


@dataclass(frozen=True)
class Report:
    """What a restoration found.

    Attributes:
        output: what was written.
        pictures: how many came back.
        states: of the carriers, in order: `whole`, `stripped` or `changed`.
        damaged: mean share of the area whose message was broken; None if not known.
        notes: remarks on the carriers.
    """

    output: Path
    pictures: int
    states: list[str]
    damaged: float | None
    notes: list[str]


@dataclass(frozen=True)
class RestoredOutputs:
    """What came out of one carrier, as its conversion names it.

    Attributes:
        outputs: the main one first.
        restored: the pictures behind them.
    """

    outputs: list[Output]
    restored: RestoredPictures


def restore_outputs(
    loader: Loader, carrier: Carrier, progress: Callable[[float], None] = no_progress
) -> RestoredOutputs:
    """Restore what a carrier holds, by name.

    Raises:
        ModelError, DamagedCarrierError, DeviceError: see `restore_pictures`.
    """
    restored = restore_pictures(loader, carrier, progress)
    header = carrier.header
    model = loader.load_for_carrier(header.model_hash, header.model)
    outputs = conversion(model.converter.card.task).outputs(header, restored)
    return RestoredOutputs(outputs, restored)


def find_carriers(sources: Sequence[Path]) -> list[Path]:
    """Files, and all pictures that may be carriers in folders; hidden ones are left out.

    Raises:
        InputError: a folder holds no such picture, or a picture is there twice.
    """
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(
                path
                for path in source.iterdir()
                if path.suffix.lower() in FORMATS and not path.name.startswith(".")
            )
            if not inside:
                raise InputError(
                    f"The folder {source} holds no carriers.",
                    f"Carriers are {', '.join(FORMATS)} files.",
                )
            found.extend(inside)
        else:
            found.append(source)
    if len(set(found)) < len(found):
        double = next(path for path in found if found.count(path) > 1)
        raise InputError(f"{double} is given twice.", "Leave one of them out.")
    return found


def restore(
    sources: Sequence[Path],
    target: Path | str,
    loader: Loader,
    *,
    force: bool = False,
    progress: Progress = lambda done, total, share: None,
    keep: Callable[[Carrier, RestoredPictures], None] = lambda carrier, restored: None,
) -> Report:
    """Restore one carrier, or all parts of a clip, into `target`.

    Args:
        sources: carriers, or folders of the parts of one clip.
        target: a folder for pictures, a clip by its suffix, or a picture file if just one
            picture comes back.
        loader: gives the models.
        force: replace what exists.
        progress: see `Progress`.
        keep: called with every carrier and what came out of it.

    Raises:
        InputError, NotACarrierError, DamagedCarrierError, ModelError, OutputError,
        OutputExistsError, UsageError: see `errors`.
    """
    path = Path(target)
    suffix = path.suffix.lower()
    picture = suffix in PICTURE_SUFFIXES and suffix not in CLIP_SUFFIXES and not path.is_dir()
    if picture:
        check_picture_target(path)
        check_target(path, force=force)
    else:
        check_clip_target(target, force=force)
    found = find_carriers(sources)
    _spare(found, path)
    carriers = read_parts(found)
    headers = [carrier.header for carrier in carriers]
    count = sum(header.valid for header in headers)
    if picture and count != 1:
        raise UsageError(
            f"{count} pictures come back; {target} names one file.",
            "Give a folder (-o frames/) or a clip (-o clip.mp4).",
        )
    pictures = 0
    damages: list[float] = []
    notes = [f"{carrier.path.name}: {n}" for carrier in carriers for n in carrier.notes]
    if len(carriers) == 1 and headers[0].parts > 1:
        notes.append(
            f"{carriers[0].path.name} is part {headers[0].part + 1} of the {headers[0].parts} of "
            "its clip; only this part was restored."
        )

    def kept(carrier: Carrier, restored: RestoredPictures) -> None:
        nonlocal pictures
        pictures += len(restored.pictures)
        if restored.damaged is not None:
            damages.append(restored.damaged)
        notes.extend(f"{carrier.path.name}: {note}." for note in restored.notes)
        keep(carrier, restored)

    frames = pictures_of(carriers, loader, progress, kept)
    if picture:
        write_picture(path, next(frames), force=force)
    else:
        rate = headers[0].fps or _DEFAULT_RATE
        durations: list[float] | None = None
        if all(header.durations is not None for header in headers):
            durations = [seconds for header in headers for seconds in header.durations or ()]
        write_clip(target, frames, rate, durations=durations, force=force)
    return Report(
        output=path,
        pictures=pictures,
        states=[carrier.state for carrier in carriers],
        damaged=sum(damages) / len(damages) if damages else None,
        notes=notes,
    )


def read_parts(paths: Sequence[Path]) -> list[Carrier]:
    """Read one carrier, or all parts of a clip, which come out in their order.

    Of several, only what they say about themselves is kept: pixels are read again when their
    turn comes, so that a long clip does not fill memory.

    Raises:
        InputError, NotACarrierError, DamagedCarrierError, UsageError: see `errors`.
    """
    carriers = [read_carrier(path) for path in paths[:1]]
    for path in paths[1:]:
        carriers[-1] = _light(carriers[-1])
        carriers.append(_light(read_carrier(path)))
    return _ordered(carriers)


def pictures_of(
    carriers: Sequence[Carrier],
    loader: Loader,
    progress: Progress = lambda done, total, share: None,
    keep: Callable[[Carrier, RestoredPictures], None] = lambda carrier, restored: None,
) -> Iterator[Pixels]:
    """Restore what `read_parts` has read, one carrier after the other.

    Raises:
        ModelError, DamagedCarrierError, DeviceError: see `restore_pictures`.
    """
    for done, carrier in enumerate(carriers):

        def share_of(share: float, done: int = done) -> None:
            progress(done, len(carriers), share)

        whole = carrier if carrier.pixels.size else read_carrier(carrier.path)
        restored = restore_pictures(loader, whole, share_of)
        keep(whole, restored)
        yield from restored.pictures


def _light(carrier: Carrier) -> Carrier:
    return replace(carrier, pixels=carrier.pixels[:0].copy())


def _spare(carriers: Sequence[Path], target: Path) -> None:
    """Refuse a target that would overwrite a carrier, even with `force`.

    Raises:
        UsageError: it is one of them, or the folder of one that is called like a frame.
    """
    place = target.resolve()
    for carrier in carriers:
        own = carrier.resolve()
        numbered = own.suffix == ".png" and own.stem.isdigit()
        if own == place or (own.parent == place and numbered):
            raise UsageError(
                f"{target} would overwrite the carrier {carrier}.", "Give another name with -o."
            )


def _ordered(carriers: list[Carrier]) -> list[Carrier]:
    """The parts of one clip in their order.

    Raises:
        UsageError: carriers that do not belong together.
        InputError: parts are missing or double.
    """
    if len(carriers) == 1 and carriers[0].header.parts == 1:
        return carriers
    identities = {carrier.header.clip_id for carrier in carriers}
    if len(identities) > 1 or "" in identities:
        first = carriers[0]
        odd = next((c for c in carriers if c.header.clip_id != first.header.clip_id), carriers[-1])
        raise UsageError(
            f"{odd.path.name} does not belong to the same clip as {first.path.name}.",
            "Restore carriers that are no parts of one clip one by one.",
        )
    if len({carrier.header.size for carrier in carriers}) > 1:
        raise InputError("The parts of the clip differ in size.")
    carriers = sorted(carriers, key=lambda carrier: carrier.header.part)
    parts = [carrier.header.part for carrier in carriers]
    expected = carriers[0].header.parts
    missing = sorted(set(range(expected)) - set(parts))
    if missing and len(carriers) > 1:
        names = ", ".join(str(part + 1) for part in missing[:5])
        raise InputError(
            f"Of the clip's {expected} covers, {len(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: {names}"
            f"{' …' if len(missing) > 5 else ''}.",
            "Add them, or restore the others one by one.",
        )
    if len(set(parts)) != len(parts):
        raise InputError("A part of the clip is there twice.", "Leave one of them out.")
    return carriers
