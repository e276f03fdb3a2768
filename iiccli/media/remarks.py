"""What reading the frames of a folder changes, told from their headers before any is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from iiccli.media.colour import has_alpha, to_rgb
from iiccli.media.image import reads_16_bit_as_8
from iiccli.media.profiles import foreign


@dataclass(frozen=True)
class Remarks:
    """Of one frame.

    Attributes:
        profile: name of the profile from which its colours are converted; else empty.
        phrases: what else is changed.
    """

    profile: str = ""
    phrases: tuple[str, ...] = ()


def remarks_on(image: Image.Image) -> Remarks:
    """What is changed when this opened, undecoded file is read as a frame.

    Raises what Pillow raises; call it inside `opened`.
    """
    icc = image.info.get("icc_profile") or None
    phrases = []
    if image.mode == "F" or image.mode.startswith("I") or reads_16_bit_as_8(image):
        phrases.append("reduced to 8 bits per channel")
    else:
        # A pixel of the same kind goes the same way, and the way has its notes.
        pixel = Image.new(image.mode, (1, 1))
        pixel.info["icc_profile"] = icc
        phrases += to_rgb(pixel).notes
    if has_alpha(image):
        phrases.append("what its alpha channel leaves transparent is shown on white")
    if getattr(image, "is_animated", False):
        phrases.append("the first of several pictures in it was taken")
    return Remarks(foreign(icc), tuple(phrases))


def summary(remarks: Sequence[Remarks]) -> list[str]:
    """One sentence for each thing that is changed, and how many frames it is changed in."""
    of = f"of {len(remarks)} frames"
    notes = []
    profiles = [one.profile for one in remarks if one.profile]
    if profiles:
        names = list(dict.fromkeys(profiles))
        from_all = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        notes.append(f"{len(profiles)} {of}: colours converted to sRGB from {from_all}")
    counts = Counter(phrase for one in remarks for phrase in one.phrases)
    return [*notes, *(f"{count} {of}: {phrase}" for phrase, count in counts.items())]
