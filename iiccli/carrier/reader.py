"""Recognise a carrier and say how much of it is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from iiccli.carrier.cause import cause
from iiccli.carrier.decode import Decoded, decode
from iiccli.carrier.header import Header, NewerCarrierError
from iiccli.carrier.metadata import Attached
from iiccli.carrier.pixels import Pixels, Stamp, Unveil, checksum, is_gray, read_stamp
from iiccli.carrier.turning import Turn, turned_back
from iiccli.errors import DamagedCarrierError, IicError, NotACarrierError
from iiccli.room import copied

State: TypeAlias = Literal["whole", "stripped", "changed", "told"]

_ORIGINAL: Final = "Use the original file, as iic wrote it; it must never be saved lossily."


@dataclass(frozen=True, eq=False)
class Carrier:
    """A carrier as it was found.

    Attributes:
        path: the file it was read from.
        format: name of the file format, e.g. "PNG".
        pixels: (H, W, 3) RGB or (H, W) gray, uint8, as they are in the file; but where that was
            turned or mirrored since, as they were before.
        alpha: (H, W) uint8 of an alpha channel that is not opaque everywhere, or None.
        header: from the metadata; where that is gone, from the pixels, and then not
            `complete`: `model` is "" and `model_hash` a prefix of 16 hex digits.
        state: "whole": every pixel is as written. "stripped": the metadata is gone; the
            header comes from the pixels, and by the checksum kept there they are as written.
            "changed": the pixels are not as written, wherever the header comes from.
            "told": it has no header; what it holds was told by the user, see `take_for_carrier`.
        notes: what was noticed, one sentence each.
        attached: the user's own profile, EXIF and XMP in the file.
    """

    path: Path
    format: str
    pixels: Pixels
    alpha: NDArray[np.uint8] | None
    header: Header
    state: State
    notes: tuple[str, ...]
    attached: Attached


def read_carrier(
    path: Path, *, max_pixels: int | None = None, unveil: Unveil | None = None
) -> Carrier:
    """Read a carrier and check what is left of it.

    Args:
        path: a picture of any kind that Pillow reads.
        max_pixels: refuse larger pictures before any memory is taken for them; None takes
            `iiccli.limits.max_pixels`.
        unveil: finds a veiled header, where there is no other; see `read_stamp`.

    Raises:
        InputError: the file is missing, truncated, no picture, or too large.
        NotACarrierError: it is a picture without any header.
        DamagedCarrierError: there is a header, but it cannot be read, or not enough is left.
        NewerCarrierError: a newer iic made it (a kind of DamagedCarrierError).
    """
    decoded = decode(path, max_pixels)
    header, damage = _from_metadata(path, decoded)
    if decoded.pixels is None:
        _refuse_depth(path, decoded, known=header is not None or damage is not None)
    if header is not None:
        return _with_metadata(path, decoded, header, decoded.pixels)
    for pixels in _candidates(decoded.pixels):
        try:
            stamp = read_stamp(pixels)
        except DamagedCarrierError as error:
            damage = _named(path, error)
            continue
        if stamp is not None:
            return _with_stamp(path, decoded, pixels, stamp, "stripped", _lost(damage))
    back = _turned_back(decoded)
    if back is not None:
        notes = (_lost(damage), back.note)
        return _with_stamp(path, back.decoded, back.pixels, back.stamp, "stripped", *notes)
    if damage is not None:
        raise damage
    for pixels in _candidates(decoded.pixels) if unveil is not None else ():
        stamp = read_stamp(pixels, unveil)
        if stamp is not None:
            return _with_stamp(path, decoded, pixels, stamp, "whole")
    back = _turned_back(decoded, unveil) if unveil is not None else None
    if back is not None:
        return _with_stamp(path, back.decoded, back.pixels, back.stamp, "whole", back.note)
    raise _not_a_carrier(path, decoded)


def take_for_carrier(
    path: Path,
    header_for: Callable[[int, int], Header],
    *,
    max_pixels: int | None = None,
    holds: Callable[[Pixels], bool] = lambda pixels: True,
) -> Carrier:
    """Read a picture without header as the carrier that the user says it is.

    Args:
        path: a picture of any kind that Pillow reads.
        header_for: given its width and height, what it would say about itself.
        max_pixels: see `read_carrier`.
        holds: tells whether such pixels hold a message. Where they do only after they were turned
            back, they are; where they never do, they are taken as they are.

    Raises:
        InputError: the file is missing, truncated, no picture, or too large.
        NotACarrierError: it is not of 8 bits, so that it cannot be one.
    """
    decoded = decode(path, max_pixels)
    if decoded.pixels is None:
        _refuse_depth(path, decoded, known=False)
    pixels = decoded.pixels
    notes: tuple[str, ...] = ()
    if not holds(pixels):
        for turn, candidate in turned_back(pixels):
            if holds(candidate):
                decoded, pixels, note = _undone(decoded, turn, candidate)
                notes = (note,)
                break
    height, width = pixels.shape[:2]
    return _carrier(path, decoded, pixels, header_for(width, height), "told", notes)


def _from_metadata(path: Path, decoded: Decoded) -> tuple[Header | None, IicError | None]:
    """Give the header of the metadata, or how it is damaged, or two times nothing."""
    if decoded.text is None:
        return None, None
    try:
        return Header.from_json(decoded.text), None
    except NewerCarrierError as error:
        raise _named(path, error) from error
    except DamagedCarrierError as error:
        return None, _named(path, error)


def _candidates(pixels: Pixels) -> Iterator[Pixels]:
    """Give `pixels` and what they may have been before gray became RGB or RGB became gray."""
    yield pixels
    if pixels.ndim == 2:
        yield np.repeat(pixels[..., None], 3, axis=2)
    elif is_gray(pixels):
        yield copied(pixels[..., 0])


@dataclass(frozen=True, eq=False)
class _Back:
    """A picture as it was before it was turned.

    Attributes:
        decoded: with the alpha as it was.
        pixels: likewise.
        stamp: what was found in them.
        note: what was done to it.
    """

    decoded: Decoded
    pixels: Pixels
    stamp: Stamp
    note: str


def _turned_back(decoded: Decoded, unveil: Unveil | None = None) -> _Back | None:
    """Look for a header in the pixels as they were before a turn; only the border is read.

    With `unveil` for a veiled one, in which each turn costs the making of a key.
    """
    assert decoded.pixels is not None
    for whole in _candidates(decoded.pixels):
        for turn, candidate in turned_back(whole):
            try:
                stamp = read_stamp(candidate, unveil)
            except DamagedCarrierError:
                continue
            height, width = candidate.shape[:2]
            if stamp is None or stamp.header.size != (width, height):
                continue
            as_it_was, pixels, note = _undone(decoded, turn, candidate)
            return _Back(as_it_was, pixels, stamp, note)
    return None


def _undone(decoded: Decoded, turn: Turn, pixels: Pixels) -> tuple[Decoded, Pixels, str]:
    """A picture with its alpha as it was before a turn, its pixels likewise, and what to say."""
    alpha = decoded.alpha
    if alpha is not None:
        alpha = np.ascontiguousarray(turn.undone(alpha))
    note = f"It was {turn.words} since it was made, which was undone."
    return replace(decoded, alpha=alpha), np.ascontiguousarray(pixels), note


def _with_metadata(path: Path, decoded: Decoded, header: Header, found: Pixels) -> Carrier:
    for pixels in _candidates(found):
        if header.pixels_sha256 and checksum(pixels) == header.pixels_sha256:
            return _carrier(path, decoded, pixels, header, "whole", ())
    trace = _trace(found)
    if trace is None:
        back = _turned_back(decoded)
        if back is not None:
            intact = checksum(back.pixels) == header.pixels_sha256
            notes = (
                (back.note,)
                if intact
                else (back.note, cause(decoded, header, back.pixels, stamped=True))
            )
            state: State = "whole" if intact else "changed"
            return _carrier(path, back.decoded, back.pixels, header, state, notes)
    why = cause(decoded, header, found, stamped=trace is True)
    return _carrier(path, decoded, found, header, "changed", (why,))


def _trace(pixels: Pixels) -> bool | None:
    """Tell whether the header in the pixels can still be read; None where there is none."""
    try:
        return any(read_stamp(candidate) is not None for candidate in _candidates(pixels)) or None
    except DamagedCarrierError:
        return False


def _with_stamp(
    path: Path,
    decoded: Decoded,
    pixels: Pixels,
    stamp: Stamp,
    intact: State,
    *notes: str,
) -> Carrier:
    """What the pixels say; `intact` is the state of one in which none has changed."""
    height, width = pixels.shape[:2]
    if stamp.intact and stamp.header.size == (width, height):
        return _carrier(path, decoded, pixels, stamp.header, intact, notes)
    why = cause(decoded, stamp.header, pixels, stamped=True)
    return _carrier(path, decoded, pixels, stamp.header, "changed", (*notes, why))


def _lost(damage: IicError | None) -> str:
    what = "metadata is gone" if damage is None else "metadata header is damaged"
    return f"The {what}; the header was read from the pixels."


def _carrier(
    path: Path,
    decoded: Decoded,
    pixels: Pixels,
    header: Header,
    state: State,
    notes: tuple[str, ...],
) -> Carrier:
    if decoded.frames > 1:
        notes = (*notes, f"Only the first of the {decoded.frames} pictures in the file was used.")
    return Carrier(
        path=path,
        format=decoded.format,
        pixels=pixels,
        alpha=decoded.alpha,
        header=header,
        state=state,
        notes=notes,
        attached=decoded.attached,
    )


def _refuse_depth(path: Path, decoded: Decoded, *, known: bool) -> NoReturn:
    what = f"{path} is a picture in {decoded.mode} pixels; a carrier has 8-bit RGB or gray"
    if known:
        raise DamagedCarrierError(f"{what}, so converting it has destroyed it.", _ORIGINAL)
    raise NotACarrierError(f"{what}.", _ORIGINAL)


def _not_a_carrier(path: Path, decoded: Decoded) -> NotACarrierError:
    if decoded.lossy:
        hint = f"If it was one, saving it as {decoded.lossy} has destroyed it. {_ORIGINAL}"
    else:
        hint = f"If it was one, it was edited, resized or saved lossily since. {_ORIGINAL}"
    return NotACarrierError(f"{path} is not a carrier: it holds nothing from iic.", hint)


def _named(path: Path, error: DamagedCarrierError) -> DamagedCarrierError:
    """Give the same error with the file's name in front."""
    return type(error)(f"{path}: {error.message}", error.hint)
