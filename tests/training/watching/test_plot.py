"""Curves: what a log holds is in the picture, whatever the log looks like."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image

from iiccli.errors import OutputExistsError, TrainingError
from iiccli.training.watching import plot as plotting
from iiccli.training.watching.curves import Curve, panels, read_run
from iiccli.training.watching.plot import _COLOURS, is_ours, plot
from tests.conftest import Pixels

OLD = [
    {"step": 24, "minutes": 0.35, "psnr": 34.7865, "gain": 0.0066},
    {"step": 48, "minutes": 0.68, "psnr": 35.4922, "gain": 0.2042},
    {"step": 71, "minutes": 1.02, "validation": {"decoded": 33.9, "enhanced": 34.3}},
]


def lines(number: int, every: int = 10, shift: float = 0.0) -> Iterable[dict[str, Any]]:
    """A training that learns."""
    for i in range(1, number + 1):
        common = {"step": i * every, "minutes": round(0.3 * i, 2)}
        psnr = {"cover_psnr": 46 - 8 / i + shift, "restored_psnr": 41 - 6 / i + shift}
        yield {**common, "loss": 1 / i**2, "rate": 1e-3, **psnr, "skipped": 0}
        if i % 4 == 0:
            yield {**common, "validation": psnr}


def run_of(folder: Path, logged: Iterable[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in logged))
    return folder


def drawn(path: Path) -> Pixels:
    assert is_ours(path)
    return np.asarray(Image.open(path).convert("RGB"))


def inked(picture: Pixels, colour: str) -> int:
    """How many pixels have a colour, nearly."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(picture.astype(int) - wanted).max(axis=2) < 12).sum())


def test_a_run_becomes_a_picture(tmp_path: Path) -> None:
    run = run_of(tmp_path / "mine", lines(40))
    plot(run, tmp_path / "new" / "curves.png")
    picture = drawn(tmp_path / "new" / "curves.png")
    assert 600 < picture.shape[1] < 2000
    assert 300 < picture.shape[0] < 2000
    training, validation = (inked(picture, colour) for colour in _COLOURS[:2])
    assert training > 500
    assert validation > 300


def test_what_is_in_the_panels(tmp_path: Path) -> None:
    logged = [*lines(8), {"step": 90, "minutes": 2.7, "own_figure": 3, "loss": None, "skipped": 2}]
    run = read_run(run_of(tmp_path / "mine", logged))
    assert run is not None
    names = ["loss", "cover_psnr", "restored_psnr", "own_figure", "rate", "skipped"]
    assert panels([run]) == names
    assert run.name == "mine"
    assert run.training["loss"].steps.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert run.training["loss"].values[1] == 0.25
    assert np.isnan(run.training["loss"].values[-1])
    assert run.validation["cover_psnr"].steps.tolist() == [40, 80]
    assert run.validation["cover_psnr"].values.tolist() == [44, 45]
    without = read_run(run_of(tmp_path / "other", lines(8)))
    assert without is not None
    assert panels([without]) == ["loss", "cover_psnr", "restored_psnr", "rate"]


def test_several_runs_have_a_colour_each(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / f"run{i}", lines(30, shift=float(3 * i))) for i in range(3)]
    plot(runs, tmp_path / "three.png")
    plot(runs[:2], tmp_path / "two.png")
    three, two = drawn(tmp_path / "three.png"), drawn(tmp_path / "two.png")
    for colour in _COLOURS[:2]:
        assert inked(three, colour) > 300
        assert inked(two, colour) > 300
    assert inked(three, _COLOURS[2]) > 300
    assert inked(two, _COLOURS[2]) == 0


@pytest.mark.parametrize(
    "logged",
    [
        OLD,
        OLD[:1],
        OLD[2:],
        [{"step": 0, "validation": {"psnr": 30}}],
        [{"step": 1, "minutes": None, "loss": -3.5}, {"step": 2, "minutes": 0.1, "loss": -4.0}],
        [{"step": 1, "minutes": 0.1, "loss": None}, {"step": 2, "minutes": 0.1, "loss": 0.0}],
        [{"step": 10**9, "minutes": 1e5, "loss": 1e30}, {"step": 2 * 10**9, "loss": 1e-30}],
        [{"step": 5, "a_$b$_^{c": 1, "_hidden": 2}],
    ],
)
@pytest.mark.filterwarnings("error")
def test_odd_logs_are_drawn_too(tmp_path: Path, logged: list[dict[str, Any]]) -> None:
    run = run_of(tmp_path / "_odd $x^{ 日本", logged)
    plot(run, tmp_path / "curves.png")
    picture = drawn(tmp_path / "curves.png")
    assert any(inked(picture, colour) for colour in _COLOURS[:2])
    assert max(picture.shape) < 2000
    if len(logged) == 1:  # several of that name, and all of one point
        plot([run, run], tmp_path / "twice.png")
        assert inked(drawn(tmp_path / "twice.png"), _COLOURS[1])


def test_a_log_that_is_being_written_is_drawn(tmp_path: Path) -> None:
    run = run_of(tmp_path / "mine", lines(3))
    with (run / "log.jsonl").open("a") as file:
        file.write('{"step": 40, "lo')
    plot(run, tmp_path / "curves.png")
    assert inked(drawn(tmp_path / "curves.png"), _COLOURS[0])


def test_too_many_figures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "_MOST", 2)
    run = run_of(tmp_path / "mine", [{"step": 5, **{f"figure{i}": i for i in range(4)}}])
    told: list[str] = []
    plot(run, tmp_path / "curves.png", report=told.append)
    assert told == [
        "There is no room for figure2; left out.",
        "There is no room for figure3; left out.",
    ]


@pytest.mark.parametrize("logged", [[], [{"step": 1, "minutes": 0.2}], [{"step": 1, "note": "x"}]])
def test_what_has_logged_nothing_is_said(tmp_path: Path, logged: list[dict[str, Any]]) -> None:
    empty = run_of(tmp_path / "empty", logged)
    with pytest.raises(TrainingError, match="empty has logged no figures yet"):
        plot(empty, tmp_path / "curves.png")
    with pytest.raises(TrainingError, match="No run has logged any figures yet"):
        plot([empty, empty], tmp_path / "curves.png")
    told: list[str] = []
    plot([empty, run_of(tmp_path / "mine", OLD)], tmp_path / "curves.png", report=told.append)
    assert told == [f"{empty} has logged no figures yet; left out."]
    assert is_ours(tmp_path / "curves.png")


def test_what_is_no_run_is_said_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"log\.jsonl does not exist"):
        plot(tmp_path / "nowhere", tmp_path / "curves.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_there_is_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(TrainingError, match="matplotlib is not installed") as caught:
        plot(run_of(tmp_path / "mine", OLD), tmp_path / "curves.png")
    assert "pip install 'iiccli[train]'" in caught.value.hint


def test_what_exists_is_kept_and_ours_is_known(tmp_path: Path) -> None:
    run = run_of(tmp_path / "mine", OLD)
    target = tmp_path / "curves.png"
    assert not is_ours(target)
    Image.new("RGB", (4, 4)).save(target)
    assert not is_ours(target)
    before = target.read_bytes()
    with pytest.raises(OutputExistsError):
        plot(run, target)
    assert target.read_bytes() == before
    plot(run, target, force=True)
    assert is_ours(target)
    target.write_bytes(target.read_bytes()[:20])
    assert not is_ours(target)
    assert not is_ours(tmp_path)


def test_settings_of_ones_own_stay_what_they_were(tmp_path: Path) -> None:
    before = dict.copy(matplotlib.rcParams)
    plot(run_of(tmp_path / "mine", OLD[:1]), tmp_path / "curves.png")
    assert dict.copy(matplotlib.rcParams) == before


def test_long_curves_are_smoothed() -> None:
    random = np.random.default_rng(0)
    steps = np.arange(300.0)
    values = 40 + random.normal(0, 1, 300)
    values[7] = np.nan
    curve = Curve(steps, values)
    assert curve.points == 299
    smooth = curve.smoothed()
    assert smooth is not None
    assert 7 not in smooth.steps
    assert len(smooth.values) == 299
    assert smooth.values.std() < 0.4
    assert abs(smooth.values.mean() - 40) < 0.2
    level = Curve(steps, np.full(300, 3.0)).smoothed()
    assert level is not None
    assert np.allclose(level.values, 3)
    assert Curve(steps[:59], values[:59]).smoothed() is None
