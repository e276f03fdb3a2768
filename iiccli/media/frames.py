"""Folders and patterns of still pictures as clips."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageOps

from iiccli.errors import InputError
from iiccli.media.colour import to_rgb
from iiccli.media.compositing import on_plain
from iiccli.media.fitting import Rule, fit
from iiccli.media.image import write_picture
from iiccli.media.opening import opened, quiet
from iiccli.media.profiles import in_srgb
from iiccli.media.remarks import remarks_on, summary
from iiccli.media.resize import Pixels, fit_max_side
from iiccli.media.source import Clip, ClipInfo

FRAMES_RATE = Fraction(25)
"""Frames per second of still pictures, which carry no rate themselves."""

STILL_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"),
    *(".ppm", ".pgm", ".pnm", ".tga", ".heic", ".heif", ".jxl", ".jp2"),
)
"""Files that are taken for pictures when a folder is searched."""
_ORIENTATION = 0x0112
_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key by which "frame2" comes before "frame10"."""
    parts = _DIGITS.split(name.casefold())
    return [(1, int(p), p) if i % 2 else (0, 0, p) for i, p in enumerate(parts) if p]


def frames_in_folder(folder: Path) -> list[Path]:
    """List the pictures in `folder`, in natural order; hidden and other files are left out.

    Raises:
        InputError: there is none, or the folder cannot be read.
    """
    try:
        found = [
            file
            for file in folder.iterdir()
            if file.suffix.lower() in STILL_SUFFIXES and not file.name.startswith(".")
        ]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error
    if not found:
        raise InputError(f"There are no pictures in the folder {folder}.")
    return sorted(found, key=lambda file: natural_key(file.name))


def frames_by_pattern(pattern: str) -> list[Path]:
    """List the files that match a glob pattern, in natural order.

    Raises:
        InputError: there is none.
    """
    found = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - absolute
    files = [file for file in found if file.is_file()]
    if not files:
        raise InputError(f"No file matches {pattern}.", "Check the pattern.")
    return sorted(files, key=lambda file: natural_key(str(file)))


class FramesClip(Clip):
    """Still pictures, one after the other, brought to the first one's size where they differ."""

    def __init__(self, source: str, paths: Sequence[Path], rule: Rule | None = None) -> None:
        """Look at all of them.

        Args:
            source: what was given.
            paths: of the pictures.
            rule: how those of another size are fitted; None refuses them.

        Raises:
            InputError: a file is no picture, or differs in size.
        """
        self.paths = tuple(paths)
        self._rule: Rule = rule or "stretch"
        self._sizes: list[tuple[int, int]] = []
        remarks = []
        for path in self.paths:
            with opened(path) as image, quiet():
                remarks.append(remarks_on(image))
                self._sizes.append(_upright_size(image))
        size = self._sizes[0]
        others = [i for i, own in enumerate(self._sizes) if own != size]
        if others and rule is None:
            path, other = self.paths[others[0]], self._sizes[others[0]]
            raise InputError(
                f"{path} is {other[0]}×{other[1]}, but {self.paths[0].name} is "
                f"{size[0]}×{size[1]}.",
                "All frames of a clip must have one size; --fit crop, pad or stretch gives them "
                "the first one's.",
            )
        notes = summary(remarks)
        if others:
            notes.append(
                f"{len(others)} of {len(self.paths)} frames are brought to {size[0]}×{size[1]} "
                f"({rule}); they come back at that size"
            )
        info = ClipInfo(size, len(self.paths), FRAMES_RATE, "frames")
        super().__init__(source, info, tuple(notes))

    def _frames(self, wanted: list[int], max_side: int | None) -> Iterator[Pixels]:
        for index in wanted:
            path = self.paths[index]
            with opened(path) as image, quiet():
                frame = _upright_rgb(image)
            if (frame.shape[1], frame.shape[0]) != self._sizes[index]:
                raise InputError(f"{path} has changed its size since the clip was opened.")
            if self._sizes[index] != self.info.size:
                frame, _ = fit(frame, self.info.size, self._rule, turning=False)
            yield frame if max_side is None else fit_max_side(frame, max_side)


def write_frames(folder: Path, frames: Iterable[Pixels]) -> None:
    """Write (H, W, 3) uint8 RGB frames as 0001.png, 0002.png, ... into an existing folder."""
    for number, frame in enumerate(frames, start=1):
        write_picture(folder / f"{number:04d}.png", frame, force=True)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return (width, height), from the header where that suffices, orientation respected."""
    turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    if turned and image.format == "TIFF":
        image.load()  # Pillow turns a TIFF itself, and then says so
        turned = False
    width, height = image.size
    return (height, width) if turned else (width, height)


def _upright_rgb(image: Image.Image) -> Pixels:
    """The frame in sRGB, (H, W, 3) uint8; what is transparent is white."""
    found = to_rgb(ImageOps.exif_transpose(image))
    pixels = in_srgb(found.pixels, found.icc)
    return pixels if found.alpha is None else on_plain(pixels, found.alpha)
