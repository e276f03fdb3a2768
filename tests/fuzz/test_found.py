"""What fuzzing has found, each once more for good."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from iiccli.__main__ import main
from iiccli.errors import InputError
from iiccli.media.clip import open_clip, write_clip
from iiccli.media.image import read_picture
from tests.conftest import moving_clip
from tests.golden.goldens import CARRIERS


def test_a_name_that_is_too_long_is_no_mistake_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["iic", "restore", "x" * 5000])
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 3
    assert capsys.readouterr().err == f"iic: {'x' * 200}…: File name too long.\n"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_name_that_is_no_text_is_printed_as_it_is(tmp_path: Path, options: list[str]) -> None:
    name = b"\xff.png"
    shutil.copy(CARRIERS / "codec-mono.png", tmp_path / os.fsdecode(name))
    run = subprocess.run(
        [sys.executable, "-m", "iiccli", "inspect", name, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert name in run.stdout


@pytest.mark.parametrize(
    ("side", "words"),
    [(65535, "frames that are larger than it says"), (60, "its frames differ in size")],
)
def test_a_gif_whose_frames_outgrow_it_takes_no_memory(
    tmp_path: Path, side: int, words: str
) -> None:
    """4 gigapixels in a file of a few hundred bytes that begins by saying 40×32."""
    file = io.BytesIO()
    frames = [Image.new("L", (40, 32), gray) for gray in (0, 200)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=40)
    content = file.getvalue()
    at = content.rindex(b"\x2c\0\0\0\0\x28\0\x20\0")
    grown = content[: at + 5] + side.to_bytes(2, "little") * 2 + content[at + 9 :]
    path = tmp_path / "bomb.gif"
    path.write_bytes(grown)
    with pytest.raises(InputError, match=words):
        open_clip(path)


def test_a_list_of_files_is_no_video(tmp_path: Path) -> None:
    """ffmpeg would show whatever a script names that lies beside it."""
    write_clip(tmp_path / "private.mp4", moving_clip(32, 48, 3), Fraction(25))
    script = tmp_path / "holiday.mp4"
    script.write_text("ffconcat version 1.0\nfile private.mp4\n")
    with pytest.raises(InputError, match="a list of other files, which are not read"):
        open_clip(script)


@pytest.mark.parametrize("name", ["x.avs", "x.VPY"])
def test_a_script_is_not_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("ColorBars()")
    with pytest.raises(InputError, match="is a script, which is not run"):
        open_clip(tmp_path / name)


def test_postscript_is_not_run(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "program.eps")
    (tmp_path / "program.eps").rename(tmp_path / "photo.png")
    with pytest.raises(InputError, match="not a picture that can be read"):
        read_picture(tmp_path / "photo.png")
