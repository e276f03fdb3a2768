"""A target is whole or absent, never half."""

import errno
import os
import stat
from pathlib import Path

import pytest

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
