"""Carriers that belong together: finding them, and bringing the parts of a clip into order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from iiccli.carrier import FORMATS, Carrier, read_carrier
from iiccli.errors import IicError, InputError, UsageError
from iiccli.locking import Phrase
from iiccli.tasks.batch import Item, find_items


@dataclass(frozen=True)
class Group:
    """What is restored together: one carrier, or all parts of a clip.

    Attributes:
        carriers: in order. Of several, and of those that `grouped` gives, only what they say
            about themselves is kept: their pixels are read when their turn comes, so that many
            do not fill memory.
        place: where the result goes below an output folder, without suffix.
        folder: the folder that was given as a whole; None where the file itself was.
    """

    carriers: list[Carrier]
    place: Path
    folder: Path | None


@dataclass(frozen=True)
class Bad:
    """A file that is no carrier that can be restored, or a clip that is not whole."""

    path: Path
    error: IicError


def find_carriers(
    sources: Sequence[Path],
    recursive: bool = False,
    leave_out: Callable[[Path], bool] = lambda path: False,
) -> list[Item]:
    """Files, and all pictures that may be carriers in folders; hidden ones are left out.

    Args:
        sources: files and folders.
        recursive: go into folders of folders.
        leave_out: tells which files of folders are to be passed over.

    Raises:
        InputError: a folder holds no such picture, or a picture is there twice.
    """
    items = find_items(
        sources,
        recursive=recursive,
        suffixes=tuple(FORMATS),
        leave_out=leave_out,
        noun="carriers",
    )
    found = [item.sources[0] for item in items]
    if len(set(found)) < len(found):
        double = next(path for path in found if found.count(path) > 1)
        raise InputError(f"{double} is given twice.", "Leave one of them out.")
    return items


def read_parts(paths: Sequence[Path], phrase: Phrase | None = None) -> list[Carrier]:
    """Read one carrier, or all parts of a clip, which come out in their order.

    Of several, only what they say about themselves is kept; `with_pixels` reads the rest. What is
    veiled is found with the right pass phrase alone.

    Raises:
        InputError, NotACarrierError, DamagedCarrierError, UsageError: see `errors`.
    """
    carriers = [_read(path, phrase) for path in paths[:1]]
    for path in paths[1:]:
        carriers[-1] = _light(carriers[-1])
        carriers.append(_light(_read(path, phrase)))
    return ordered(carriers)


def grouped(items: Sequence[Item], phrase: Phrase | None = None) -> tuple[list[Group], list[Bad]]:
    """Read what carriers say about themselves, and put the parts of clips together.

    Returns:
        The groups in the order of their first carriers, and what cannot be restored.
    """
    bad: list[Bad] = []
    found: dict[str, list[tuple[Carrier, Item]]] = {}
    for number, item in enumerate(items):
        path = item.sources[0]
        try:
            carrier = _light(_read(path, phrase))
        except IicError as error:
            bad.append(Bad(path, error))
            continue
        header = carrier.header
        key = f"{header.clip_id} {item.folder}" if header.parts > 1 else f"{number}"
        found.setdefault(key, []).append((carrier, item))
    groups = []
    for together in found.values():
        first = together[0][1]
        # A folder of parts is one thing, and gives what comes back its name.
        several = len(together) > 1
        place = first.place.parent if several and first.folder is not None else first.place
        if several and place == Path() and first.folder is not None:
            place = Path(first.folder.resolve().name)
        try:
            carriers = ordered([carrier for carrier, _ in together])
        except IicError as error:
            bad.append(Bad(first.sources[0], error))
        else:
            groups.append(Group(carriers, place, first.folder))
    return groups, bad


def with_pixels(carrier: Carrier, phrase: Phrase | None = None) -> Carrier:
    """The carrier with its pixels, read again if they were left out."""
    return carrier if carrier.pixels.size else _read(carrier.path, phrase)


def _read(path: Path, phrase: Phrase | None) -> Carrier:
    return read_carrier(path, unveil=None if phrase is None else phrase.veil)


def _light(carrier: Carrier) -> Carrier:
    return replace(carrier, pixels=carrier.pixels[:0].copy(), alpha=None)


def ordered(carriers: list[Carrier]) -> list[Carrier]:
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
            "Give a folder (-o out/), or restore carriers that are no parts of one clip one by "
            "one.",
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
