"""A reader's desk: an empty folder, two small models, clips of every kind, and `iic`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from iiccli.__main__ import main
from iiccli.media import ffmpeg
from iiccli.media.clip import open_clip, write_clip
from iiccli.zoo import catalogue
from tests.conftest import Pixels, moving_clip
from tests.shared import shared

SIZE = (80, 64)
COUNT = 12


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def fails(self, code: int, *words: str) -> None:
        """Check for one sentence and at most one hint on stderr, and nothing on stdout."""
        assert self.code == code, self
        assert self.out == ""
        lines = self.err.splitlines()
        assert lines[0].startswith("iic: ")
        assert len(lines) <= 2
        assert all(line.startswith("hint: ") for line in lines[1:])
        for word in words:
            assert word in self.err


Iic = Callable[..., Outcome]


@pytest.fixture
def desk(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; no models at hand but the tiny ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(catalogue.FOLDER_VARIABLE, str(tiny_models))
    monkeypatch.setattr(catalogue, "folders", lambda: iter([tiny_models]))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # so that `run` sets it for no other test
    return tmp_path


@pytest.fixture
def iic(desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iic:
    """Run `iic` with some arguments in this process."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["iic", *map(str, words)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code or 0
        said = capsys.readouterr()
        assert isinstance(code, int)
        return Outcome(code, said.out, said.err)

    return run


def ffmpeg_run(*words: object) -> None:
    subprocess.run(
        [ffmpeg.executable(), "-v", "error", "-y", *map(str, words)], check=True, timeout=60
    )


@pytest.fixture(scope="session")
def frames() -> list[Pixels]:
    """What all clips show."""
    return moving_clip(SIZE[1], SIZE[0], COUNT, (2, 1), seed=7)


@pytest.fixture(scope="session")
def clips(frames: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one clip of every kind, of `COUNT` frames at 8 a second."""
    return shared(tmp_path_factory, "clips", lambda folder: _put_clips(folder, frames))


def _put_clips(folder: Path, frames: list[Pixels]) -> None:
    for name in ("clip.mp4", "clip.mkv", "clip.webm", "clip.gif", "clip.webp", "clip.apng"):
        write_clip(folder / name, frames, Fraction(8))
    write_clip(folder / "folder", frames, Fraction(25))
    ffmpeg_run("-i", folder / "clip.mp4", "-c:v", "mpeg4", "-q:v", 2, folder / "clip.avi")
    # A phone held upright: stored sideways, with a flag to turn it.
    ffmpeg_run(
        "-display_rotation", 90, "-i", folder / "clip.mp4", "-c", "copy", folder / "phone.mp4"
    )
    # Every fourth frame is missing, the others keep their times.
    drop = "select='mod(n,4)'"
    ffmpeg_run(
        "-i", folder / "clip.mp4", "-vf", drop, "-fps_mode", "vfr", "-crf", 5, folder / "vfr.mkv"
    )
    durations = [0.1, 0.3, 0.1, 0.1, 0.5, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.4]
    write_clip(folder / "uneven.gif", frames, Fraction(8), durations=durations)
    write_clip(folder / "one.mp4", frames[:1], Fraction(8))


@pytest.fixture(scope="session")
def still(frames: list[Pixels], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that is no carrier."""
    path = tmp_path_factory.mktemp("still") / "still.png"
    Image.fromarray(frames[0]).save(path)
    return path


def pictures(folder: Path) -> list[Pixels]:
    """The frames in a folder."""
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.iterdir())]


def frames_of(clip: Path | str) -> list[Pixels]:
    """All frames of a clip."""
    opened = open_clip(clip)
    return list(opened.read(range(opened.info.frames)))


def nothing_new(folder: Path, before: set[Path]) -> None:
    """Check that a folder holds what it held."""
    assert set(folder.rglob("*")) == before
