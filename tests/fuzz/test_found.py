"""What fuzzing has found, each once more for good."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iiccli.__main__ import main
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
