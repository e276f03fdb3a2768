"""Speed and memory."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from iiccli.benchmarking import convolutions, speed, trial
from iiccli.benchmarking.book import NAME, SPEED, Book
from iiccli.benchmarking.convolutions import Convolutions, roof
from iiccli.benchmarking.scenes import photographs, scene
from iiccli.benchmarking.speed import Size, in_own_process, measure_speed, read_sizes
from iiccli.benchmarking.subjects import chosen_models
from iiccli.benchmarking.summary import bars, growths
from iiccli.benchmarking.trial import PAPER, Trial
from iiccli.errors import InputError, UsageError
from iiccli.zoo.modelfile import Card

CPU = torch.device("cpu")
FIGURES = {
    "embed_seconds": 1.0,
    "restore_seconds": 2.0,
    "peak_bytes": 4 * 10**8,
    "conv_gflops": 30.0,
    "roof_gflops": 50.0,
}


@pytest.fixture(autouse=True)
def _low_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product of small matrices, which takes no time."""
    monkeypatch.setitem(convolutions._ROOF_SIDE, "cpu", 256)


def test_sizes() -> None:
    assert read_sizes("4k, 480P,640x360,480p") == [
        Size("640x360", 640, 360),
        Size("480p", 854, 480),
        Size("4K", 3840, 2160),
    ]
    for wrong in ("", "720", "5x5", "480p;4K"):
        with pytest.raises(UsageError, match="is no size"):
            read_sizes(wrong)


@pytest.mark.parametrize(
    ("task", "pictures", "scale"),
    [("video", 5, 1), ("mono", 2, 1), ("dual", 2, 1), ("hide", 3, 1), ("layers", 3, 1),
     ("gray", 1, 1), ("rescale", 1, 2)],
)  # fmt: skip
def test_scenes(task: str, pictures: int, scale: int, sets: Path) -> None:
    card = Card(task, task, "adaptive", {"pictures": pictures, "scale": scale})
    paths = photographs(sets / "Kodak24", 3)
    assert len(paths) >= 3
    found = scene(card, (300, 200), paths)
    assert len(found) == pictures
    assert all(p.shape == (200, 300, 3) and p.std() > 5 for p in found)
    assert len({p.tobytes() for p in found}) == pictures
    if task == "video":
        # The reference, the middle frame, comes first; a camera moves on by the same step.
        inner = found[0][8:-8, 8:-8].astype(int)
        moved = found[3][8 - 2 : -8 - 2, 8 - 3 : -8 - 3]
        assert np.abs(moved - inner).mean() < 2 < np.abs(found[3][8:-8, 8:-8] - inner).mean()


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pictures"):
        photographs(tmp_path)


@pytest.mark.parametrize("inference", [False, True])
def test_convolutions_are_counted(inference: bool) -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2))
    x = torch.randn(1, 3, 40, 48)
    with torch.inference_mode(inference):
        meter = Convolutions(CPU)
        with meter:
            y = net(x)
        with FlopCounterMode(display=False) as counter:
            wanted = net(x)
    assert torch.equal(y, wanted)
    meter.finish()
    assert meter.flops == counter.get_total_flops() > 0
    assert 0 < meter.seconds < meter.kernel_seconds < 10


def test_the_roof() -> None:
    assert roof(CPU) > 1e8


def a_trial(models: Path, sets: Path, model: str) -> Trial:
    paths = tuple(map(str, photographs(sets / "Kodak24", 2)))
    return Trial(str(models / f"{model}.v1.safetensors"), 96, 64, "balanced", paths)


def test_a_measurement(models: Path, sets: Path) -> None:
    found = trial.measured(a_trial(models, sets, "mono"))
    assert found["embed_seconds"] > 0 < found["restore_seconds"]
    assert found["peak_bytes"] > 5e7
    assert 0 < found["conv_gflops"] < 20 * found["roof_gflops"]
    assert 0 < found["embed_in_network"] < 1 > found["restore_in_network"] > 0
    assert 20 < found["restored_psnr"] < 60


def test_the_paper_s_network(monkeypatch: pytest.MonkeyPatch, sets: Path) -> None:
    assert trial.paper_parameters() > 2_000_000
    small = Card(PAPER, "video", "iicnet", {"pictures": 3, "blocks": 1, "relation_features": 4})
    monkeypatch.setattr(trial, "_PAPER_CARD", small)
    paths = tuple(map(str, photographs(sets / "Kodak24", 2)))
    found = trial.measured(Trial(PAPER, 64, 48, "balanced", paths))
    assert found["conv_gflops"] > 0
    assert found["restored_psnr"] > 0


def test_an_error_is_a_sentence(models: Path, sets: Path) -> None:
    words = {**asdict(a_trial(models, sets, "mono")), "device": "abacus"}
    told: list[str] = []
    assert trial.main([json.dumps(words)], told.append) == 0
    assert json.loads(told[0]) == {"why": "There is no device 'abacus' here."}


def test_a_process_of_its_own(models: Path, sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(a_trial(models, sets, "mono"), device="abacus")
    assert in_own_process(wanted) == {"why": "There is no device 'abacus' here."}

    def ended(code: int, said: str) -> None:
        done = subprocess.CompletedProcess([], code, "", said)
        monkeypatch.setattr(subprocess, "run", lambda *words, **options: done)

    ended(-9, "")
    assert "ended by signal 9" in in_own_process(wanted)["why"]
    ended(1, "Traceback\nValueError: no\n")
    assert in_own_process(wanted)["why"] == "It failed: ValueError: no"


def test_what_is_measured(
    models: Path, sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "startup_seconds", lambda: {"python -c pass": 1, "iic --version": 3})
    asked: list[Trial] = []

    def run(wanted: Trial) -> dict[str, Any]:
        asked.append(wanted)
        many = wanted.width * wanted.height / 640 / 360
        slow = 10 if wanted.model == PAPER else 1
        if wanted.width > 1000 and len(asked) < 9:
            return {"why": "It was ended by signal 9, perhaps for want of memory."}
        seconds = {k: v * many * slow for k, v in FIGURES.items() if k.endswith("seconds")}
        return {**FIGURES, **seconds, "peak_bytes": FIGURES["peak_bytes"] * slow}

    book = Book(tmp_path / NAME)
    two = chosen_models((), ("video-half-3", "gray"))
    sizes = read_sizes("640x360,1280x720")

    def measure() -> None:
        measure_speed(two, sizes, sets, book, quality="balanced", device="cpu", run=run)

    measure()
    order = [(Path(t.model).stem, t.width, t.rounds) for t in asked]
    assert order == [
        *(("video-half-3.v1", 640, 2), ("gray.v1", 640, 2), (PAPER, 640, 1)),
        *(("video-half-3.v1", 1280, 2), ("gray.v1", 1280, 2)),
    ]
    assert growths(book.facts) == []
    # What failed is tried again, all else is not.
    asked += [asked[0]] * 9
    before = len(asked)
    measure()
    assert [t.width for t in asked[before:]] == [1280, 1280]
    assert [g.exponent for g in growths(book.facts)] == pytest.approx([1.0, 1.0])
    before = len(asked)
    measure()
    assert len(asked) == before
    assert len(book.rows(SPEED)) == 5


def test_bars(tmp_path: Path) -> None:
    book = Book(tmp_path / NAME)
    for model, slow, memory in ((PAPER, 8, 2), ("video-5.v2", 1, 1.5)):
        key = {"model": model, "size": "480p", "device": "cpu", "precision": "fp32"}
        values = {k: v * slow for k, v in FIGURES.items()} | {"peak_bytes": memory * 10**9}
        book.put(SPEED, {**key, "compiled": False}, {**values, "width": 854, "height": 480})
    book.facts["startup"] = {"python -c pass": 0.01, "iic --version": 0.06}
    faster, memory_, startup = bars(book.facts)
    assert (faster.value, faster.met) == (pytest.approx(8), True)
    assert (memory_.value, memory_.met) == (pytest.approx(0.75), False)
    assert (startup.value, startup.met) == (pytest.approx(6), False)
