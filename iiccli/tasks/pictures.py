"""Pictures into a carrier and back: what all conversions of several pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from iiccli.carrier import CODEC, Carrier, Header, free_samples
from iiccli.errors import DamagedCarrierError, InputError, ModelError, NotACarrierError, UsageError
from iiccli.inference.converter import Progress, no_progress
from iiccli.inference.device import enough_memory
from iiccli.locking import KeyedLock
from iiccli.tasks.conversion import conversion
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.zoo.modelfile import Card

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB, or (H, W) gray."""

QUALITIES = ("cover", "balanced", "content")
"""From the carrier that is closest to the cover to the one that restores best."""

MAX_LOSS = 0.999
"""A carrier with a larger share of broken message cannot be restored."""

_SMALL = 4096
"""Pixels of a carrier from which on there is always room for something."""


@dataclass(frozen=True)
class RestoredPictures:
    """Pictures restored from a carrier.

    Attributes:
        pictures: (H, W, 3) uint8 each, in their own order, fillers left out.
        reference: which of them the carrier looks like.
        damaged: share of the area whose message was broken; None where that is not known.
        notes: remarks on how they came back.
        card: of the model that restored them.
    """

    pictures: list[Pixels]
    reference: int
    damaged: float | None
    notes: tuple[str, ...] = ()
    card: Card | None = None


def quality_index(name: str, qualities: int) -> int:
    """Which of a model's carrier qualities is meant.

    A model with fewer than three takes the nearest it has.

    Raises:
        UsageError: no such quality.
    """
    if name not in QUALITIES:
        choices = ", ".join(QUALITIES)
        raise UsageError(f"There is no quality {name!r}.", f"Choose one of: {choices}.")
    place = QUALITIES.index(name) / (len(QUALITIES) - 1) * (qualities - 1)
    return int(place + 0.5)


def embed_pictures(
    model: LoadedModel,
    pictures: Sequence[Pixels],
    reference: int,
    quality: str,
    progress: Progress = no_progress,
    zoom: float = 1.0,
    **header: Any,
) -> tuple[Pixels, Header]:
    """Turn pictures of one size into a carrier's pixels and the header that goes with them.

    Fewer pictures than the model takes are filled up with what takes least room; see
    `Converter.filler`.

    Args:
        model: takes at least as many pictures.
        pictures: (H, W, 3) uint8 each, in their own order.
        reference: which of them the carrier looks like.
        quality: one of `QUALITIES`.
        progress: told how far it is.
        zoom: see `Converter.embed`.
        header: further fields of the header; `essentials` hold the pictures' size if they are
            not given.

    Raises:
        UsageError: pictures of different sizes, or a reference that is not among them.
        ModelError: more pictures than the model takes.
        InputError: the carrier is too small to hold anything.
        DeviceError: there is not enough memory.
    """
    converter = model.converter
    if not 0 <= reference < len(pictures):
        raise UsageError(
            f"There is no picture {reference} to look like.",
            f"Choose one of 0 to {len(pictures) - 1}.",
        )
    if len(pictures) > converter.card.pictures:
        raise ModelError(
            f"The model {model.name} takes {converter.card.pictures} pictures, "
            f"not {len(pictures)}.",
            "Choose a larger model, or fewer pictures.",
        )
    if len({picture.shape for picture in pictures}) != 1:
        raise UsageError("The pictures differ in size.", "Bring them to one size first.")
    level = quality_index(quality, converter.qualities)
    height, width = pictures[0].shape[:2]
    size = converter.carrier_size(width, height)
    shape = (size[1], size[0], converter.channels)
    lock = None if model.phrase is None else KeyedLock.new(model.phrase)
    pad = _pad(model, lock, shape, level)
    free = free_samples(*shape, locked=lock is not None)
    order = _reference_first(len(pictures), reference)
    filled = [pictures[i] for i in order]
    filler = converter.filler(pictures[reference])
    filled += [filler] * (converter.card.pictures - len(pictures))
    with enough_memory():
        carrier = converter.embed(filled, level, free, progress, zoom=zoom, pad=pad)
    if converter.moduli(level) is not None:  # others change nothing where there is nothing to tell
        _check_holds(carrier, converter.cover(pictures[reference]))
    header.setdefault("essentials", width.to_bytes(4, "big") + height.to_bytes(4, "big"))
    made = Header(
        task=converter.card.task,
        **model.fields,
        size=size,
        pictures=converter.card.pictures,
        reference=reference,
        valid=len(pictures),
        quality=level,
        **header,
    )
    return carrier, made if lock is None else lock.sealed(made, carrier)


def restore_pictures(
    loader: Loader, carrier: Carrier, progress: Progress = no_progress, *, force: bool = False
) -> RestoredPictures:
    """Restore what a carrier holds.

    Args:
        loader: gives the model, and the pass phrase for a carrier that is locked.
        carrier: see there.
        progress: told how far it is.
        force: restore what is left of a locked carrier that was changed.

    Raises:
        PhraseError: it is locked, and the pass phrase is missing or wrong.
        ModelError: the model that made it is not here, or another was asked for that does
            not fit.
        DamagedCarrierError: nothing of its message is left, or it is locked and was changed.
        NotACarrierError: it has no header, and what was told of it is wrong.
        DeviceError: there is not enough memory.
    """
    header = carrier.header
    lock, notes = _opened(loader, carrier, force)
    model = loader.load_for_carrier(header)
    foreign: tuple[str, ...] = ()
    if not model.hash.startswith(header.model_hash):
        _check_fits(model, carrier)
        foreign = (f"restored with {model.name}, though made by {_maker(header)}",)
    pixels = with_channels(carrier.pixels, model.converter.channels)
    height, width = pixels.shape[:2]
    size = _picture_size(header, (width, height), model.converter.scale)
    shape = (height, width, model.converter.channels)
    free = free_samples(*shape, locked=lock is not None)
    level = min(header.quality, model.converter.qualities - 1)
    pad = _pad(model, lock, shape, level)
    zoom = conversion(model.converter.card.task).zoom(header)
    with enough_memory():
        try:
            restored = model.converter.restore(
                pixels, size, level, free, progress, zoom=zoom, pad=pad
            )
        except DamagedCarrierError as error:  # of a codec, which keeps all or nothing
            if carrier.state == "told":
                raise _nothing_as_told(model, carrier) from error
            if foreign:
                raise _misfit(model, carrier) from error
            raise DamagedCarrierError(
                f"{carrier.path.name} cannot be restored. {error.message}", error.hint
            ) from error
    lost = restored.damaged is not None and restored.damaged > MAX_LOSS
    if lost and carrier.state == "told":
        raise _nothing_as_told(model, carrier)
    if lost and foreign:
        raise _misfit(model, carrier)
    if lost:
        cause = " ".join(carrier.notes) or "Its pixels were changed all over."
        raise DamagedCarrierError(
            f"Nothing of the message in {carrier.path.name} is left. {cause}",
            "A carrier does not survive JPEG, resizing or colour conversion; look for the "
            "original file.",
        )
    valid = min(header.valid, len(restored.pictures))
    order = _reference_first(valid, min(header.reference, valid - 1))
    pictures: list[Pixels | None] = [None] * valid
    for place, picture in zip(order, restored.pictures, strict=False):
        pictures[place] = picture
    return RestoredPictures(
        [picture for picture in pictures if picture is not None],
        min(header.reference, valid - 1),
        restored.damaged,
        (*notes, *foreign, *restored.notes),
        model.converter.card,
    )


def _check_holds(carrier: Pixels, cover: Pixels) -> None:
    """Refuse a carrier so small that nothing was written into it.

    Raises:
        InputError: it is.
    """
    height, width = carrier.shape[:2]
    if width * height <= _SMALL and np.array_equal(carrier, cover):
        raise InputError(
            f"A carrier of {width}×{height} pixels is too small to hold anything.",
            "Take larger pictures: it needs some 8×8 pixels.",
        )


def _pad(
    model: LoadedModel, lock: KeyedLock | None, shape: tuple[int, int, int], level: int
) -> Pixels | None:
    """What locks the digits of a carrier of that shape (h, w, c); None where nothing does.

    Raises:
        ModelError: the model's carriers have no digits.
    """
    if lock is None:
        return None
    moduli = model.converter.moduli(level)
    if moduli is None:
        raise ModelError(
            f"The model {model.name} makes carriers that cannot be locked.",
            "Leave out the pass phrase, or choose another model.",
        )
    return lock.pad(shape, moduli)


def _opened(
    loader: Loader, carrier: Carrier, force: bool
) -> tuple[KeyedLock | None, tuple[str, ...]]:
    """The lock of a locked carrier with its key, and remarks on whether it is whole.

    Raises:
        PhraseError: the pass phrase is missing or wrong.
        DamagedCarrierError: the carrier was changed since, and `force` is false.
    """
    header, name = carrier.header, carrier.path.name
    if header.lock is None:
        return None, ()
    lock = KeyedLock.opened(name, header.lock, loader.phrase)
    if lock.is_whole(header, carrier.pixels):
        return lock, ()
    if not force:
        cause = " ".join(carrier.notes)
        raise DamagedCarrierError(
            f"{name} was changed since it was locked, though the pass phrase is right. "
            f"{cause}".strip(),
            "--force restores what is left; do not trust what comes back.",
        )
    return lock, ("it was changed since it was locked: do not trust what came back",)


def _check_fits(model: LoadedModel, carrier: Carrier) -> None:
    """Refuse a model by whose very kind the carrier cannot be.

    Raises:
        ModelError: it is for another task or number of pictures.
    """
    card, header = model.converter.card, carrier.header
    if card.pictures != header.pictures or header.task not in ("", card.task):
        raise _misfit(model, carrier)


def _nothing_as_told(model: LoadedModel, carrier: Carrier) -> NotACarrierError:
    return NotACarrierError(
        f"{carrier.path.name} holds nothing that {model.name} can take out as you told.",
        "Check --model, --secrets and --quality; or it was changed, or never was a carrier.",
    )


def _misfit(model: LoadedModel, carrier: Carrier) -> ModelError:
    return ModelError(
        f"{carrier.path.name} was made by {_maker(carrier.header)}; {model.name} cannot restore "
        "it.",
        "Leave out --model, or give the one that made it.",
    )


def _maker(header: Header) -> str:
    if header.method == CODEC:
        return header.maker
    return header.model or f"a model with hash {header.model_hash[:16]}…"


def _reference_first(count: int, reference: int) -> list[int]:
    return [reference, *(i for i in range(count) if i != reference)]


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """The carrier as its model takes it: gray for one channel, else RGB."""
    if channels == 1:
        return pixels if pixels.ndim == 2 else pixels[..., 1]
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def _picture_size(header: Header, size: tuple[int, int], scale: int) -> tuple[int, int]:
    """Width and height of the pictures in a carrier of that size.

    The first 8 bytes of the essentials say it, if they fit the carrier; else it is the largest
    size that does.
    """
    if scale == 1:
        return size
    said = header.essentials[:8]
    width, height = int.from_bytes(said[:4], "big"), int.from_bytes(said[4:], "big")
    fits = all(-(-a // scale) == b for a, b in zip((width, height), size, strict=True))
    return (width, height) if fits else (size[0] * scale, size[1] * scale)
