"""Mononizing: a stereo pair in one picture that looks like the left view."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iiccli.carrier import MAX_PIXELS, Attached, Header, check_carrier_target, write_carrier
from iiccli.errors import DamagedCarrierError, InputError, UsageError
from iiccli.inference.converter import Progress, no_progress
from iiccli.media.clip import ANIMATION_SUFFIXES, write_clip
from iiccli.media.fitting import Rule
from iiccli.media.image import Pixels
from iiccli.media.stereo import StereoPair, read_stereo, read_stereo_files
from iiccli.media.stereo_writing import COMBINED, WIGGLE_RATE, combined, wiggle, write_mpo
from iiccli.tasks.conversion import Conversion, Form, Made, Output
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pairs import fit_words, fitted_second, unfitted_second
from iiccli.tasks.pictures import RestoredPictures, embed_pictures
from iiccli.tasks.stills import Note, attached_to, silent, spare

TASK = "mono"
LEFT, RIGHT = "left", "right"

MAX_RATIO = 8
"""A right view whose sides are more than so many times longer or shorter than the left one's is
none."""

_ESSENTIALS = struct.Struct(">IIII")
_PADDED = 1 << 31
"""In the right view's height: it has borders."""


@dataclass(frozen=True)
class Views:
    """How the two views of one or two files are found.

    Attributes:
        layout: how one file holds both, see `iiccli.media.stereo.LAYOUTS`.
        swap: exchange the two.
    """

    layout: str = "auto"
    swap: bool = False

    def read(self, sources: Sequence[Path]) -> StereoPair:
        """Read a pair from one or two files.

        Raises:
            UsageError, InputError: see `iiccli.media.stereo`.
        """
        two = len(sources) == 2
        pair = read_stereo_files(*sources) if two else read_stereo(sources[0], self.layout)
        if not self.swap:
            return pair
        return StereoPair(pair.right, pair.left, pair.layout, pair.notes)


AUTOMATIC = Views()


def mononize(
    sources: Sequence[Path],
    target: Path,
    model: LoadedModel,
    quality: str = "balanced",
    views: Views = AUTOMATIC,
    *,
    one_size: bool = False,
    fit: Rule = "stretch",
    strip: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Put a stereo pair into one picture.

    The left view's size, profile, EXIF and XMP are the carrier's. A right view of another size
    is fitted to the left one's, and back when it is restored.

    Args:
        sources: the left view and the right one, or one file that holds both.
        target: .png, .webp or .tiff.
        model: takes two pictures.
        quality: `cover`, `balanced` or `content`.
        views: see there.
        one_size: refuse views of different sizes.
        fit: how a right view of other proportions is fitted.
        strip: leave out EXIF and XMP.
        force: replace what exists.
        progress: told how far it is.
        note: told remarks for the user.

    Raises:
        UsageError, InputError, ModelError, OutputError, OutputExistsError: see `errors`.
    """
    check_carrier_target(target, force)
    spare(sources, target)
    pair = views.read(sources)
    for message in pair.notes:
        note(message)
    left, right = pair.left.pixels, pair.right.pixels
    if one_size and _size(left) != _size(right):
        raise InputError(
            f"{sources[0]} and {sources[-1]} differ in size.",
            "They go together by the order of their names; is one missing? Two pictures alone "
            "may differ.",
        )
    note_fit(left, right, note, fit)
    pixels, header, right = _embed_fitted(model, left, right, quality, fit, progress)
    cover = model.converter.cover(left)
    kept = attached_to(pair.left, note, strip=strip)
    written = write_carrier(
        target,
        pixels,
        header,
        target=cover,
        force=force,
        icc=kept.icc,
        exif=kept.exif,
        xmp=kept.xmp,
    )
    return Made(target, written, header, cover, [Output(LEFT, left), Output(RIGHT, right)])


def _embed_fitted(
    model: LoadedModel,
    left: Pixels,
    right: Pixels,
    quality: str,
    rule: Rule,
    progress: Progress,
    **fields: Any,
) -> tuple[Pixels, Header, Pixels]:
    """See `embed_views`; besides, the right view as it will come back."""
    check_pair(left, right)
    size = _size(left)
    fitted, right, padded = fitted_second(right, size, rule, most=_PADDED - 1)
    width, height = _size(right)
    pixels, header = embed_pictures(
        model,
        [left, fitted],
        0,
        quality,
        progress,
        essentials=_ESSENTIALS.pack(*size, width, height | (_PADDED if padded else 0)),
        **fields,
    )
    return pixels, header, right


def embed_views(
    model: LoadedModel,
    left: Pixels,
    right: Pixels,
    quality: str,
    progress: Progress = no_progress,
    fit: Rule = "stretch",
    **fields: Any,
) -> tuple[Pixels, Header]:
    """Make a carrier's pixels and header from two views; see `embed_pictures`.

    Args:
        model: takes two pictures.
        left: (H, W, 3) uint8.
        right: (h, w, 3) uint8.
        quality: `cover`, `balanced` or `content`.
        progress: told how far it is.
        fit: how a right view of other proportions is fitted.
        fields: further fields of the header.

    Raises:
        InputError: the views' sizes are too different.
    """
    return _embed_fitted(model, left, right, quality, fit, progress, **fields)[:2]


def check_pair(left: Pixels, right: Pixels) -> None:
    """Refuse views whose sizes are too different.

    Raises:
        InputError: they are.
    """
    size, own = _size(left), _size(right)
    if not _plausible(size, own):
        raise InputError(
            f"A left view of {size[0]}×{size[1]} and a right one of {own[0]}×{own[1]} pixels are "
            "no pair.",
            f"Neither side may be more than {MAX_RATIO} times the other's.",
        )


def note_fit(left: Pixels, right: Pixels, note: Note, fit: Rule = "stretch") -> None:
    """Say what is done to a right view of another size.

    Raises:
        InputError: the sizes are too different.
    """
    check_pair(left, right)
    words = fit_words(_size(right), _size(left), fit)
    if words:
        note(f"the right view is {words}")


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """Both views, the right one at its own size if the header tells a possible one."""
    if len(restored.pictures) != 2:
        raise DamagedCarrierError("The carrier does not hold two views.", "Look for the original.")
    left, right = restored.pictures
    if len(header.essentials) == _ESSENTIALS.size:
        width, height = _ESSENTIALS.unpack(header.essentials)[2:]
        own = (width, height & ~_PADDED)
        if _plausible(_size(left), own):
            right = unfitted_second(right, own, padded=bool(height & _PADDED))
    return [Output(LEFT, left), Output(RIGHT, right)]


def _combined(form: str) -> Form:
    def combine(found: list[Output]) -> Output:
        left, right = found
        return Output(form, combined(left.pixels, right.pixels, form))

    return Form(combine=combine)


def _write_mpo(path: Path, found: list[Output], attached: Attached, force: bool) -> None:
    left, right = (output.pixels for output in found)
    _check_suffix(path, "mpo", (".mpo",))
    write_mpo(path, left, right, icc=attached.icc, exif=attached.exif, force=force)


def _write_wiggle(path: Path, found: list[Output], attached: Attached, force: bool) -> None:
    left, right = (output.pixels for output in found)
    _check_suffix(path, "wiggle", ANIMATION_SUFFIXES)
    write_clip(path, wiggle(left, right), WIGGLE_RATE, force=force)


def _check_suffix(path: Path, form: str, suffixes: Sequence[str]) -> None:
    if path.suffix.lower() not in suffixes:
        raise UsageError(
            f"{path.name} cannot be written as {form}.", f"Name it {' or '.join(suffixes)}."
        )


FORMS: Mapping[str, Form] = {
    "pair": Form(),
    **{form: _combined(form) for form in COMBINED},
    "mpo": Form(write=_write_mpo, suffix=".mpo", implied=(".mpo",)),
    "wiggle": Form(write=_write_wiggle, suffix=".gif", implied=(".gif", ".apng")),
}
"""How a pair can be given back: two pictures, one that shows both, or one that moves."""

CONVERSION = Conversion(TASK, outputs, names=lambda header: (LEFT, RIGHT), forms=FORMS)


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _plausible(size: tuple[int, int], own: tuple[int, int]) -> bool:
    """Tell whether views of these sizes may be a pair, whoever says so."""
    alike = all(a <= MAX_RATIO * b and b <= MAX_RATIO * a for a, b in zip(size, own, strict=True))
    return min(own) > 0 and alike and own[0] * own[1] <= max(MAX_PIXELS, size[0] * size[1])
