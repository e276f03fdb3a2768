"""`iic bench`."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from iiccli.benchmarking import fidelity, speed
from iiccli.media.clip import write_clip
from iiccli.networks.transform import TransformNet
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic
from tests.conftest import moving_clip
from tests.task_models import photograph, save, save_task_models


@pytest.fixture(scope="module")
def bench_models(tiny_net: TransformNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_task_models(tmp_path_factory.mktemp("bench-models"), tiny_net)


@pytest.fixture
def data(desk: Path, bench_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Test sets in small, and models for them."""
    monkeypatch.setattr(catalogue, "folders", lambda: iter([bench_models]))
    for number in range(3):
        save(desk / "data" / "Kodak24" / f"{number}.png", photograph(64, 80, number))
    write_clip(desk / "data" / "video" / "walk", moving_clip(48, 64, 5), Fraction(25))
    return desk / "data"


def test_all_of_one_model(
    iic: Iic, data: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"embed_seconds": 1, "restore_seconds": 1, "peak_bytes": 1, "conv_gflops": None}
    monkeypatch.setattr(speed, "in_own_process", lambda trial: {**figures, "roof_gflops": 1.0})
    monkeypatch.setattr(speed, "startup_seconds", lambda: {"python -c pass": 1, "iic --version": 2})
    words = ("bench", "--data", data, "-o", "out", "--model", "gray", "--limit", 1)
    done = iic(*words, "--sizes", "64x48")
    assert done.code == 0, done.err
    assert done.err == "out/report.html shows it; out/bench.json has all figures.\n"
    assert "gray.v1           Kodak24                    1  network" in done.out
    assert "gray.v1, avif: others in dB after" in done.out
    assert "met     2.00 (bar: ≤ 5) `iic --version`" in done.out
    assert {p.name for p in (desk / "out").iterdir()} == {"bench.json", "report.html", "pictures"}
    facts = json.loads((desk / "out" / "bench.json").read_text(encoding="utf-8"))
    assert len(facts["fidelity"]) == 3
    assert len(facts["robustness"]) == 20
    assert len(facts["speed"]) == 1
    # It goes on where it was: nothing is measured again.
    monkeypatch.setattr(fidelity, "attempt", None)
    again = iic(*words, "--sizes", "64x48", "--json", "--quiet")
    assert (again.code, again.err) == (0, "")
    assert again.json["fidelity"][0]["contestants"][0]["contestant"] == "network"
    assert again.json["output"] == ["out/bench.json", "out/report.html"]


def test_a_stop_leaves_what_is_done(
    iic: Iic, data: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fidelity.attempt
    calls: list[str] = []

    def attempt(contestant, job):  # type: ignore[no-untyped-def]
        calls.append(job.case.name)
        if job.case.name == "1":
            raise KeyboardInterrupt
        return whole(contestant, job)

    monkeypatch.setattr(fidelity, "attempt", attempt)
    words = ("bench", "fidelity", "--data", data, "-o", "out", "--model", "gray")
    assert iic(*words).code != 0
    assert not list((desk / "out").rglob(".iic-tmp*"))
    assert not (desk / "out" / "report.html").exists()
    monkeypatch.setattr(fidelity, "attempt", whole)
    done = iic(*words, "--json")
    assert done.json["fidelity"][0]["cases"] == 3
    assert calls.count("0") == 3


def test_one_s_own_photographs(iic: Iic, data: Path) -> None:
    words = ("--data", data / "Kodak24", "-o", "own", "--task", "gray", "--task", "mono")
    done = iic("bench", "fidelity", *words, "--limit", 1)
    assert done.code == 0
    assert "gray.v1           Kodak24" in done.out
    assert "note: mono.v1 is not measured on Kodak24: " in done.err


def test_what_cannot_be(iic: Iic, data: Path, desk: Path) -> None:
    words = ("--data", data, "-o", "out")
    iic("bench", "beauty", *words).fails(2, "nothing called 'beauty'", "fidelity, robustness")
    iic("bench", *words, "--task", "sing").fails(2, "no task 'sing'")
    iic("bench", *words, "--model", "none").fails(6, "no model 'none'")
    iic("bench", *words, "--sizes", "big").fails(2, "'big' is no size")
    iic("bench", *words, "--device", "abacus").fails(9, "no device 'abacus'")
    iic("bench", "--data", desk / "none", "-o", "out").fails(3, "There is no folder")
    (desk / "empty").mkdir()
    iic("bench", "--data", desk / "empty", "-o", "out", "--model", "gray", "-q").fails(
        3, "has no pictures for gray"
    )
    assert not (desk / "out").exists()
    (desk / "full").mkdir()
    (desk / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    iic("bench", "--data", data, "-o", "full").fails(7, "is not empty", "--force")
    iic("bench", "--data", data, "-o", "full/mine.txt").fails(8, "is a file, not a folder")
    (desk / "full" / "bench.json").write_text('{"mine": 1}', encoding="utf-8")
    iic("bench", "--data", data, "-o", "full").fails(3, "not written by this version")
    assert (desk / "full" / "bench.json").read_text(encoding="utf-8") == '{"mine": 1}'
