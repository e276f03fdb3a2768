"""Layers: a foreground over a background in one picture that can be taken apart again.

The carrier looks like the composite, and holds the background and the foreground's alpha; the
foreground follows from these three. Imported models hold other pictures: see `layer_pictures`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from iiccli.carrier import (
    Carrier,
    Header,
    check_carrier_target,
    contents,
    read_carrier,
    write_carrier,
)
from iiccli.errors import DamagedCarrierError, InputError, NotACarrierError, UsageError
from iiccli.inference.converter import Progress, no_progress
from iiccli.media.compositing import composed
from iiccli.media.fitting import Rule
from iiccli.media.image import Picture, Pixels
from iiccli.tasks.conversion import Conversion, Made, Output
from iiccli.tasks.layer_pictures import (
    ALPHA,
    BACKGROUND,
    COMPOSITE,
    PREMULTIPLIED,
    fed,
    layers_of,
    premultiplied,
    roles_of,
)
from iiccli.tasks.layer_placing import (
    Cutout,
    Placement,
    check_placing,
    fitted,
    put,
    unfitted,
)
from iiccli.tasks.models import Loader, choose_entry
from iiccli.tasks.pictures import QUALITIES, RestoredPictures, embed_pictures, quality_index
from iiccli.tasks.stills import (
    Note,
    attached_to,
    in_profile_of,
    read_flat,
    read_noted,
    silent,
    spare,
)

TASK = "layers"
FOREGROUND = "foreground"
PICTURES = 3
"""What a model takes at least that is chosen unasked: composite, background, alpha."""
LEAST_PICTURES = 2
"""What one that is named takes at least: it may keep no foreground."""

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class LayersOptions:
    """How a composite is made.

    Attributes:
        position: x and y of the foreground's top left corner on the background; None: centred.
        resize: scale the foreground so that it just fits on the background.
        quality: `cover`, `balanced` or `content`.
        model: name or path of a model; None chooses.
        method: `network`, or `codec`, which needs no model.
        strip: leave out EXIF and XMP.
        fit: have the foreground fill the background, by that rule, and come back at its own size;
            None leaves it as large as it is, and gives it back where it was on the background.
    """

    position: tuple[int, int] | None = None
    resize: bool = False
    quality: str = "balanced"
    model: str | None = None
    method: str = "network"
    strip: bool = False
    fit: Rule | None = None


def compose(
    foreground: Path,
    background: Path,
    target: Path,
    options: LayersOptions,
    loader: Loader,
    *,
    alpha: Path | None = None,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Put a foreground over a background, so that it can be taken off again.

    Args:
        foreground: a picture with transparency, or any, with `alpha`.
        background: gives the composite its size, profile, EXIF and XMP.
        target: the carrier: .png, .webp or .tiff.
        options: see there.
        loader: gives the model.
        alpha: a gray picture as large as the foreground, white where that is opaque.
        force: replace what exists.
        progress: told how far it is.
        note: told remarks for the user.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    quality_index(options.quality, len(QUALITIES))
    check_placing(options.position, options.resize, options.fit)
    check_carrier_target(target, force)
    spare([foreground, background, *([alpha] if alpha is not None else [])], target)
    least = LEAST_PICTURES if options.model else PICTURES
    entry = choose_entry(TASK, least, options.model, method=options.method)
    roles = roles_of(entry.card)
    behind = read_flat(background, note)
    size = (behind.pixels.shape[1], behind.pixels.shape[0])
    picture = _cut_out(foreground, alpha, note)
    picture = in_profile_of(picture, foreground, behind, note)
    placement = _placement(picture, foreground.name, size, options, note)
    pixels, shape = placement.canvas.pixels, placement.canvas.alpha
    composite = composed(pixels, behind.pixels, shape)
    model = loader.load(entry)
    pictures = {
        COMPOSITE: composite,
        BACKGROUND: behind.pixels,
        PREMULTIPLIED: premultiplied(pixels, shape),
        ALPHA: shape,
    }
    fields: dict[str, Any] = (
        {} if placement.essentials is None else {"essentials": placement.essentials}
    )
    carrier, header = embed_pictures(
        model, fed(entry.card, pictures), 0, options.quality, progress, **fields
    )
    look = model.converter.cover(composite)
    kept = attached_to(behind, note, strip=options.strip)
    written = write_carrier(
        target,
        carrier,
        header,
        target=look,
        force=force,
        icc=kept.icc,
        exif=kept.exif,
        xmp=kept.xmp,
    )
    originals = [Output(BACKGROUND, behind.pixels)]
    if len(roles) > LEAST_PICTURES:
        original = placement.original
        originals.append(Output(FOREGROUND, original.pixels, original.alpha))
    else:
        note(f"{model.name} keeps no foreground: only background and composite will come back.")
        originals.append(Output(COMPOSITE, composite))
    return Made(target, written, header, look, originals)


def check_composite(path: Path) -> None:
    """Refuse what `decompose` cannot take apart.

    Raises:
        NotACarrierError: it is no carrier.
        UsageError: it is one of another conversion.
        InputError, DamagedCarrierError: see `read_carrier`.
    """
    try:
        carrier = read_carrier(path)
    except NotACarrierError as error:
        raise NotACarrierError(
            f"{path} is no composite that can be taken apart: it holds nothing from iic.",
            "Only what `iic compose` made can be, and only as long as it was never saved lossily.",
        ) from error
    accept_composite(carrier)


def accept_composite(carrier: Carrier) -> None:
    """Refuse a carrier of another conversion.

    Raises:
        UsageError: it is one.
    """
    if carrier.header.task not in ("", TASK):
        raise UsageError(
            f"{carrier.path} is no composite: it holds {contents(carrier.header)}.",
            f"Use: iic restore {carrier.path}",
        )


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """The background, and the foreground with its alpha, at its own size if it was fitted.

    Put together again they are the restored composite, unless it was; which comes back itself
    instead of the foreground where the model keeps none.

    Raises:
        DamagedCarrierError: the carrier claims to hold fewer pictures than its model takes.
        ModelError: see `roles_of`.
    """
    card = restored.card
    roles = roles_of(card) if card is not None else (COMPOSITE, BACKGROUND, ALPHA)
    if len(restored.pictures) < len(roles):
        raise DamagedCarrierError(
            "The carrier's header is wrong: it holds no layers.", "Look for the original file."
        )
    layers = layers_of(roles, restored.pictures)
    if layers is None:
        composite, background = restored.pictures[:LEAST_PICTURES]
        return [Output(BACKGROUND, background), Output(COMPOSITE, composite)]
    foreground = unfitted(Cutout(layers.foreground, layers.alpha), header.essentials)
    return [
        Output(BACKGROUND, layers.background),
        Output(FOREGROUND, foreground.pixels, foreground.alpha, attached=False),
    ]


def names(header: Header) -> list[str]:
    """What the outputs are called."""
    return [BACKGROUND, COMPOSITE if header.valid == LEAST_PICTURES else FOREGROUND]


CONVERSION = Conversion(TASK, outputs, names=names)


def _cut_out(path: Path, mask: Path | None, note: Note) -> Picture:
    """The foreground with its alpha, its own or the mask's.

    Raises:
        InputError: it has none, or the mask differs in size.
    """
    picture = read_noted(path, note)
    if mask is None:
        if picture.alpha is None:
            raise InputError(
                f"{path} has no transparency, so it would hide the background.",
                "Give a gray mask of the same size with --alpha.",
            )
        return picture
    if picture.alpha is not None and (picture.alpha != 255).any():
        note(f"{path.name}: its own transparency gives way to {mask.name}.")
    alpha = _mask(mask, note)
    if alpha.shape != picture.pixels.shape[:2]:
        (height, width), (rows, columns) = alpha.shape, picture.pixels.shape[:2]
        raise InputError(
            f"The mask {mask} is {width}×{height}, but {path} is {columns}×{rows}.",
            "The mask must be as large as the foreground.",
        )
    return replace(picture, alpha=alpha)


def _placement(
    picture: Picture, name: str, size: tuple[int, int], options: LayersOptions, note: Note
) -> Placement:
    """The foreground on a canvas of that size, as the options say.

    Raises:
        UsageError, InputError: see `layer_placing`.
    """
    assert picture.alpha is not None
    foreground = Cutout(picture.pixels, picture.alpha)
    if options.fit is not None:
        return fitted(foreground, name, size, options.fit, note)
    return put(foreground, name, size, options.position, options.resize, note)


def _mask(path: Path, note: Note) -> Pixels:
    """A gray picture as alpha; of one that has transparency itself, that."""
    picture = read_noted(path, note)
    if picture.alpha is not None and (picture.alpha != 255).any():
        note(f"{path.name}: its transparency was taken for the mask.")
        return picture.alpha
    pixels = picture.pixels
    if (pixels != pixels[..., :1]).any():
        note(f"{path.name}: it is in colour; its brightness was taken for the mask.")
        luma: Pixels = np.rint(pixels @ _LUMA).astype(np.uint8)
        return luma
    return np.ascontiguousarray(pixels[..., 0])
