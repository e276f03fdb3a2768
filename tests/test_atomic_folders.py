"""Folders that are there already: filled as a whole where that can be, else file by file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from iiccli import atomic, temporary
from iiccli.atomic import atomic_folder
from iiccli.errors import OutputError, OutputExistsError
from iiccli.temporary import PREFIX

FILES = ["1.png", "2.png", "3.png", "more/4.png"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just begun."""
    monkeypatch.setattr(temporary, "_swept", set())


def fill(folder: Path, text: str) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def texts(folder: Path) -> dict[str, str]:
    """What is in a folder, and below; of what is temporary the name alone."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and PREFIX not in str(path.relative_to(folder))
    }


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(PREFIX)]


def killed_while_moving(target: Path, after: int, *, force: bool) -> None:
    """Another process writes into the folder and is killed when it has moved so many files."""
    words = (
        "import os, signal; from pathlib import Path; from iiccli.atomic import atomic_folder\n"
        "from tests.test_atomic_folders import fill\n"
        "moved, replace, rename = [], Path.replace, Path.rename\n"
        "def dying(move):\n"
        "    def moving(path, other):\n"
        f"        if len(moved) == {after}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        moved.append(path)\n"
        "        return move(path, other)\n"
        "    return moving\n"
        f"with atomic_folder(Path({str(target)!r}), force={force}) as folder:\n"
        "    fill(folder, 'new')\n"
        "    Path.replace, Path.rename = dying(replace), dying(rename)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", words], check=False, cwd=Path(__file__).parents[1]
    )
    assert child.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_killed_while_it_fills_an_empty_folder_nothing_is_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    killed_while_moving(target, 0, force=False)
    assert texts(target) == {}
    assert len(left_over(tmp_path)) == 1
    with atomic_folder(target) as folder:  # without --force: it counts as empty
        fill(folder, "again")
    assert set(texts(target).values()) == {"again"}
    assert left_over(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.parametrize("after", [0, 1, 3])
def test_killed_while_it_replaces_each_file_is_whole_old_or_new(tmp_path: Path, after: int) -> None:
    target = tmp_path / "out"
    fill_with = {"1.png": "old", "2.png": "old", "mine.txt": "mine"}
    target.mkdir()
    for name, text in fill_with.items():
        (target / name).write_text(text)
    killed_while_moving(target, after, force=True)
    assert texts(target) == fill_with | dict.fromkeys(FILES[:after], "new")
    assert len(left_over(tmp_path)) == 1
    with atomic_folder(target, force=True) as folder:
        fill(folder, "again")
    assert texts(target) == {**dict.fromkeys(FILES, "again"), "mine.txt": "mine"}
    assert left_over(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_what_is_left_in_a_folder_goes_and_does_not_count(tmp_path: Path) -> None:
    """A folder that cannot be replaced is filled from inside it."""
    target = tmp_path / "out"
    (target / f"{temporary._prefix()}x").mkdir(parents=True)
    with atomic_folder(target) as folder:
        fill(folder, "new")
    assert set(texts(target)) == set(FILES)
    assert left_over(tmp_path) == []


def test_an_empty_folder_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    target.chmod(0o750)
    with atomic_folder(target) as folder:
        assert folder.parent == tmp_path
        fill(folder, "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert set(texts(target)) == set(FILES)


def test_the_folder_that_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    with atomic_folder(Path()) as folder:
        fill(folder, "new")
    assert set(texts(tmp_path)) == set(FILES)
    assert tmp_path.stat().st_ino == before
    assert left_over(tmp_path) == []


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "far" / "away")
    with atomic_folder(link) as folder:
        fill(folder, "new")
    assert link.is_symlink()
    assert set(texts(tmp_path / "far" / "away")) == set(FILES)
    with pytest.raises(OutputExistsError, match="not empty"), atomic_folder(link):
        pytest.fail("the block must not run")


@pytest.mark.parametrize("what", ["_looks_as", "_renamed", "_can_give_way"])
def test_where_it_cannot_be_replaced_it_is_filled(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    monkeypatch.setattr(atomic, what, lambda *_: False)
    before = target.stat().st_ino
    with atomic_folder(target) as folder:
        fill(folder, "new")
    assert target.stat().st_ino == before
    assert set(texts(target)) == set(FILES)
    assert left_over(tmp_path) == []


def test_a_folder_whose_parent_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is temporary lies inside the folder then."""
    target = tmp_path / "out"
    target.mkdir()
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) == target)
    with atomic_folder(target) as folder:
        assert folder.parent == target
        fill(folder, "new")
    assert set(texts(target)) == set(FILES)
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) == tmp_path)
    with pytest.raises(OutputError, match="No permission"), atomic_folder(target, force=True):
        pytest.fail("the block must not run")
