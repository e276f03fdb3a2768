"""From carriers back to pictures and clips, whatever conversion made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from iiccli.carrier import Carrier, read_carrier
from iiccli.errors import InputError, UsageError
from iiccli.media.clip import check_clip_target, write_clip
from iiccli.media.image import check_picture_target, write_picture
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import Pixels, RestoredPictures, restore_pictures

_SUFFIXES = (".png", ".webp", ".tif", ".tiff")
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


def find_carriers(sources: Sequence[Path]) -> list[Path]:
    """Files, and all pictures that may be carriers in folders, in natural order.

    Raises:
        InputError: a source is missing, or a folder holds no such picture.
    """
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.iterdir() if p.suffix.lower() in _SUFFIXES)
            if not inside:
                raise InputError(
                    f"The folder {source} holds no carriers.",
                    f"Carriers are {', '.join(_SUFFIXES)} files.",
                )
            found.extend(inside)
        else:
            found.append(source)
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
    picture = Path(target).suffix.lower() in (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
    if picture:
        check_picture_target(Path(target))
    else:
        check_clip_target(target, force=force)
    paths = find_carriers(sources)
    carriers = _ordered([read_carrier(path) for path in paths])
    headers = [carrier.header for carrier in carriers]
    damages: list[float | None] = []

    def frames() -> Iterator[Pixels]:
        for done, carrier in enumerate(carriers):

            def share_of(share: float, done: int = done) -> None:
                progress(done, len(carriers), share)

            restored = restore_pictures(loader, carrier, share_of)
            damages.append(restored.damaged)
            keep(carrier, restored)
            yield from restored.pictures

    count = sum(header.valid for header in headers)
    durations: list[float] | None = None
    if all(header.durations is not None for header in headers):
        durations = [seconds for header in headers for seconds in header.durations or ()]
    if picture:
        if count != 1:
            raise UsageError(
                f"{count} pictures come back; {target} names one file.",
                "Give a folder (-o frames/) or a clip (-o clip.mp4).",
            )
        write_picture(Path(target), next(frames()), force=force)
    else:
        rate = headers[0].fps or _DEFAULT_RATE
        write_clip(target, frames(), rate, durations=durations, force=force)
    known = [share for share in damages if share is not None]
    return Report(
        output=Path(target),
        pictures=count,
        states=[carrier.state for carrier in carriers],
        damaged=sum(known) / len(known) if known else None,
        notes=[f"{carrier.path.name}: {n}" for carrier in carriers for n in carrier.notes],
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
        odd = next(
            (c for c in carriers if c.header.clip_id != carriers[0].header.clip_id), carriers[0]
        )
        raise UsageError(
            f"{odd.path.name} does not belong to the same clip as {carriers[0].path.name}.",
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
            f"Of the clip's {expected} covers, {len(missing)} are missing: {names}"
            f"{' …' if len(missing) > 5 else ''}.",
            "Add them, or restore the others one by one.",
        )
    if len(set(parts)) != len(parts):
        raise InputError("A part of the clip is there twice.", "Leave one of them out.")
    return carriers
