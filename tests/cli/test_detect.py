"""`iic detect`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iiccli.networks.transform import TransformNet
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic
from tests.task_models import photograph, save, save_task_models


@pytest.fixture(scope="module")
def task_models(tiny_net: TransformNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_task_models(tmp_path_factory.mktemp("task-models"), tiny_net)


@pytest.fixture(autouse=True)
def photos(desk: Path, task_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of pictures, and models for all tasks."""
    monkeypatch.setattr(catalogue, "folders", lambda: iter([task_models]))
    for number in range(8):
        save(desk / "photos" / f"{number}.png", photograph(72, 80, number))


def test_the_table(iic: Iic) -> None:
    done = iic("detect", "--data", "photos", "--secrets", 2)
    assert (done.code, done.err) == (0, "")
    heading, *lines, last = done.out.splitlines()
    assert heading.split()[:3] == ["embedded", "dB", "detector"]
    assert len(lines) == 4 * 6
    assert all(len(line) == len(heading) <= 100 for line in lines)
    assert last == "trained on 4 covers and their carriers, tried on 4"


def test_json_and_a_file(iic: Iic) -> None:
    words = ("detect", "--data", "photos", "--model", "hide-2", "--output", "figures.json")
    facts = iic(*words, "--json", "--size", 64, "--locked").json
    assert facts == json.loads(Path("figures.json").read_text(encoding="utf-8"))
    assert facts["model"] == "hide-2.v1"
    assert (facts["size"], facts["locked"], facts["header"]) == (64, True, True)
    assert (facts["trained"], facts["tried"], facts["failed"]) == (4, 4, [])
    for verdict in facts["verdicts"]:
        assert all(0 <= verdict[k] <= 1 for k in ("accuracy", "auc", "equal_error", "missed"))
    iic(*words).fails(7, "figures.json")


def test_what_cannot_be_done(iic: Iic) -> None:
    iic("detect", "--data", "none").fails(3, "There is no folder none")
    iic("detect", "--data", "photos", "--train", "./photos").fails(2, "is not tried on")
    iic("detect", "--data", "photos", "--secrets", 4).fails(3, "4 pictures are too few")
    iic("detect", "--data", "photos", "--model", "gray").fails(6, "is for gray")
    iic("detect", "--data", "photos", "--model", "hide-2", "--limit", 3).fails(
        3, "3 covers are too few"
    )
    Path("photos/1.png").write_bytes(b"nothing")
    done = iic("detect", "--data", "photos", "--model", "hide-2")
    assert done.code == 3
    assert "0.png is left out" in done.err
