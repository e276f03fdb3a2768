"""Writing that leaves the target whole or absent.

Like `errors`, a foundation that every layer may use.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from iiccli.errors import OutputError, OutputExistsError
from iiccli.temporary import PREFIX, sweep, temporary_file, temporary_folder

TEMPORARY_PREFIX = PREFIX

_NOT_FOR_THIS = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)
_IN_THE_WAY = (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.EXDEV)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
_FULL = 1 << 16
"""A disk with less free bytes is full."""


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that exists or cannot be written, before any work is done.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: its folder is missing and cannot be made, or is not a folder; or nothing may
            be written there.
    """
    if not force and not target.is_dir() and (target.exists() or target.is_symlink()):
        raise _exists(target)
    if not force and target.is_dir() and _holds_something(target):
        raise _not_empty(target)
    places = target.absolute().parents
    for parent in (target, *places) if target.is_dir() else places:
        if parent.exists():
            if not parent.is_dir():
                raise OutputError(f"{parent} is not a folder.", f"It stands where {target} goes.")
            if not os.access(parent, os.W_OK):
                raise OutputError(f"No permission to write into {parent}.")
            break


@contextmanager
def atomic_path(target: Path, *, force: bool = False, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target`; move it there only if the block succeeds.

    The temporary name keeps the target's suffix, as writers choose their format by it. Without
    `force` a target that another process makes meanwhile is left alone, too.

    Args:
        target: where to.
        force: replace what is there.
        durable: have it on the disk before it gets its name, so that not even a power cut leaves an
            empty file; costs milliseconds, which count where thousands of files are unpacked.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: the system refuses (space, permission, read-only).
    """
    check_target(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(target.parent, target.suffix) as temporary:
            yield temporary
            temporary.chmod(0o666 & ~_umask())  # it was private; results are not
            if durable:
                _settle(temporary, os.O_RDWR)
            _name(temporary, target, force=force)
            if durable:
                _settle_folder(target.parent)
    except OSError as error:
        raise output_error(target, error) from error


@contextmanager
def atomic_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary folder; what is in it moves into `target` only if the block succeeds.

    A new folder appears as a whole, and so does what fills an empty one, where nobody would notice
    that it is another folder. Else the files are moved into it one by one, each whole: `kill -9`
    in that moment leaves the first of them there. With `force`, files of the same names are
    replaced and others are left alone, in folders inside it too.

    Raises:
        OutputExistsError: the target is a file, or holds something and `force` is false.
        OutputError: the system refuses.
    """
    check_target(target, force=force)
    if target.exists() and not target.is_dir():
        raise OutputExistsError(f"{target} is a file, not a folder.", "Choose another name.")
    try:
        place = target.absolute().parent
        place.mkdir(parents=True, exist_ok=True)
        sweep(target)
        if target.exists() and not _can_give_way(target):
            place = target  # on its file system for sure, and writable if anything is
        with temporary_folder(place) as temporary:
            yield temporary
            for path in temporary.rglob("*"):
                if path.is_file():
                    _settle(path, os.O_RDWR)
            with _undisturbed():
                _appear(temporary, target, force=force)
            _settle_folder(target)
            _settle_folder(target.absolute().parent)
    except OSError as error:
        raise output_error(target, error) from error


def _name(temporary: Path, target: Path, *, force: bool) -> None:
    if not force:
        try:
            os.link(temporary, target)  # which, other than moving, replaces nothing
        except FileExistsError:
            raise _exists(target) from None
        except OSError:
            pass  # no hard links here
        else:
            return
    temporary.replace(target)


def _appear(temporary: Path, target: Path, *, force: bool) -> None:
    if not target.exists():
        temporary.chmod(0o777 & ~_umask())
        moved = _renamed(temporary, target)
    else:
        moved = _can_give_way(target) and _looks_as(temporary, target)
        moved = moved and _renamed(temporary, target)
    if moved:
        return
    if not force and _holds_something(target):  # another process was faster
        raise _not_empty(target)
    _move_into(temporary, target)


def _renamed(temporary: Path, target: Path) -> bool:
    """Have a folder take the place of one that is empty or not there; tell whether it did."""
    try:
        temporary.rename(target)
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        return False
    return True


def _can_give_way(folder: Path) -> bool:
    """Tell whether another folder may take the place of this one.

    It has to be empty, nothing may be mounted there, and no shell may stand in it, which would find
    itself in a folder without a name; and the one beside it is made in its parent.
    """
    if os.name == "nt" or folder.is_symlink() or any(folder.iterdir()):
        return False
    parent = folder.absolute().parent
    if folder.stat().st_dev != parent.stat().st_dev or folder.is_mount():
        return False
    try:
        stands_there = folder.samefile(Path.cwd())
    except FileNotFoundError:  # of the folder that this process stands in only the name is left
        stands_there = False
    return not stands_there and os.access(parent, os.W_OK)


def _looks_as(temporary: Path, target: Path) -> bool:
    """Give a folder the permissions of another; tell whether it then is the same to everybody."""
    one, other = temporary.stat(), target.stat()
    if (one.st_uid, one.st_gid) != (other.st_uid, other.st_gid):
        return False
    temporary.chmod(stat.S_IMODE(other.st_mode))
    return _attributes(temporary) == _attributes(target)


def _attributes(folder: Path) -> dict[str, bytes]:
    """Access lists and the like; nothing where the system has none."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(folder, name) for name in os.listxattr(folder)}
    except OSError:
        return {}


def _move_into(folder: Path, target: Path) -> None:
    for path in sorted(folder.iterdir()):
        place = target / path.name
        if path.is_dir() and place.exists():
            _move_into(path, place)
        else:
            path.replace(place)


def _holds_something(folder: Path) -> bool:
    """Tell whether something is in a folder, besides what is swept from there by itself."""
    return any(not path.name.startswith(PREFIX) for path in folder.iterdir())


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and its like for the moment in which files are moved."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals do not come here
        return
    caught: list[int] = []

    def later(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not None]
    before = {number: signal.signal(number, later) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


def _settle(path: Path, flags: int) -> None:
    """Have the disk keep what was written.

    Raises:
        OSError: it cannot.
    """
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_FOR_THIS:
            raise
    finally:
        os.close(descriptor)


def _settle_folder(path: Path) -> None:
    try:
        _settle(path, os.O_RDONLY)
    except PermissionError:
        return  # it may be written but not read, or this is Windows


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _exists(target: Path) -> OutputExistsError:
    return OutputExistsError(f"{target} exists already.", "Use --force to replace it.")


def _not_empty(target: Path) -> OutputExistsError:
    return OutputExistsError(
        f"The folder {target} is not empty.", "Use --force to write into it all the same."
    )


def output_error(target: Path, error: OSError) -> OutputError:
    """Say in one sentence why the system refused to write `target`."""
    if error.errno in _NO_SPACE or (error.errno is None and _is_full(target.parent)):
        return OutputError(f"No space left to write {target}.", "Free some space and run again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"No permission to write {target}.", "Choose another place with -o.")
    return OutputError(f"Cannot write {target}: {error.strerror or error}.")


def _is_full(folder: Path) -> bool:
    """Tell whether the disk is full; encoders lose the system's number for it."""
    try:
        return shutil.disk_usage(folder).free < _FULL
    except OSError:
        return False
