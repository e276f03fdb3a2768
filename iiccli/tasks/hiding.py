"""Hiding: one to four pictures of any size in one that looks like the cover.

Hiding is not encryption: without a pass phrase whoever has iic and the model takes them out again.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iiccli.carrier import (
    MAX_PIXELS,
    VEIL_LENGTH,
    Header,
    can_be_veiled,
    check_carrier_target,
    write_carrier,
)
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.inference.converter import Progress, no_progress
from iiccli.media.fitting import FIT_BYTES, MAX_SIDE, RULES, Fit, Rule, cropped, fit, unfit
from iiccli.media.image import Pixels
from iiccli.tasks.conversion import ALPHA, COVER, Conversion, Made, Output
from iiccli.tasks.models import LoadedModel, Loader, check_method, choose_entry
from iiccli.tasks.pictures import QUALITIES, RestoredPictures, embed_pictures, quality_index
from iiccli.tasks.stills import (
    Note,
    alpha_of,
    attached_to,
    in_profile_of,
    percent,
    read_flat,
    read_noted,
    silent,
    spare,
)

TASK = "hide"
MAX_SECRETS = 4
"""As many as the essentials hold the sizes of."""

_LOSES = 0.5
"""A secret that keeps less than this share of its pixels is worth a remark."""


@dataclass(frozen=True)
class HideOptions:
    """How pictures are hidden.

    Attributes:
        quality: `cover`, `balanced` or `content`.
        fit: how secrets are brought to the cover's size, see `iiccli.media.fitting.Rule`.
        header: whether the carrier says what it is. Without, nothing in the file tells it, and
            restoring has to be told task, model and sizes; in one that is locked, the pass phrase
            finds them.
        model: name or path of a model; None chooses by the number of secrets.
        method: `network`, or `codec`, which needs no model.
        strip: leave out the cover's EXIF and XMP; those of secrets never go along.
    """

    quality: str = "balanced"
    fit: Rule = "stretch"
    header: bool = True
    model: str | None = None
    method: str = "network"
    strip: bool = False


def hide(
    cover: Path,
    secrets: Sequence[Path],
    target: Path,
    options: HideOptions,
    loader: Loader,
    *,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Hide pictures in a cover.

    Args:
        cover: what the carrier looks like, and whose size, alpha, profile, EXIF and XMP it has.
        secrets: 1 to 4 pictures.
        target: the carrier: .png, .webp or .tiff.
        options: see there.
        loader: gives the model.
        force: replace what exists.
        progress: told how far it is.
        note: told remarks for the user.

    Returns:
        The carrier. Its originals are the secrets, cropped if that was the rule, and the cover.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    quality_index(options.quality, len(QUALITIES))
    if not 1 <= len(secrets) <= MAX_SECRETS:
        raise UsageError(
            f"{len(secrets)} pictures cannot be hidden in one.",
            f"Hide 1 to {MAX_SECRETS}; for more use several covers.",
        )
    if options.fit not in RULES:
        raise UsageError(
            f"There is no way {options.fit!r} to fit a secret.",
            f"Choose one of: {', '.join(RULES)}.",
        )
    check_carrier_target(target, force)
    spare([cover, *secrets], target)
    check_method(options.method, options.model)
    try:
        entry = choose_entry(
            *(TASK, 1 + len(secrets), options.model),
            noun="secrets",
            besides=1,
            method=options.method,
        )
    except ModelError as error:
        if options.model is not None:
            raise
        raise ModelError(
            f"There is no model that hides {_count(len(secrets))}.", "See `iic models`."
        ) from error
    base = read_noted(cover, note)
    alpha = alpha_of(base)
    kept = attached_to(base, note, strip=options.strip)
    size = (base.pixels.shape[1], base.pixels.shape[0])
    if not options.header and loader.phrase is not None and not can_be_veiled(*size[::-1], 3):
        raise InputError(
            f"{cover.name} is too small to hold a locked message without a header in the file.",
            "Leave out --no-header, or take a larger cover.",
        )
    pictures, fits, originals = [base.pixels], [], []
    for number, path in enumerate(secrets, start=1):
        picture = in_profile_of(read_flat(path, note), path, base, note)
        original = _original(picture.pixels, path, size, options.fit, note)
        fitted, how = fit(original, size, options.fit)
        pictures.append(fitted)
        fits.append(how)
        originals.append(Output(f"secret-{number}", original))
    model = loader.load(entry)
    takes = model.converter.card.pictures - 1
    if takes > len(secrets):
        verb = "goes" if len(secrets) == 1 else "go"
        note(
            f"{_count(len(secrets))} {verb} into {model.name}, which takes {takes}: "
            "filled up with blank pictures."
        )
    pixels, header = embed_pictures(
        model,
        pictures,
        0,
        options.quality,
        progress,
        essentials=b"".join(how.to_bytes() for how in fits),
        extra={} if alpha is None else {ALPHA: True},
    )
    veil = None
    if not options.header and header.lock is not None and model.phrase is not None:
        veil = model.phrase.veil(header.lock, VEIL_LENGTH)
    look = model.converter.cover(base.pixels)
    written = write_carrier(
        target,
        pixels,
        header,
        target=look,
        alpha=alpha,
        pixel_header=options.header or veil is not None,
        veil=veil,
        metadata=options.header,
        force=force,
        icc=kept.icc,
        exif=kept.exif,
        xmp=kept.xmp,
    )
    if not options.header:
        note(f"nothing in {target} says what it is; take the secrets out with")
        command = f"iic restore {shlex.quote(str(target))} --key"
        note(command if veil is not None else restore_command(target, model, options, fits))
    return Made(target, written, header, look, [*originals, Output(COVER, base.pixels, alpha)])


def restore_command(
    target: Path, model: LoadedModel, options: HideOptions, fits: Sequence[Fit]
) -> str:
    """What takes the secrets out of a carrier without header."""
    place, name = shlex.quote(str(target)), shlex.quote(options.model or model.name)
    words = [f"iic restore {place} --task {TASK} --secrets {len(fits)} --model {name}"]
    if options.quality != "balanced":
        words.append(f"--quality {options.quality}")
    words += [f"--size {how.size[0]}x{how.size[1]}" for how in fits]
    if options.fit == "pad":
        words.append("--fit pad")
    return " ".join(words)


def essentials_of(sizes: Sequence[tuple[int, int]], cover: tuple[int, int], rule: Rule) -> bytes:
    """The essentials of a carrier without header, from what the user says of it.

    Args:
        sizes: width and height of each secret.
        cover: of the carrier.
        rule: by which the secrets were fitted.

    Raises:
        UsageError: an impossible size.
    """
    try:
        fits = [Fit.to(cover, size, padded=rule == "pad") for size in sizes]
    except ValueError as error:
        raise UsageError(
            "A secret's size is impossible.", f"Its sides are 1 to {MAX_SIDE} pixels."
        ) from error
    return b"".join(how.to_bytes() for how in fits)


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """The secrets at their own sizes, and the cover."""
    cover, *secrets = restored.pictures
    found = []
    for i, picture in enumerate(secrets):
        how = Fit.from_bytes(header.essentials[FIT_BYTES * i : FIT_BYTES * (i + 1)])
        if how is not None and how.size[0] * how.size[1] <= MAX_PIXELS:
            picture = unfit(picture, how)
        found.append(Output(f"secret-{i + 1}", picture, attached=False))
    return [*found, Output(COVER, cover)]


def names(header: Header) -> list[str]:
    """What the outputs are called."""
    return [*(f"secret-{i + 1}" for i in range(header.valid - 1)), COVER]


CONVERSION = Conversion(TASK, outputs, names=names, transparent=COVER)


def _original(pixels: Pixels, path: Path, size: tuple[int, int], rule: Rule, note: Note) -> Pixels:
    """A secret as it will come back, with remarks on what it loses."""
    whole = pixels.shape[0] * pixels.shape[1]
    if rule == "crop":
        pixels = cropped(pixels, size)
        kept = pixels.shape[0] * pixels.shape[1] / whole
        if kept < 1:
            note(f"{path.name}: {percent(1 - kept)} of it was cut to the cover's proportions.")
    height, width = pixels.shape[:2]
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise InputError(
            f"{path} is too large to be hidden: {width}×{height} pixels.",
            f"At most {MAX_SIDE} a side and {MAX_PIXELS / 1e6:.0f} million in all; shrink it.",
        )
    how = Fit.to(size, (width, height), padded=rule == "pad")
    inside = how.inner(size)[2:]
    share = inside[0] * inside[1] / (width * height)
    if share < _LOSES:
        at = (inside[1], inside[0]) if how.turned else inside
        note(
            f"{path.name}: {width}×{height} is kept at {at[0]}×{at[1]}, {percent(share)} of its "
            "pixels, so it comes back with less detail; a larger cover keeps more."
        )
    return pixels


def _count(secrets: int) -> str:
    return "1 secret" if secrets == 1 else f"{secrets} secrets"
