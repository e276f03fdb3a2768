"""The display: figures on a terminal, silence in a pipe."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from iiccli.training.watching.display import Display

FACTS = {
    "name": "mine.v1",
    "task": "video",
    "network": "iicnet",
    "parameters": 1_234_567,
    "device": "cpu",
    "steps": None,
    "minutes": 1.0,
    "run": Path("runs/mine"),
}
LINE = {
    "step": 1200,
    "minutes": 0.5,
    "rate": 1e-3,
    "loss": 0.01234,
    "cover_psnr": 46.351,
    "restored_psnr": 41.2,
    "gain": 0.42,
    "pictures_per_second": 123.4,
    "skipped": 0,
}
VALIDATION = {"step": 1000, "minutes": 0.4, "validation": {"cover_psnr": 45.9, "own": 0.5}}


def shown(console: Console) -> str:
    """What a terminal got, without its codes for colour and cursor."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", console.file.getvalue())


def terminal(width: int = 110) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width)


def trained(console: Console) -> None:
    display = Display(console)
    display.started(FACTS)
    display.progress(1, 0.0, 0.0)
    display.line(VALIDATION)
    display.line(LINE)
    display.progress(1234, 0.25, 30.0)
    display.sheet(1234, np.zeros((4, 4, 3), np.uint8))
    display.close()
    display.close()


def test_a_terminal_shows_what_is_going_on() -> None:
    console = terminal()
    trained(console)
    text = shown(console)
    assert "mine.v1  video, iicnet, 1.23 million parameters, on cpu" in text
    last = text[text.rindex("step 1,234") :].splitlines()
    assert re.search(r"━ +25 % +0:00:30 used +0:01:30 left", last[0])
    assert [" ".join(row.split()) for row in last[1:]] == [
        "loss carrier restored gain pictures/s own",
        "training 0.01234 46.35 dB 41.20 dB +0.42 dB 123",
        "validation at 1,000 45.90 dB 0.5",
    ]


def test_a_pipe_gets_nothing() -> None:
    console = Console(file=io.StringIO(), force_terminal=False)
    trained(console)
    assert shown(console) == ""


def test_the_standard_console_is_silent_where_stderr_is_a_pipe(
    capfd: pytest.CaptureFixture[str],
) -> None:
    trained(Console(stderr=True))
    assert capfd.readouterr() == ("", "")


def test_the_rest_of_a_training_that_goes_on_is_told_by_this_start() -> None:
    console = terminal()
    display = Display(console)
    display.started(FACTS | {"steps": 1000})
    display.progress(501, 0.5, 1000.0)
    display.progress(600, 0.6, 1010.0)  # ten times as fast as before
    display.close()
    text = shown(console)
    assert "step 600 of 1,000" in text
    assert "0:16:50 used" in text
    assert text.rstrip().endswith("0:00:40 left")


def test_before_anything_is_known_no_time_is_told() -> None:
    console = terminal()
    display = Display(console)
    display.started({"name": "bare"})
    display.close()
    assert "bare" in shown(console)
    assert "-:--:-- left" in shown(console)


def test_figures_that_are_not_finite_are_left_out_and_skipped_steps_told() -> None:
    console = terminal()
    display = Display(console)
    display.started(FACTS)
    display.line(LINE | {"loss": None, "gain": float("nan"), "skipped": 3})
    display.close()
    assert "training 46.35 dB 41.20 dB 123 3" in re.sub(" +", " ", shown(console))
    assert "nan" not in shown(console)


@pytest.mark.parametrize(
    ("width", "figures"),
    [
        (29, ""),
        (59, "loss carrier restored"),
        (60, "loss carrier restored gain"),
        (80, "loss carrier restored gain pictures/s own"),
    ],
)
def test_figures_that_do_not_fit_are_left_out(width: int, figures: str) -> None:
    console = terminal(width)
    trained(console)
    rows = shown(console).splitlines()[-3:]
    assert all(len(row) <= width for row in rows)
    assert " ".join(rows[0].split()) == figures
    assert rows[1].startswith("training")
    assert rows[2].startswith("validation at 1,000")


def test_after_the_end_standard_streams_are_what_they_were() -> None:
    before = sys.stdout, sys.stderr
    trained(terminal())
    assert (sys.stdout, sys.stderr) == before
