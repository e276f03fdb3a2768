"""`iic data`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Iic
from tests.datasets import trees


@pytest.fixture
def davis(desk: Path) -> Path:
    trees.davis(desk / "datasets", 5)
    return desk / "datasets/DAVIS-2017"


def test_prepare_and_check(iic: Iic, davis: Path) -> None:
    made = iic("data", "prepare", "video", "--pictures", "3")
    assert made.code == 0
    assert made.out.splitlines()[2] == (
        "datasets/manifests/davis-test.jsonl: 1 clip, 3 windows of 3 frames, 5 files."
    )
    checked = iic(
        "data", "check", *(f"datasets/manifests/davis-{s}.jsonl" for s in ("val", "test"))
    )
    assert checked.code == 0
    assert "davis-test.jsonl: 5 files, all as they should be." in checked.out


def test_json(iic: Iic, davis: Path) -> None:
    trees.damage(davis / "DAVIS-2017-test-challenge/JPEGImages/480p/hen/00004.jpg")
    made = iic("data", "prepare", "davis", "--only", "test", "--only", "val", "--json")
    facts = made.json
    assert [(m["split"], m["items"], m["groups"], m["files"]) for m in facts["manifests"]] == [
        ("val", 2, 2, 10),
        ("test", 1, 0, 4),
    ]
    assert facts["manifests"][0]["steps"] == [5, 3, 1]
    assert "00004.jpg" in facts["left_out"][0]
    assert facts["left_out"][0] in made.err
    assert any("the whole set has 30" in remark for remark in facts["remarks"])


def test_quiet_says_results_only(iic: Iic, davis: Path) -> None:
    made = iic("data", "prepare", "video", "--quiet")
    assert made.err == ""
    assert len(made.out.splitlines()) == 3


def test_what_exists_stays_without_force(iic: Iic, davis: Path) -> None:
    assert iic("data", "prepare", "davis", "--only", "test").code == 0
    iic("data", "prepare", "davis", "--only", "test").fails(7, "davis-test.jsonl", "--force")
    assert iic("data", "prepare", "davis", "--only", "test", "--force").code == 0


def test_what_is_missing_is_listed(iic: Iic, desk: Path) -> None:
    made = iic("data", "prepare", "mono", "--root", "elsewhere")
    assert made.code == 3
    assert made.out == ""
    for folder in ("Train_1", "Train_2", "Train_3", "Train_4", "Validation", "Test"):
        assert f"  elsewhere/flicker1024/{folder}: " in made.err
    assert "hint: Get it from https://yingqianwang" in made.err


def test_layers_mean_adobe_and_that_is_said(iic: Iic, desk: Path) -> None:
    made = iic("data", "prepare", "layers")
    assert made.code == 3
    assert made.err.startswith("layers: this is adobe; there is also real.\n")
    assert "there is also" not in iic("data", "prepare", "adobe").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dance",), "div2k-dual"),
        (("gray", "--only", "val"), "train, test"),
        (("video", "--pictures", "4"), "3, 5, 7, 9"),
        (("dual", "--pictures", "3"), "groups of 3"),
        (("dual", "--zoom", "3"), "2, 4, 8"),
        (("mono", "--zoom", "2"), "div2k-dual"),
    ],
)
def test_what_makes_no_sense(iic: Iic, desk: Path, words: tuple[str, ...], said: str) -> None:
    iic("data", "prepare", *words).fails(2, said)


def test_a_root_that_cannot_be_written(iic: Iic, davis: Path) -> None:
    (davis.parent / "manifests").write_bytes(b"a file")
    iic("data", "prepare", "davis", "--only", "test").fails(8, "is not a folder")


def test_check_names_each_file_that_is_wrong(iic: Iic, davis: Path) -> None:
    iic("data", "prepare", "davis", "--only", "test")
    hen = davis / "DAVIS-2017-test-challenge/JPEGImages/480p/hen"
    (hen / "00000.jpg").unlink()
    trees.damage(hen / "00001.jpg")
    trees.noise(hen / "00002.jpg", (16, 12), 99)
    trees.noise(hen / "00003.jpg", (8, 8), 3)
    path = "datasets/manifests/davis-test.jsonl"
    checked = iic("data", "check", path)
    assert checked.code == 3
    *problems, last = checked.out.splitlines()
    assert last == f"{path}: 5 files, 5 wrong."
    for words in (
        "00000.jpg does not exist",
        "00001.jpg is damaged",
        "00003.jpg is 8×8, not 16×12",
    ):
        assert any(words in problem for problem in problems)
    assert sum("check sum" in problem for problem in problems) == 2
    facts = iic("data", "check", path, "--json").json
    assert facts[0]["files"] == 5
    assert facts[0]["problems"] == problems


def test_check_wants_manifests(iic: Iic, desk: Path) -> None:
    (desk / "a.jsonl").write_text(json.dumps({"name": "x"}))
    iic("data", "check", "a.jsonl").fails(3, "is no manifest", "iic data prepare")
    iic("data", "check", "none.jsonl").fails(3, "none.jsonl")
