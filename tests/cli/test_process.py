"""`iic` as a process: streams, signals, exit codes, and what it says when it fails itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch

from iiccli import __version__, errors
from iiccli.media.clip import write_clip
from iiccli.zoo.catalogue import FOLDER_VARIABLE
from tests.cli.conftest import Iic, pictures
from tests.conftest import moving_clip

ROOT = Path(__file__).parents[2]
IIC = [sys.executable, "-m", "iiccli"]


def environment(models: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "IIC_DEBUG"}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**inherited, FOLDER_VARIABLE: str(models), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def process(words: Sequence[object], models: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*IIC, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(models),
    )


def test_results_go_to_stdout_and_nothing_else_anywhere(
    desk: Path, clips: Path, tiny_models: Path
) -> None:
    words = ("embed-video", clips / "clip.mp4", "-o", "cover.png", "--model", "video-5.v1")
    done = process((*words, "--json"), tiny_models)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["output"] == "cover.png"
    done = process(("inspect", "missing.png"), tiny_models)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "iic: missing.png does not exist.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(desk: Path, tiny_models: Path, number: int) -> None:
    write_clip("long.mkv", moving_clip(64, 96, 400, (0, 0), seed=1), Fraction(25))
    Path("out").mkdir()
    words = ["embed-video", "long.mkv", "-o", "out/covers", "--all", "--frames", "2"]
    child = subprocess.Popen(
        [*IIC, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tiny_models),
    )
    try:
        begun = time.monotonic()
        while not list(Path("out").glob("*/*.png")):
            assert child.poll() is None, child.communicate()
            assert time.monotonic() - begun < 60
            time.sleep(0.02)
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 128 + number
    assert out == ""
    assert "Traceback" not in err
    assert not list(Path("out").iterdir())


def test_a_reader_that_leaves_early_is_no_mistake_of_ours(tiny_models: Path) -> None:
    child = subprocess.Popen(
        [*IIC, "models", "show", "video-5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tiny_models),
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    child.wait(60)
    assert b"Traceback" not in said
    assert b"mistake" not in said


def test_waiting_threads_sleep_unless_told_otherwise(
    iic: Iic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY")
    iic("devices")
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    iic("devices")
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **more: object) -> NoReturn:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("iiccli.tasks.video.open_clip", fail)


@pytest.mark.usefixtures("broken")
def test_a_mistake_of_ours_asks_for_a_report(
    iic: Iic, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IIC_DEBUG", raising=False)
    done = iic("embed-video", "clip.mp4", "-o", "cover.png")
    done.fails(70, "an unexpected ZeroDivisionError: by nought", "report", __version__)
    assert "Traceback" not in done.err
    monkeypatch.setenv("IIC_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        iic("embed-video", "clip.mp4", "-o", "cover.png")


def test_the_traceback_is_shown_when_asked_for(tiny_models: Path) -> None:
    code = (
        "import sys\n"
        "from iiccli.__main__ import main\n"
        "import iiccli.cli.help as h\n"
        "def fail(*a, **k): raise ZeroDivisionError('by nought')\n"
        "h.result = fail\n"
        "sys.argv = ['iic', 'help']\n"
        "main()\n"
    )
    for debug, words in ((None, "please report"), ("1", "traceback (most recent call last)")):
        env = environment(tiny_models) | ({"IIC_DEBUG": debug} if debug else {})
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
        )
        assert done.returncode == (1 if debug else 70)
        assert words in done.stderr.lower()
        assert ("Traceback" in done.stderr) == bool(debug)


def test_exit_codes_are_those_of_the_table() -> None:
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    for each in (c for c in classes if issubclass(c, errors.IicError)):
        assert f"| {each.exit_code} | `{each.__name__}` |" in text


def test_version_and_help(iic: Iic) -> None:
    assert iic("--version").out == f"iic {__version__}\n"
    assert iic("--version", "devices").out == f"iic {__version__}\n"
    for words in ([], ["-h"], ["embed-video", "-h"], ["models", "import", "--help"]):
        done = iic(*words)
        assert "Usage" in done.out + done.err
        assert done.code == (0 if words else 2)
    done = iic("bogus")
    assert (done.code, done.out) == (2, "")
    assert "No such command 'bogus'" in done.err


def test_devices(iic: Iic) -> None:
    listed = iic("devices", "--json").json
    assert listed[-1]["name"] == "cpu"
    assert iic("devices").out.splitlines()[-1].startswith("cpu      1 thread")


def test_a_terminal_sees_how_far_it_is(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    done = iic("embed-video", clips / "clip.mp4", "-o", "covers", "--all")
    assert done.code == 0
    assert "embedding" in done.err
    assert done.out == "covers: 12 frames in 3 covers with video-5.v1.\n"
    assert iic("restore", "covers", "-o", "back.mp4", "--quiet").err == ""


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_carrier_of_one_device_restores_on_the_other(iic: Iic, clips: Path) -> None:
    assert iic("devices", "--json").json[0]["name"] == "cuda"
    for maker in ("cuda", "cpu"):
        words = ("--every", 1, "--device", maker)
        assert iic("embed-video", clips / "clip.webp", "-o", f"{maker}.png", *words).code == 0
        backs = []
        for device in ("cuda", "cpu"):
            name = f"{maker}-{device}"
            done = iic("restore", f"{maker}.png", "-o", name, "--device", device, "--json")
            assert (done.code, done.json["damaged"]) == (0, 0)
            backs.append(pictures(Path(name)))
        for a, b in zip(*backs, strict=True):
            assert np.abs(a.astype(int) - b).max() <= 1
