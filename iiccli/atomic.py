"""Writing that leaves the target whole or absent.

Like `errors`, a foundation that every layer may use.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from iiccli.errors import OutputError, OutputExistsError
from iiccli.temporary import PREFIX, temporary_file, temporary_folder

TEMPORARY_PREFIX = PREFIX

_NOT_FOR_THIS = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
_FULL = 1 << 16
"""A disk with less free bytes is full."""


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that exists or cannot be written, before any work is done.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: its folder is missing and cannot be made, or is not a folder.
    """
    if not force and (target.is_file() or target.is_symlink()):
        raise _exists(target)
    if not force and target.is_dir() and any(target.iterdir()):
        raise _not_empty(target)
    for parent in target.absolute().parents:
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

    A new folder appears as a whole. Into one that is there already files are moved one by one, each
    whole; with `force`, files of the same names are replaced and others are left alone, in folders
    inside it too.

    Raises:
        OutputExistsError: the target is a file, or holds something and `force` is false.
        OutputError: the system refuses.
    """
    check_target(target, force=force)
    if target.exists() and not target.is_dir():
        raise OutputExistsError(f"{target} is a file, not a folder.", "Choose another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent) as temporary:
            yield temporary
            for path in temporary.rglob("*"):
                if path.is_file():
                    _settle(path, os.O_RDWR)
            with _undisturbed():
                _appear(temporary, target, force=force)
            _settle_folder(target)
            _settle_folder(target.parent)
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
        try:
            temporary.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
    if not force and any(target.iterdir()):  # another process was faster
        raise _not_empty(target)
    _move_into(temporary, target)


def _move_into(folder: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            _move_into(path, target / path.name)
        else:
            path.replace(target / path.name)


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
