"""Whether the files of a manifest are what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iiccli.datasets.manifest import Manifest, Picture
from iiccli.datasets.scanning import Progress, Scanner


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        files: how many there are in the manifest.
        problems: a sentence on each that is not as it should be.
    """

    files: int
    problems: tuple[str, ...]


def check_files(
    manifest: Manifest, progress: Progress = lambda done, total, share: None
) -> Checked:
    """Read all files of a manifest and compare sizes and check sums."""
    pictures = {p.path: p for item in manifest.items for p in item.pictures}
    scanner = Scanner(progress)
    scanner.scan(map(manifest.file_of, pictures.values()))
    problems = [text for p in pictures.values() for text in _problems(manifest, p, scanner)]
    return Checked(len(pictures), tuple(problems))


def _problems(manifest: Manifest, picture: Picture, scanner: Scanner) -> Iterator[str]:
    path = manifest.file_of(picture)
    scan = scanner.of(path)
    if scan.problem:
        yield scan.problem
        return
    if scan.size is not None and scan.size != (picture.width, picture.height):
        is_now, was = (f"{w}×{h}" for w, h in (scan.size, (picture.width, picture.height)))
        yield f"{path} is {is_now}, not {was}."
    if scan.sha256 != picture.sha256:
        yield f"{path} has changed: its check sum is another."
