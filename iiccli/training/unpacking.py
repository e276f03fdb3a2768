"""Archives among the training data, unpacked once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_path

from iiccli.datasets.archives import unpack
from iiccli.errors import InputError, TrainingError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip")


def unpacked(sources: Sequence[Path], cache: Path | None = None) -> list[Path]:
    """The sources, archives replaced by the folders that they have been unpacked to.

    Args:
        sources: folders, manifests and archives; archives that lie in a folder count too.
        cache: where to unpack; None: the user's cache folder.

    Raises:
        TrainingError: an archive is damaged.
        OutputError: there is no room.
    """
    result = []
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.iterdir() if _is_archive(p))
            result += [source, *(_folder(path, cache) for path in inside)]
        else:
            result.append(_folder(source, cache) if _is_archive(source) else source)
    return result


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def _folder(archive: Path, cache: Path | None) -> Path:
    """Unpack an archive, unless this very file has been."""
    status = archive.stat()
    key = f"{archive.resolve()} {status.st_size} {status.st_mtime_ns}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    root = cache or user_cache_path("iic", appauthor=False) / "unpacked"
    target = root / f"{archive.name.split('.')[0]}-{digest}"
    done = target / ".complete"
    if not done.exists():

        def place(name: PurePosixPath) -> Path:
            return target.joinpath(*name.parts)

        try:
            unpack(archive, place, lambda done, total, share: None)
        except InputError as error:
            raise TrainingError(error.message, error.hint) from error
        done.touch()
    return target
