"""Temporary files and folders that a killed process leaves behind for the next one to remove.

Whoever makes one keeps it locked (flock) for as long as it lives, so the system itself tells
which are still in use, also after `kill -9` and whatever becomes of process numbers. What nobody
has locked is removed by the next process that makes something in that folder. Where locks do not
work, and of what another machine made in a shared folder, only that goes which nobody has touched
for a week.

A foundation that every layer may use.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX = ".iic-tmp-"
"""Of all names; then come the machine's name and letters by chance."""

OLD = 7 * 24 * 3600
"""Seconds after which nobody is believed to be writing any more."""

_LOCKS = sys.platform != "win32"
"""Windows has other locks, and neither moves nor removes a file that is open."""

_swept: set[str] = set()


@contextmanager
def temporary_file(folder: Path, suffix: str = "") -> Iterator[Path]:
    """Yield an empty, private file in `folder`; it is gone afterwards, if it is still there.

    Raises:
        OSError: the system refuses.
    """
    sweep(folder)
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_prefix(), suffix=suffix, dir=folder)
        path = Path(name)
        if _locked(path, descriptor):
            break
        os.close(descriptor)
    try:
        if not _LOCKS:
            os.close(descriptor)
        yield path
    finally:
        path.unlink(missing_ok=True)
        if _LOCKS:
            os.close(descriptor)


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty, private folder in `folder`; it is gone afterwards, if it is still there.

    Raises:
        OSError: the system refuses.
    """
    sweep(folder)
    while True:
        path = Path(tempfile.mkdtemp(prefix=_prefix(), dir=folder))
        if not _LOCKS:
            descriptor: int | None = None
            break
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # somebody has swept it before it could be locked
        if _locked(path, descriptor):
            break
        os.close(descriptor)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder where the system keeps what is temporary; it is gone afterwards."""
    with temporary_folder(Path(tempfile.gettempdir())) as path:
        yield path


def sweep(folder: Path) -> None:
    """Remove what processes that have ended left in `folder`; once in the life of this one."""
    key = str(folder.absolute())
    if key in _swept:
        return
    _swept.add(key)
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if entry.name.startswith(PREFIX)]
    except OSError:
        return  # whoever writes into it will say why not
    for path in found:
        with suppress(OSError):  # not ours to remove, or another process does it just now
            _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not _left(path, descriptor):
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif _LOCKS:
            path.unlink()
    finally:
        os.close(descriptor)
    if not _LOCKS and path.is_file():
        path.unlink()


def _left(path: Path, descriptor: int) -> bool:
    """Tell whether nobody writes there any more; locks it if so."""
    foreign = not path.name.startswith(_prefix())
    if _LOCKS and not foreign:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            foreign = True  # no locks here
        else:
            return True
    return time.time() - path.stat().st_mtime > OLD


def _locked(path: Path, descriptor: int) -> bool:
    """Lock what was just made; tell whether nobody has swept it away before."""
    if _LOCKS:
        with suppress(OSError):  # no locks here: then nobody sweeps what is young
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _prefix() -> str:
    machine = re.sub(r"[^A-Za-z0-9]", "", platform.node())[:24]
    return f"{PREFIX}{machine}-"
