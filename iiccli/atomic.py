"""Writing that leaves the target whole or absent.

Like `errors`, a foundation that every layer may use.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iiccli.errors import OutputError, OutputExistsError

TEMPORARY_PREFIX = ".iic-tmp-"


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that exists or cannot be written, before any work is done.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: its folder is missing and cannot be made, or is not a folder.
    """
    if not force and (target.is_file() or target.is_symlink()):
        raise OutputExistsError(f"{target} exists already.", "Use --force to replace it.")
    if not force and target.is_dir() and any(target.iterdir()):
        raise OutputExistsError(
            f"The folder {target} is not empty.", "Use --force to write into it all the same."
        )
    for parent in target.absolute().parents:
        if parent.exists():
            if not parent.is_dir():
                raise OutputError(f"{parent} is not a folder.", f"It stands where {target} goes.")
            if not os.access(parent, os.W_OK):
                raise OutputError(f"No permission to write into {parent}.")
            break


@contextmanager
def atomic_path(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `target`; move it there only if the block succeeds.

    The temporary name keeps the target's suffix, as writers choose their format by it.

    Raises:
        OutputExistsError: the target exists and `force` is false.
        OutputError: the system refuses (space, permission, read-only).
    """
    check_target(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=TEMPORARY_PREFIX, suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise output_error(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; results are not private
        temporary.replace(target)
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary folder; what is in it moves into `target` only if the block succeeds.

    With `force`, files of the same names are replaced and others are left alone, in folders
    inside it too.
    """
    check_target(target, force=force)
    if target.exists() and not target.is_dir():
        raise OutputExistsError(f"{target} is a file, not a folder.", "Choose another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
    except OSError as error:
        raise output_error(target, error) from error
    try:
        yield temporary
        _move_into(temporary, target)
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move_into(folder: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            _move_into(path, target / path.name)
        else:
            path.replace(target / path.name)


def output_error(target: Path, error: OSError) -> OutputError:
    """Say in one sentence why the system refused to write `target`."""
    if error.errno == errno.ENOSPC:
        return OutputError(f"No space left to write {target}.", "Free some space and run again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"No permission to write {target}.", "Choose another place with -o.")
    return OutputError(f"Cannot write {target}: {error.strerror or error}.")
