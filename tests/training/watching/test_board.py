"""TensorBoard: what was written is read back by TensorBoard itself."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from iiccli.errors import OutputError, TrainingError
from iiccli.training.watching.board import Board

event_accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
)


def trained(folder: Path, steps: range, factor: float = 1.0) -> None:
    board = Board(folder)
    board.started({"name": "mine.v1", "run": folder.parent})
    for step in steps:
        board.progress(step, 0.5, 1.0)
        board.line({"step": step, "minutes": 0.1, "loss": factor * step, "gain": None})
    board.line({"step": steps[-1], "minutes": 0.1, "validation": {"psnr": factor * 40}})
    board.sheet(steps[-1], np.full((20, 30, 3), 77, np.uint8))
    board.close()
    board.close()


def read(folder: Path) -> event_accumulator.EventAccumulator:
    return event_accumulator.EventAccumulator(str(folder)).Reload()


def points(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(folder).Scalars(name)]


def test_figures_and_sheets_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "tensorboard"
    trained(folder, range(1, 4))
    tags = read(folder).Tags()
    assert sorted(tags["scalars"]) == ["train/loss", "train/minutes", "validation/psnr"]
    assert points(folder, "train/loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert points(folder, "validation/psnr") == [(3, 40.0)]
    (sheet,) = read(folder).Images("sheet")
    assert (sheet.step, sheet.width, sheet.height) == (3, 30, 20)
    (text,) = read(folder).Tensors("run/text_summary")
    assert b"| name | mine.v1 |" in text.tensor_proto.string_val[0]


def test_a_training_that_goes_on_doubles_no_points(tmp_path: Path) -> None:
    trained(tmp_path, range(1, 6))
    trained(tmp_path, range(4, 8), factor=10)
    expected = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0), (5, 50.0), (6, 60.0), (7, 70.0)]
    assert points(tmp_path, "train/loss") == expected


def test_a_training_that_starts_again_begins_anew(tmp_path: Path) -> None:
    trained(tmp_path, range(3))
    trained(tmp_path, range(2), factor=10)
    assert points(tmp_path, "train/loss") == [(0, 0.0), (1, 10.0)]


def test_a_last_validation_that_is_repeated_is_there_once(tmp_path: Path) -> None:
    trained(tmp_path, range(1, 4))
    board = Board(tmp_path)
    board.line({"step": 3, "validation": {"psnr": 41}})
    board.close()
    assert points(tmp_path, "validation/psnr") == [(3, 41.0)]


def test_a_training_without_a_step_leaves_nothing(tmp_path: Path) -> None:
    board = Board(tmp_path / "tensorboard")
    board.started({"name": "mine.v1"})
    board.close()
    assert not list(tmp_path.iterdir())


def test_without_tensorboard_there_is_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="TensorBoard is not installed") as caught:
        Board(tmp_path)
    assert "pip install 'iiccli[tensorboard]'" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").write_bytes(b"in the way")
    hook = threading.excepthook
    board = Board(tmp_path / "tensorboard")
    board.started({})
    for write in (
        lambda: board.progress(1, 0.1, 1.0),
        lambda: board.line({"step": 1, "loss": 1.0}),
        lambda: board.sheet(1, np.zeros((4, 4, 3), np.uint8)),
    ):
        with pytest.raises(OutputError, match="tensorboard"):
            write()
    board.close()
    assert threading.excepthook == hook


def test_a_disk_that_fills_up_is_an_output_error_without_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = threading.excepthook
    board = Board(tmp_path / "tensorboard")
    board.progress(1, 0.1, 1.0)
    (file,) = (tmp_path / "tensorboard").iterdir()
    file.unlink()
    file.symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"No space left to write .*tensorboard"):
        for step in range(100):
            board.line({"step": step, "loss": 1.0})
    board.close()
    assert threading.excepthook == hook
    assert capfd.readouterr() == ("", "")
