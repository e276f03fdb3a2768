"""Unpacking what is needed of an archive, and nothing else, wherever its members claim to go."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from iiccli.atomic import atomic_path
from iiccli.datasets.scanning import Progress
from iiccli.errors import InputError

Choice = Callable[[PurePosixPath], Path | None]
"""Given a member's path, says where it goes; None leaves it packed."""

_DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error),
    *(EOFError, RuntimeError, NotImplementedError, ValueError),  # the last: a name with a NUL
)


MOST_TIMES = 200
"""An archive that unpacks to more times its size is a bomb: pictures hardly shrink."""
SMALL = 2**30
"""Bytes that any archive may unpack to."""


def unpack(archive: Path, choose: Choice, progress: Progress) -> int:
    """Write the chosen members of a ZIP or TAR file; what is there already is left alone.

    Every file appears whole or not at all, so that an interrupted run can be repeated. Members
    with `..` or an absolute path, links and devices are passed over.

    Args:
        archive: .zip, or .tar in any compression that Python knows.
        choose: asked for each file in it.
        progress: told how much of the archive is done.

    Returns:
        How many files were written.

    Raises:
        InputError: it is missing, damaged, encrypted, or unpacks to a multiple of its size.
        OutputError: the system refuses to write.
    """
    written = 0
    with _reading(archive):
        room = max(SMALL, MOST_TIMES * archive.stat().st_size)
        for name, content in _members(archive, progress):
            target = choose(name)
            if target is None or target.exists():
                continue
            with (
                atomic_path(target, durable=False) as temporary,
                temporary.open("wb") as file,
                content() as packed,
            ):
                shutil.copyfileobj(_Bounded(packed, room, archive), file)
                room -= file.tell()
            written += 1
    return written


class _Bounded:
    """A member of which only so many bytes may be read."""

    def __init__(self, packed: IO[bytes], room: int, archive: Path) -> None:
        self._packed, self._room, self._archive = packed, room, archive

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes.

        Raises:
            InputError: there was more than fits.
        """
        piece = self._packed.read(size)
        self._room -= len(piece)
        if self._room < 0:
            raise InputError(
                f"{self._archive} unpacks to more than {MOST_TIMES} times its size.",
                "No pictures do; if you trust it, unpack it yourself.",
            )
        return piece


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{archive} is damaged or cannot be unpacked: {str(error) or type(error).__name__}.",
            "Fetch it again; what is unpacked already stays.",
        ) from error
    except OSError as error:
        raise InputError(f"{archive} cannot be read: {error.strerror or error}.") from error


_Content = Callable[[], IO[bytes]]


def _members(archive: Path, progress: Progress) -> Iterator[tuple[PurePosixPath, _Content]]:
    """The archive's regular files of harmless names, in its order."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            for done, entry in enumerate(entries):
                progress(done, len(entries), 0.0)
                name = _harmless(entry.filename)
                if name is not None and not entry.is_dir():
                    yield name, lambda entry=entry: packed.open(entry)  # type: ignore[misc]
        return
    whole = max(1, archive.stat().st_size)
    with tarfile.open(archive) as tar:
        for member in tar:
            progress(0, 1, min(1.0, member.offset / whole))
            name = _harmless(member.name)
            if name is not None and member.isreg():
                yield name, lambda member=member: tar.extractfile(member)  # type: ignore[misc]
        _check_end(tar)


def _check_end(tar: tarfile.TarFile) -> None:
    """Refuse a file that was cut: `tarfile` takes a head that is not whole for the end."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")


def _harmless(name: str) -> PurePosixPath | None:
    """A member's path, if it stays below the folder it is unpacked in."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        return None
    return path
