"""A target is whole or absent, never half."""

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iiccli import temporary
from iiccli.atomic import TEMPORARY_PREFIX, atomic_folder, atomic_path, check_target, output_error
from iiccli.errors import InputError, OutputError, OutputExistsError

as_root = hasattr(os, "geteuid") and os.geteuid() == 0


def left_over(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.name.startswith(TEMPORARY_PREFIX)]


class Interruption(BaseException):
    """As Ctrl-C."""


def test_the_target_appears_only_at_the_end(tmp_path):
    target = tmp_path / "picture.png"
    with atomic_path(target) as path:
        assert path.parent == tmp_path  # the same file system, or moving would not be atomic
        assert path.suffix == ".png"
        path.write_text("half")
        assert not target.exists()
        path.write_text("whole")
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, InputError, Interruption])
@pytest.mark.parametrize("force", [False, True])
def test_after_an_error_nothing_has_changed(tmp_path, error, force):
    target = tmp_path / "picture.png"
    if force:
        target.write_text("old")
    with pytest.raises(error), atomic_path(target, force=force) as path:
        path.write_text("half")
        raise error("in the middle")
    assert left_over(tmp_path) == []
    assert target.read_text() == "old" if force else not target.exists()


def test_an_existing_target_is_refused_before_any_work(tmp_path):
    target = tmp_path / "picture.png"
    target.write_text("old")
    with pytest.raises(OutputExistsError) as caught, atomic_path(target):
        pytest.fail("the block must not run")
    assert str(target) in caught.value.message
    assert "--force" in caught.value.hint
    assert target.read_text() == "old"


def test_force_replaces_it(tmp_path):
    target = tmp_path / "picture.png"
    target.write_text("old")
    with atomic_path(target, force=True) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_link_to_nowhere_counts_as_existing(tmp_path):
    target = tmp_path / "link.png"
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputExistsError), atomic_path(target):
        pytest.fail("the block must not run")


def test_folders_on_the_way_are_made(tmp_path):
    target = tmp_path / "a" / "b" / "picture.png"
    with atomic_path(target) as path:
        path.write_text("whole")
    assert target.read_text() == "whole"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_no_target_for_a_file(tmp_path, force):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "inside").write_text("kept")
    with pytest.raises(OutputError if force else OutputExistsError):  # noqa: SIM117
        with atomic_path(target, force=force) as path:
            path.write_text("whole")
    assert (target / "inside").read_text() == "kept"
    assert left_over(tmp_path) == []


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as caught, atomic_path(tmp_path / "file" / "a" / "b.png"):
        pytest.fail("the block must not run")
    assert str(tmp_path / "file") in caught.value.message


@pytest.mark.skipif(as_root, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="ermission"), atomic_path(tmp_path / "a.png"):
            pytest.fail("the block must not run")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_may_not_be_written_is_refused_whoever_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError) as caught:
        check_target(tmp_path / "a.png", force=True)
    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space"),
        (errno.EACCES, "No permission"),
        (errno.EROFS, "No permission"),
        (errno.EIO, "Cannot write"),
    ],
)
def test_what_the_system_refuses_is_said_in_one_sentence(tmp_path, number, words):
    target = tmp_path / "a.png"
    with pytest.raises(OutputError) as caught, atomic_path(target):
        raise OSError(number, os.strerror(number))
    assert caught.value.message.startswith(words)
    assert str(target) in caught.value.message
    assert not isinstance(caught.value, OutputExistsError)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match=words), atomic_folder(tmp_path / "folder"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_a_reason_still_names_the_target():
    assert "a.png" in output_error(Path("a.png"), OSError("odd")).message


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_and_folders_have_the_users_permissions(tmp_path, umask):
    before = os.umask(umask)
    try:
        with atomic_path(tmp_path / "a.png") as path:
            path.write_text("")
        with atomic_folder(tmp_path / "folder") as folder:
            (folder / "b.png").write_text("")
        assert os.umask(umask) == umask  # as it was
    finally:
        os.umask(before)

    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert mode("a.png") == mode("folder/b.png") == 0o666 & ~umask
    assert mode("folder") == 0o777 & ~umask


def test_a_folder_appears_whole(tmp_path):
    target = tmp_path / "deep" / "frames"
    with atomic_folder(target) as folder:
        for i in range(3):
            (folder / f"{i}.png").write_text(str(i))
        assert not target.exists()
    assert [p.read_text() for p in sorted(target.iterdir())] == ["0", "1", "2"]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, InputError, Interruption])
def test_after_an_error_there_is_no_folder(tmp_path, error):
    with pytest.raises(error), atomic_folder(tmp_path / "frames") as folder:
        (folder / "0.png").write_text("half")
        raise error("in the middle")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_may_be_filled(tmp_path):
    with atomic_folder(tmp_path) as folder:
        (folder / "0.png").write_text("0")
    assert [p.name for p in tmp_path.iterdir()] == ["0.png"]


def test_a_folder_with_something_in_it_is_refused_but_for_force(tmp_path):
    target = tmp_path / "frames"
    target.mkdir()
    (target / "0.png").write_text("old")
    (target / "notes.txt").write_text("kept")
    with pytest.raises(OutputExistsError, match="not empty"), atomic_folder(target):
        pytest.fail("the block must not run")
    with atomic_folder(target, force=True) as folder:
        (folder / "0.png").write_text("new")
    assert (target / "0.png").read_text() == "new"
    assert (target / "notes.txt").read_text() == "kept"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_no_target_for_a_folder(tmp_path, force):
    target = tmp_path / "frames"
    target.write_text("a file")
    with pytest.raises(OutputExistsError), atomic_folder(target, force=force):
        pytest.fail("the block must not run")
    assert target.read_text() == "a file"


def prepared(script: str, folder: Path) -> subprocess.Popen[str]:
    """Another process that has begun to write into `folder`, and waits."""
    words = (
        "import sys, time; from pathlib import Path;"
        "from iiccli.atomic import atomic_path, atomic_folder;"
        f"folder = Path({str(folder)!r})\n"
        f"{script}\n"
        "    print('begun', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    return child


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just begun."""
    monkeypatch.setattr(temporary, "_swept", set())


A_FILE = "with atomic_path(folder / 'a.png') as path:\n    path.write_text('half')"
A_FOLDER = "with atomic_folder(folder / 'a') as path:\n    (path / '1.png').write_text('half')"


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("script", [A_FILE, A_FOLDER])
def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path, script, monkeypatch):
    child = prepared(script, tmp_path)
    try:
        with atomic_path(tmp_path / "b.png") as path:
            path.write_text("whole")
        assert len(left_over(tmp_path)) == 1  # somebody is still writing there
    finally:
        child.kill()
        child.communicate()
    assert len(left_over(tmp_path)) == 1
    monkeypatch.setattr(temporary, "_swept", set())
    with atomic_path(tmp_path / "c.png") as path:
        path.write_text("whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.png", "c.png"]


@pytest.mark.usefixtures("fresh")
def test_what_another_machine_left_goes_after_a_week(tmp_path):
    young, old = (tmp_path / f"{TEMPORARY_PREFIX}elsewhere-{i}.png" for i in range(2))
    young.write_text("")
    old.write_text("")
    folder = tmp_path / f"{TEMPORARY_PREFIX}elsewhere-2"
    folder.mkdir()
    (folder / "inside").write_text("")
    a_week_ago = time.time() - temporary.OLD - 60
    for path in (old, folder):
        os.utime(path, (a_week_ago, a_week_ago))
    temporary.sweep(tmp_path)
    assert left_over(tmp_path) == [young]


@pytest.mark.usefixtures("fresh")
def test_nothing_but_what_is_ours_is_swept(tmp_path):
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / f"{temporary._prefix()}x").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".iic-notes").write_text("kept")
    temporary.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    temporary.sweep(tmp_path / "missing")  # whoever writes there says so


@pytest.mark.usefixtures("fresh")
def test_without_locks_only_what_is_old_is_swept(tmp_path, monkeypatch):
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(temporary.fcntl, "flock", refuse)
    with atomic_path(tmp_path / "a.png") as path:
        path.write_text("whole")
        monkeypatch.setattr(temporary, "_swept", set())
        temporary.sweep(tmp_path)
        assert path.read_text() == "whole"
    assert (tmp_path / "a.png").read_text() == "whole"


@pytest.mark.usefixtures("fresh")
def test_a_file_swept_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    sound = temporary._locked
    made = []

    def swept(path: Path, descriptor: int) -> bool:
        made.append(path)
        if len(made) == 1:
            path.unlink()
        return sound(path, descriptor)

    monkeypatch.setattr(temporary, "_locked", swept)
    with atomic_path(tmp_path / "a.png") as path:
        path.write_text("whole")
    assert len(made) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_what_another_process_has_made_meanwhile_is_left_alone(tmp_path):
    with pytest.raises(OutputExistsError), atomic_path(tmp_path / "a.png") as path:
        path.write_text("mine")
        (tmp_path / "a.png").write_text("theirs")
    with pytest.raises(OutputExistsError), atomic_folder(tmp_path / "a") as folder:
        (folder / "1.png").write_text("mine")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "1.png").write_text("theirs")
    assert (tmp_path / "a.png").read_text() == (tmp_path / "a" / "1.png").read_text() == "theirs"
    assert left_over(tmp_path) == []


def test_with_force_the_last_one_wins(tmp_path):
    with atomic_folder(tmp_path / "a", force=True) as folder:
        (folder / "1.png").write_text("mine")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "1.png").write_text("theirs")
    assert (tmp_path / "a" / "1.png").read_text() == "mine"


def test_without_hard_links_it_is_moved(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links")

    monkeypatch.setattr(os, "link", refuse)
    with atomic_path(tmp_path / "a.png") as path:
        path.write_text("whole")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["whole"]


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order: list[str] = []
    sync, link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda d: (order.append("settled"), sync(d)))
    monkeypatch.setattr(os, "link", lambda a, b: (order.append("named"), link(a, b)))
    with atomic_path(tmp_path / "a.png") as path:
        path.write_text("whole")
    assert order == ["settled", "named", "settled"]
    with atomic_path(tmp_path / "b.png", durable=False) as path:
        path.write_text("whole")
    assert order[3:] == ["named"]


def test_a_disk_that_fails_at_the_end_fails_the_target(tmp_path, monkeypatch):
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="Cannot write"), atomic_path(tmp_path / "a.png") as path:
        path.write_text("whole")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_waits_until_all_files_are_moved(tmp_path, monkeypatch):
    target = tmp_path / "frames"
    target.mkdir()
    (target / "0.png").write_text("old")
    move = Path.replace

    def interrupted(self: Path, other: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return move(self, other)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_folder(target, force=True) as folder:
        for i in range(3):
            (folder / f"{i}.png").write_text(str(i))
    assert sorted(p.name for p in target.iterdir()) == ["0.png", "1.png", "2.png"]
    assert left_over(tmp_path) == []


def test_two_processes_in_one_folder_do_not_clash(tmp_path):
    words = (
        "import sys; from pathlib import Path; from iiccli.atomic import atomic_path;"
        "from iiccli.errors import OutputExistsError\n"
        "for i in range(60):\n"
        "    try:\n"
        f"        target = Path({str(tmp_path)!r}) / f'{{i}}.txt'\n"
        "        with atomic_path(target, durable=False) as path:\n"
        "            path.write_text(sys.argv[1] * 1000)\n"
        "    except OutputExistsError: pass"
    )
    children = [subprocess.Popen([sys.executable, "-c", words, name]) for name in "ab"]
    assert [child.wait(60) for child in children] == [0, 0]
    texts = [p.read_text() for p in tmp_path.iterdir()]
    assert len(texts) == 60
    assert set(texts) <= {"a" * 1000, "b" * 1000}
