"""The log: whole lines whatever happens, and each step once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iiccli.errors import OutputError, TrainingError
from iiccli.training.watching.log import JsonLog, read_log, scalars


def written(path: Path, *lines: dict[str, Any]) -> None:
    log = JsonLog(path)
    log.started({})
    for line in lines:
        log.line(line)
    log.close()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run" / "log.jsonl"
    lines = [
        {"step": 10, "minutes": 0.2, "loss": 0.5, "skipped": 0},
        {"step": 20, "minutes": 0.4, "validation": {"cover_psnr": 46.1, "größe": 1.0}},
    ]
    written(path, *lines)
    assert [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] == lines
    assert read_log(path) == lines


def test_every_line_is_there_at_once(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "log.jsonl")
    log.started({})
    log.line({"step": 1})
    assert read_log(log.path) == [{"step": 1}]
    log.close()
    log.close()


def test_what_is_not_finite_or_of_numpys_is_written_as_json_has_it(tmp_path: Path) -> None:
    line = {
        "step": np.int64(3),
        "loss": float("nan"),
        "rate": np.float32(0.5),
        "validation": {"psnr": float("inf"), "list": (1, -np.inf), "where": Path("a"), "ok": True},
    }
    written(tmp_path / "log.jsonl", line)
    assert json.loads((tmp_path / "log.jsonl").read_text(), parse_constant=pytest.fail) == {
        "step": 3,
        "loss": None,
        "rate": 0.5,
        "validation": {"psnr": None, "list": [1, None], "where": "a", "ok": True},
    }


def test_an_older_logs_nan_is_read_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "loss": NaN, "gain": -Infinity}\n')
    assert read_log(path) == [{"step": 1, "loss": None, "gain": None}]


@pytest.mark.parametrize("torn", ['{"step": 3, "lo', "{", '{"step": 3}x', "\0\0\0", "17", "ä"])
def test_a_torn_last_line_is_ignored_and_cut_off(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "log.jsonl"
    written(path, {"step": 1}, {"step": 2})
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode()[: -1 if torn == "ä" else None])
    assert read_log(path) == [{"step": 1}, {"step": 2}]
    written(path, {"step": 3})
    assert path.read_bytes() == whole + b'{"step": 3}\n'


def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}')
    written(path, {"step": 3})
    assert [line["step"] for line in read_log(path)] == [1, 2, 3]


def test_repeated_steps_replace_the_older_ones(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    written(path, *({"step": step, "loss": 1} for step in (10, 20)))
    written(path, {"step": 20, "validation": {"psnr": 1}}, {"step": 30, "loss": 1})
    # Killed, and gone on with from step 15.
    written(path, {"step": 20, "loss": 2}, {"step": 20, "validation": {"psnr": 2}})
    written(path, {"step": 28, "loss": 2})
    assert read_log(path) == [
        {"step": 10, "loss": 1},
        {"step": 20, "loss": 2},
        {"step": 20, "validation": {"psnr": 2}},
        {"step": 28, "loss": 2},
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"not json\n",
        b"[1, 2]\n",
        b'{"loss": 1}\n',
        b'{"step": "one"}\n',
        b'{"step": true}\n',
        b'{"step": 1}\n{"st\n{"step": 2}\n',
        b"\x89PNG\r\n\x1a\n\0\0\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_log_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"log\.jsonl is no log of a training: line \d"):
        read_log(path)


def test_a_log_that_is_not_there_or_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="does not exist") as caught:
        read_log(tmp_path / "log.jsonl")
    assert "--run" in caught.value.hint
    with pytest.raises(TrainingError, match="cannot be read"):
        read_log(tmp_path)


def test_an_empty_log_has_no_lines(tmp_path: Path) -> None:
    written(tmp_path / "log.jsonl")
    assert read_log(tmp_path / "log.jsonl") == []


def test_a_log_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        JsonLog(tmp_path / "file" / "log.jsonl").started({})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    log = JsonLog(tmp_path / "log.jsonl")
    log.started({})
    with pytest.raises(OutputError, match=r"No space left to write .*log\.jsonl"):
        log.line({"step": 1})
    with pytest.raises(OutputError):  # what is in its buffer still cannot be written
        log.close()


def test_scalars_are_whatever_is_a_number() -> None:
    line = {"step": 3, "minutes": 1, "loss": 0.5, "note": "x", "odd": True, "gain": None}
    assert scalars(line) == {"train/minutes": 1.0, "train/loss": 0.5, "train/gain": None}
    line = {"step": 3, "minutes": 1, "validation": {"psnr": float("inf"), "cover": {"q": 2}}}
    assert scalars(line) == {"validation/psnr": None, "validation/cover/q": 2.0}
    assert scalars({"step": 3, "validation": {}, "seconds": 2}) == {"train/seconds": 2.0}
