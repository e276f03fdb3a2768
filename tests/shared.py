"""What takes seconds to make is made once in a run, by the first worker that needs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that all workers have in common. Nothing in it may be changed.

    Args:
        factory: knows where.
        name: says what it holds.
        make: fills an empty folder, which is moved afterwards: nothing in it may name it.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, draft = root / f"shared-{name}", root / f"shared-{name}.draft"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(folder)
    return folder
