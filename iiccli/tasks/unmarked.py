"""Carriers without header, as hiding makes them when asked: the user tells what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iiccli.carrier import (
    CODEC,
    Carrier,
    Header,
    Pixels,
    free_samples,
    read_carrier,
    take_for_carrier,
)
from iiccli.errors import DamagedCarrierError, NotACarrierError, UsageError
from iiccli.media.fitting import RULES, Rule
from iiccli.tasks.hiding import MAX_SECRETS, TASK, essentials_of
from iiccli.tasks.models import METHODS, Loader, choose_entry
from iiccli.tasks.pictures import quality_index, with_channels


@dataclass(frozen=True)
class Told:
    """What the user says of a carrier that does not say it itself.

    Attributes:
        secrets: how many pictures are hidden in it.
        quality: with which quality it was made.
        sizes: width and height of each secret; none leaves all as large as the carrier.
        fit: by which rule they were fitted to it.
    """

    secrets: int
    quality: str = "balanced"
    sizes: tuple[tuple[int, int], ...] = ()
    fit: Rule = "stretch"


def told(
    task: str,
    secrets: int | None,
    quality: str | None = None,
    sizes: Sequence[str] = (),
    fit: str | None = None,
) -> Told:
    """What the options of `iic restore` tell.

    Raises:
        UsageError: they make no sense.
    """
    if task != TASK:
        raise UsageError(
            f"Carriers of {task!r} always say what they are.",
            f"Only --task {TASK} can be told; leave out --task.",
        )
    if secrets is None or not 1 <= secrets <= MAX_SECRETS:
        raise UsageError(
            "How many pictures are hidden has to be told.", f"Give --secrets 1 to {MAX_SECRETS}."
        )
    if sizes and len(sizes) != secrets:
        raise UsageError(
            f"{len(sizes)} of --size do not fit --secrets {secrets}.",
            "Give --size once for each secret, in order, or not at all.",
        )
    rule = next((rule for rule in RULES if rule == (fit or "stretch")), None)
    if rule is None:
        raise UsageError(f"There is no way {fit!r} to fit.", f"Choose one of: {', '.join(RULES)}.")
    return Told(secrets, quality or "balanced", tuple(map(parse_size, sizes)), rule)


def parse_size(text: str) -> tuple[int, int]:
    """Read `WIDTHxHEIGHT`.

    Raises:
        UsageError: it is something else.
    """
    found = re.fullmatch(r"\s*(\d{1,7})\s*[xX×]\s*(\d{1,7})\s*", text)
    if found is None:
        raise UsageError(f"{text!r} is no size.", "Give WIDTHxHEIGHT, such as 1200x800.")
    return int(found[1]), int(found[2])


def single(paths: Sequence[Path]) -> Path:
    """The only carrier, as what is told is about one.

    Raises:
        UsageError: there are several.
    """
    if len(paths) != 1:
        raise UsageError(
            f"What is told of a carrier is about one; there are {len(paths)}.",
            "Restore carriers without header one by one.",
        )
    return paths[0]


def read_told(path: Path, what: Told, loader: Loader) -> Carrier:
    """Read a carrier; one with a readable header says itself what it is, whatever was told.

    Raises:
        InputError, UsageError, ModelError, DeviceError: see `errors`.
        NotACarrierError: its pixels cannot be a carrier's.
    """
    try:
        return read_carrier(path)
    except (NotACarrierError, DamagedCarrierError):
        pass
    codec = loader.override == CODEC
    entry = choose_entry(
        *(TASK, 1 + what.secrets, None if codec else loader.override),
        noun="secrets",
        besides=1,
        method=CODEC if codec else METHODS[0],
    )
    model = loader.load(entry)
    converter = model.converter
    quality = quality_index(what.quality, converter.qualities)

    def header_for(width: int, height: int) -> Header:
        return Header(
            task=TASK,
            **model.fields,
            size=(width, height),
            pictures=converter.card.pictures,
            reference=0,
            valid=1 + what.secrets,
            quality=quality,
            essentials=essentials_of(what.sizes, (width, height), what.fit),
        )

    def holds(pixels: Pixels) -> bool:
        shown = with_channels(pixels, converter.channels)
        height, width = shown.shape[:2]
        free = free_samples(height, width, converter.channels, locked=False)
        return converter.holds(shown, quality, free)

    return take_for_carrier(path, header_for, holds=holds)
