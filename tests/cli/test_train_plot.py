"""`iic train plot`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Iic, nothing_new

LINES = [
    {"step": 10, "minutes": 0.4, "loss": 0.5, "cover_psnr": 40.1, "restored_psnr": 33.0},
    {"step": 20, "minutes": 0.8, "loss": 0.3, "cover_psnr": 41.7, "restored_psnr": 34.2},
    {"step": 20, "minutes": 0.8, "validation": {"cover_psnr": 41.0, "restored_psnr": 34.0}},
]


@pytest.fixture
def runs(desk: Path) -> list[str]:
    for name in ("a", "b"):
        (desk / "runs" / name).mkdir(parents=True)
        log = "".join(json.dumps(line) + "\n" for line in LINES)
        (desk / "runs" / name / "log.jsonl").write_text(log)
    return ["runs/a", "runs/b"]


def test_a_picture_in_the_run_which_later_ones_replace(
    iic: Iic, desk: Path, runs: list[str]
) -> None:
    made = iic("train", "plot", runs[0])
    assert (made.code, made.out) == (0, "runs/a/curves.png: the curves of runs/a.\n"), made
    assert made.err == ""
    first = (desk / "runs/a/curves.png").read_bytes()
    assert Image.open(desk / "runs/a/curves.png").width > 400
    with (desk / "runs/a/log.jsonl").open("a") as file:
        file.write('{"step": 30, "minutes": 1.2, "loss": 0.1}\n')
    assert iic("train", "plot", runs[0]).code == 0
    assert (desk / "runs/a/curves.png").read_bytes() != first


def test_several_runs_in_one_picture(iic: Iic, desk: Path, runs: list[str]) -> None:
    iic("train", "plot", *runs).fails(2, "several runs", "-o curves.png")
    made = iic("train", "plot", *runs, "-o", "both.png", "--json")
    assert made.json == {"output": "both.png", "runs": runs}
    assert Image.open(desk / "both.png").format == "PNG"
    said = iic("train", "plot", *runs, "-o", "new/folder/again.png").out
    assert said == "new/folder/again.png: the curves of runs/a and runs/b.\n"


def test_a_run_that_has_just_begun_is_left_out(iic: Iic, desk: Path, runs: list[str]) -> None:
    (desk / "runs/b/log.jsonl").write_text("")
    made = iic("train", "plot", *runs, "-o", "both.png")
    assert made.code == 0
    assert made.err == "note: runs/b has logged no figures yet; left out.\n"
    made = iic("train", "plot", *runs, "-o", "both.png", "--force", "--quiet")
    assert (made.code, made.err) == (0, "")


def test_only_a_picture_of_ours_is_replaced_and_only_in_its_place(
    iic: Iic, desk: Path, runs: list[str]
) -> None:
    precious = desk / "runs/a/curves.png"
    Image.new("RGB", (3, 3)).save(precious)
    before = precious.read_bytes()
    iic("train", "plot", runs[0]).fails(7, "curves.png", "--force")
    assert precious.read_bytes() == before
    assert iic("train", "plot", runs[0], "--force").code == 0
    assert precious.read_bytes() != before
    # What -o names may be anything.
    iic("train", "plot", runs[0], "-o", precious).fails(7, "curves.png", "--force")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere",), 10, ("nowhere/log.jsonl does not exist", "--run")),
        (("runs/a", "nowhere", "-o", "x.png"), 10, ("nowhere/log.jsonl",)),
        (("runs/a/log.jsonl",), 10, ("cannot be read",)),
        (("runs/a", "-o", "curves.svg"), 2, ("curves.svg", ".png")),
        (("runs/a", "-o", "curves"), 2, ("curves", ".png")),
        (("runs/a", "-o", "folder.png"), 2, ("folder.png is a folder",)),
        (("runs/a", "-o", "runs/a/log.jsonl/curves.png"), 8, ("not a folder",)),
        (("broken",), 10, ("line 1", "no log of a training")),
    ],
)
@pytest.mark.usefixtures("runs")
def test_what_goes_wrong_is_said_and_leaves_nothing(
    iic: Iic, desk: Path, words: tuple[str, ...], code: int, said: tuple[str, ...]
) -> None:
    (desk / "folder.png").mkdir()
    (desk / "broken").mkdir()
    (desk / "broken/log.jsonl").write_text("no log\n")
    before = set(desk.rglob("*"))
    iic("train", "plot", *words).fails(code, *said)
    nothing_new(desk, before)


def test_drawing_needs_no_torch(desk: Path, runs: list[str]) -> None:
    code = f"""
import sys
from pathlib import Path
from iiccli.cli.train_plot import plot
assert not {{"torch", "numpy", "PIL", "matplotlib"}} & set(sys.modules)
plot([Path({runs[0]!r})])
print(sorted({{"torch", "matplotlib.pyplot"}} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.splitlines() == ["runs/a/curves.png: the curves of runs/a.", "[]"], run
