"""Checkpoints: whole, few, and of the same training."""

import os
import random
from pathlib import Path

import pytest
import torch

from iiccli.errors import OutputError, TrainingError
from iiccli.training import checkpoints
from iiccli.training.recipes import as_table, read_recipe

RECIPE = as_table(read_recipe("gray"))


def write(folder, *steps, keep=3, recipe=RECIPE):
    for step in steps:
        state = {"step": step, "recipe": recipe, "weights": torch.full((4,), float(step))}
        checkpoints.save(folder, state, keep)


def steps(folder) -> list[int]:
    return [int(path.stem.removeprefix("step-")) for path in checkpoints.found(folder)]


def changed(key: str, value: object) -> dict:
    return as_table(read_recipe("gray", {key: value}))


def test_the_newest_is_read(tmp_path):
    assert checkpoints.load(tmp_path / "none", RECIPE) is None
    write(tmp_path, 5, 90, 1000)
    state = checkpoints.load(tmp_path, RECIPE)
    assert state is not None
    assert state["step"] == 1000
    assert state["recipe"] == RECIPE
    assert torch.equal(state["weights"], torch.full((4,), 1000.0))


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_last_few_are_kept(tmp_path, keep):
    write(tmp_path, *range(1, 6), keep=keep)
    assert steps(tmp_path) == [5, 4, 3, 2, 1][:keep]
    assert len(list(tmp_path.iterdir())) == keep


def test_other_files_stay(tmp_path):
    (tmp_path / "mine.pt").write_bytes(b"mine")
    write(tmp_path, 1, 2, keep=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.pt", "step-00000002.pt"]


def test_a_training_that_begins_anew_leaves_none_of_the_old(tmp_path):
    """Otherwise the old ones, of later steps, would be gone on from, and the new one dropped."""
    write(tmp_path, 100, 200, 300)
    write(tmp_path, 10)
    assert steps(tmp_path) == [10]


def test_the_same_step_is_written_again(tmp_path):
    write(tmp_path, 1, 2, 2)
    assert steps(tmp_path) == [2, 1]


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "text", "other"])
def test_a_damaged_newest_falls_back_to_the_one_before(tmp_path, damage):
    write(tmp_path, 1, 2)
    newest = tmp_path / "step-00000002.pt"
    whole = newest.read_bytes()
    content = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "garbage": random.Random(0).randbytes(300),
        "text": b"no checkpoint",
    }
    if damage == "other":
        torch.save([1, 2], newest)
    else:
        newest.write_bytes(content[damage])
    state = checkpoints.load(tmp_path, RECIPE)
    assert state is not None
    assert state["step"] == 1
    write(tmp_path, 2)
    assert checkpoints.load(tmp_path, RECIPE)["step"] == 2


def test_all_damaged_is_an_error(tmp_path):
    write(tmp_path, 1, 2)
    for path in checkpoints.found(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(TrainingError, match=r"step-00000002\.pt is damaged") as caught:
        checkpoints.load(tmp_path, RECIPE)
    assert "remove" in caught.value.hint


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_whatever_a_file_holds_it_is_damaged_and_no_crash(tmp_path):
    write(tmp_path, 1)
    path = tmp_path / "step-00000001.pt"
    whole, chance = path.read_bytes(), random.Random(1)
    for number in range(150):
        content = bytearray(whole)
        if number % 2:
            content = bytearray(b"\x80\x02" + chance.randbytes(chance.randrange(80)))
        else:
            for _ in range(6):
                content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            checkpoints.load(tmp_path, None)
        except TrainingError as error:
            assert "step-00000001.pt" in error.message


def test_nothing_is_unpickled_that_is_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    torch.save({"format": 1, "recipe": RECIPE, "step": Evil()}, tmp_path / "step-00000001.pt")
    with pytest.raises(TrainingError, match="damaged"):
        checkpoints.load(tmp_path, RECIPE)
    assert not (tmp_path / "evil").exists()


def test_another_recipe_is_refused_with_the_difference(tmp_path):
    write(tmp_path, 1)
    with pytest.raises(TrainingError) as caught:
        checkpoints.load(tmp_path, changed("optimiser.rate", 0.5))
    assert "optimiser.rate: 0.0004 there, 0.5 here" in caught.value.message
    assert "another folder" in caught.value.hint
    assert checkpoints.load(tmp_path, None)["step"] == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("loop.minutes", 99), ("loop.steps", 7), ("loop.keep", 1), ("words", "x"), ("start", "")],
)
def test_how_long_and_how_often_may_change(tmp_path, key, value):
    write(tmp_path, 1)
    assert changed(key, value) != RECIPE
    assert checkpoints.load(tmp_path, changed(key, value))["step"] == 1


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
    write(tmp_path, 3)
    monkeypatch.undo()
    with pytest.raises(TrainingError, match="newer iic") as caught:
        checkpoints.load(tmp_path, RECIPE)
    assert "Upgrade" in caught.value.hint


def test_what_fails_half_way_leaves_what_was_there(tmp_path, monkeypatch):
    write(tmp_path, 1)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(self, data):
        with self.open("wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path, 2)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
