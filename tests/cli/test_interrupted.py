"""Interrupted, killed, out of space, read-only, vanished: the target is whole or absent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from iiccli.carrier import read_carrier
from iiccli.cli import signals
from iiccli.temporary import PREFIX
from tests.cli.conftest import Iic, nothing_new
from tests.cli.test_process import IIC, environment, process

EMBED = ("embed-video", "-o", "out/cover.png", "--frames", "3")


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(PREFIX)]


def test_killed_it_leaves_nothing_that_lasts(desk: Path, clips: Path, tiny_models: Path) -> None:
    words = ["embed-video", str(clips / "folder"), "-o", "out/covers", "--all", "--frames", "2"]
    with subprocess.Popen(
        [*IIC, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tiny_models)
    ) as child:
        begun = time.monotonic()
        while not left_over(desk) and child.poll() is None:
            assert time.monotonic() - begun < 60
            time.sleep(0.005)
        child.kill()
        _, err = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert b"Traceback" not in err
    assert not Path("out/covers").exists()
    assert left_over(desk)
    assert process(words, tiny_models).returncode == 0
    assert [p.name for p in Path("out").iterdir()] == ["covers"]
    assert all(read_carrier(p).state == "whole" for p in Path("out/covers").iterdir())


def at_once(number: int) -> None:
    signal.raise_signal(number)


def while_a_class_is_made(number: int) -> None:
    """Python 3.11 makes a RuntimeError of it, as in the middle of an import."""

    class Field:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(number)

    class Owner:
        field = Field()


def as_an_error_of_ours(number: int) -> None:
    try:
        signal.raise_signal(number)
    except BaseException as error:
        raise ValueError("a decoder makes this of all it meets") from error


def where_an_object_goes(number: int) -> None:
    """Nothing can be raised there: it comes again."""

    class Gone:
        def __del__(self) -> None:
            signal.raise_signal(number)

    Gone()
    for _ in range(500):
        time.sleep(0.01)


def twice(number: int) -> None:
    try:
        signal.raise_signal(number)
    finally:
        signal.raise_signal(number)  # while it tidies up
        Path("tidied").touch()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "way", [at_once, while_a_class_is_made, as_an_error_of_ours, where_an_object_goes, twice]
)
def test_whatever_a_signal_becomes_the_code_is_its_own(
    iic: Iic,
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    way: Callable[[int], None],
) -> None:
    monkeypatch.setattr("iiccli.tasks.video.open_clip", lambda *_, **__: way(number))
    done = iic(*EMBED, "clip.mp4")
    assert (done.code, done.out) == (128 + number, "")
    assert "unexpected" not in done.err
    assert Path("tidied").exists() == (way is twice)


def test_a_folder_is_not_gone_on_with(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption that looks like a damaged input is none."""
    seen: list[Path] = []

    def interrupted(path: Path, *_: object, **__: object) -> NoReturn:
        from iiccli.errors import InputError

        seen.append(path)
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise InputError("damaged") from error
        raise AssertionError

    iic("embed-video", clips / "folder", "-o", "c/", "--all", "--frames", "3")
    monkeypatch.setattr("iiccli.tasks.restoring_many.read_carrier", interrupted, raising=False)
    monkeypatch.setattr("iiccli.tasks.parts.read_carrier", interrupted, raising=False)
    assert iic("restore", "c/", "-o", "back/").code == 130
    assert seen
    assert not Path("back").exists()


def test_once_all_is_done_it_comes_too_late(desk: Path, tiny_models: Path) -> None:
    """What Python disposes of last raises signals, which nobody takes any more."""
    code = (
        "import os, sys\n"
        "from iiccli.__main__ import main\n"
        "class Last:\n"
        "    def __del__(self, kill=os.kill, me=os.getpid(), make=os.mkdir):\n"
        "        for number in (1, 2, 15): kill(me, number)\n"
        "        make('reached')\n"
        "last = Last()\n"
        "sys.argv = ['iic', *sys.argv[1:]]\n"
        "main()\n"
    )
    for words, left in ((["--help"], 0), (["inspect", "missing.png"], 3)):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            capture_output=True,
            env=environment(tiny_models),
            check=False,
        )
        assert done.returncode == left, done.stderr
        Path("reached").rmdir()


def test_what_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread may keep a process from ending that has nothing more to do."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with signals.Taken() as taken:
        pass
    signal.raise_signal(signal.SIGTERM)
    assert (taken.code, ended) == (None, [])
    monkeypatch.setattr(signals, "GRACE", -1)
    signal.raise_signal(signal.SIGTERM)
    assert ended == [143]


def test_ctrl_c_while_it_loads(desk: Path, tiny_models: Path) -> None:
    for delay in (0.08, 0.3):
        child = subprocess.Popen(
            [*IIC, "embed-video", "missing.mp4", "-o", "c.png"],
            stderr=subprocess.PIPE,
            env=environment(tiny_models),
            # As a terminal would: a shell has its background jobs ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        time.sleep(delay)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        # By the signal, or with 1: before Python was ready, and anything of ours that is large.
        if child.returncode not in (-signal.SIGINT, 1):
            assert child.returncode in (130, 3)
            assert b"Traceback" not in err
        assert b"iiccli/cli/app" not in err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("only root mounts a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp"])
def test_a_full_disk(iic: Iic, clips: Path, small_disk: Path, suffix: str) -> None:
    (small_disk / "filling").write_bytes(bytes(60 * 1024))
    done = iic("embed-video", clips / "clip.mp4", "-o", small_disk / f"c{suffix}", "--frames", "3")
    done.fails(8, "No space left")
    assert [p.name for p in small_disk.iterdir()] == ["filling"]


def test_a_disk_that_fills_while_a_clip_comes_back(iic: Iic, clips: Path, small_disk: Path) -> None:
    iic("embed-video", clips / "folder", "-o", "c/", "--all", "--frames", "3")
    iic("restore", "c/", "-o", small_disk / "frames/").fails(8, "No space left")
    iic("restore", "c/", "-o", small_disk / "frames.apng").fails(8, "No space left")
    assert list(small_disk.iterdir()) == []


def test_a_file_may_not_grow(desk: Path, clips: Path, tiny_models: Path) -> None:
    words = ["embed-video", str(clips / "folder"), "-o", "c.png", "--frames", "3"]
    limited = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
    limited += "os.execv(sys.executable, [sys.executable, '-m', 'iiccli', *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", limited, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(tiny_models) | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 8, done.stderr
    assert done.stderr.startswith("iic: Cannot write c.png: File too large")
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize("stdout", ["full", "left", "closed"])
def test_nobody_takes_the_result(desk: Path, tiny_models: Path, stdout: str) -> None:
    redirection = {"full": "> /dev/full", "left": "| true", "closed": ">&-"}[stdout]
    line = f"{sys.executable} -m iiccli models {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        text=True,
        env=environment(tiny_models),
        check=False,
    )
    if stdout == "full":
        assert done.returncode == 8
        assert done.stderr.startswith("iic: No space left to write standard output.")
    else:
        assert done.returncode in (0, 141)
        assert done.stderr == ""


def test_an_input_that_vanishes(
    iic: Iic, desk: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from iiccli.media import clip as media

    sound = media.open_clip
    source = desk / "frames"
    source.mkdir()
    for path in (clips / "folder").iterdir():
        (source / path.name).write_bytes(path.read_bytes())

    def opened(*words: object, **more: object) -> object:
        found = sound(*words, **more)  # type: ignore[arg-type]
        for path in source.iterdir():
            path.unlink()
        return found

    monkeypatch.setattr("iiccli.tasks.video.open_clip", opened)
    before = set(desk.rglob("*")) - set(source.iterdir())
    iic(*EMBED, source).fails(3)
    nothing_new(desk, before)


DROP_A_RIGHT, OVERRIDE_MODES = 24, 1
"""PR_CAPBSET_DROP and CAP_DAC_OVERRIDE of Linux."""


def obey_modes() -> None:
    """In a new process: who is root may write only where a folder's mode allows it, too."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(DROP_A_RIGHT, OVERRIDE_MODES, 0, 0, 0):
        raise PermissionError


def test_a_folder_that_may_only_be_read(desk: Path, clips: Path, tiny_models: Path) -> None:
    Path("out").mkdir(mode=0o500)
    try:
        done = subprocess.run(
            [*IIC, *EMBED, str(clips / "clip.mp4")],
            capture_output=True,
            text=True,
            env=environment(tiny_models),
            preexec_fn=obey_modes,
            check=False,
        )
    except subprocess.SubprocessError:
        pytest.skip("root may not give up a right here")
    assert (done.returncode, done.stdout) == (8, "")
    assert done.stderr == f"iic: No permission to write into {desk / 'out'}.\n"
    assert list(Path("out").iterdir()) == []


def test_a_disk_that_may_only_be_read(iic: Iic, clips: Path, small_disk: Path) -> None:
    (small_disk / "old.png").write_text("old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for name in ("cover.png", "old.png"):
        words = ("-o", small_disk / name, "--frames", "3", "--force")
        iic("embed-video", clips / "clip.mp4", *words).fails(8, "No permission to write into")
    assert [p.read_text() for p in small_disk.iterdir()] == ["old"]
