"""Recipes by name, from files, and with single values changed."""

from __future__ import annotations

import sys

import pytest

from iiccli.errors import TrainingError
from iiccli.training.recipes import as_yaml, names, parse_changes, read_recipe

FILE = """\
task: gray
network: fast
config: {pictures: 1, out_channels: 1, quantiser: plain, start: gray}
loss:
  - {of: embedding, kind: l2}
optimiser: {rate: 1e-3}
loop: {steps: 5}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_is_named_as_it_says_or_as_the_file(file):
    assert read_recipe(str(file)).name == "mine"
    assert read_recipe(str(file)).optimiser.rate == 0.001
    file.write_text(FILE + "name: yours\n", encoding="utf-8")
    assert read_recipe(str(file)).name == "yours"
    other = file.rename(file.with_suffix(".yml"))
    assert read_recipe(str(other)).name == "yours"


def test_a_name_that_is_none_tells_the_nearest():
    with pytest.raises(TrainingError, match="There is no recipe 'iicnet-vidoe'") as caught:
        read_recipe("iicnet-vidoe")
    assert caught.value.hint == "Did you mean iicnet-video?"
    with pytest.raises(TrainingError) as caught:
        read_recipe("zzzzz")
    assert all(name in caught.value.hint for name in names())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"task: [gray\nnetwork: fast\n", r"mine\.yaml, line \d+ is no YAML"),
        (b"task: gray\n\tnetwork: fast\n", r"mine\.yaml, line 2 is no YAML"),
        (b"\xff\xfe\x00", r"mine\.yaml is no YAML"),
        (b"", r"mine\.yaml holds no recipe"),
        (b"- task\n- gray\n", r"mine\.yaml holds no recipe"),
        (b"task: !!python/object/apply:os.mkdir [x]\n", "is no YAML"),
        (b"name: 5\n" + FILE.encode(), "name is a text, not 5"),
    ],
)
def test_files_that_hold_no_recipe(file, content, words):
    file.write_bytes(content)
    with pytest.raises(TrainingError, match=words):
        read_recipe(str(file))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TrainingError, match="Cannot read the recipe") as caught:
        read_recipe(str(tmp_path / "none.yaml"))
    assert "No such file" in caught.value.message
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(TrainingError, match="Cannot read the recipe"):
        read_recipe(str(tmp_path / "folder.yaml"))


def test_changes_are_made_before_the_recipe_is_checked(file):
    changes = {
        "optimiser.rate": "2e-4",
        "data.crop": 64,
        "loop.steps": None,
        "loop.minutes": 3,
        "loss": [{"of": "restored", "kind": "l1"}],
        "data": {"crop": 32},
        "data.turns": "none",
    }
    recipe = read_recipe(str(file), changes)
    assert recipe.optimiser.rate == 2e-4
    assert (recipe.loop.steps, recipe.loop.minutes) == (None, 3)
    assert [term.kind for term in recipe.loss] == ["l1"]
    assert (recipe.data.crop, recipe.data.turns) == (32, "none")  # in their order


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("optimiser.rat", 1, "there is no key optimiser.rat."),
        ("optimizer.rate", 1, "there is no key optimizer."),
        ("loss.weight", 1, "There is no key loss.weight: loss is no table."),
        ("task.name", 1, "There is no key task.name: task is no table."),
        ("optimiser.rate.high", 1, "optimiser.rate.high: rate is no table."),
        ("loop", 5, "loop is a table, not 5."),
        ("", 5, "there is no key ."),
        (".", 5, "there is no key ."),
    ],
)
def test_changes_that_are_none(key, value, words):
    with pytest.raises(TrainingError) as caught:
        read_recipe("iicnet-video", {key: value})
    assert words in caught.value.message


def test_a_change_does_not_stay():
    before = as_yaml(read_recipe("video"))
    read_recipe("video", {"config.width": 8, "loop.minutes": 1, "config.moduli": [[2, 2, 2]]})
    assert as_yaml(read_recipe("video")) == before


def test_words_become_changes():
    words = [
        "optimiser.rate=1e-3",
        "loop.steps=500",
        "data.turns=none",
        "loop.minutes=null",
        "config.moduli=[[3, 3, 3]]",
        "words=a=b",
        "start=",
        "config={pictures: 1}",
    ]
    assert parse_changes(words) == {
        "optimiser.rate": "1e-3",
        "loop.steps": 500,
        "data.turns": "none",
        "loop.minutes": None,
        "config.moduli": [[3, 3, 3]],
        "words": "a=b",
        "start": None,
        "config": {"pictures": 1},
    }
    assert parse_changes([]) == {}
    recipe = read_recipe("iicnet-video", parse_changes(words[:3]))
    assert (recipe.optimiser.rate, recipe.loop.steps, recipe.data.turns) == (0.001, 500, "none")


@pytest.mark.parametrize("word", ["optimiser.rate", "=5", ""])
def test_words_without_key_or_value(word):
    with pytest.raises(TrainingError, match="is no KEY=VALUE") as caught:
        parse_changes([word])
    assert "optimiser.rate=1e-3" in caught.value.hint


def test_values_that_are_no_yaml():
    with pytest.raises(TrainingError, match=r"The value of data\.crop cannot be read: '\[1'"):
        parse_changes(["data.crop=[1"])


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("fast-rescale", {"config.scale": 4, "data.crop": 66}, "data.crop is a multiple of 4"),
        ("rescale", {"config.scale": 4, "data.crop": 66}, "data.crop is a multiple of 4"),
        ("iicnet-layers", {"data.resize": 17}, "data.resize is a multiple of 2, not 17"),
    ],
)
def test_sizes_that_a_network_cannot_take(name, changes, words):
    with pytest.raises(TrainingError, match=words):
        read_recipe(name, changes)


def test_crops_of_resized_pictures_are_the_pictures():
    recipe = read_recipe("iicnet-video", {"data.resize": 128})
    assert (recipe.data.resize, recipe.data.crop) == (128, 128)
    assert read_recipe("iicnet-video").data.crop == 144


def test_without_yaml_there_is_a_hint(monkeypatch, file):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(TrainingError) as caught:
        read_recipe(str(file))
    assert "iiccli[train]" in caught.value.hint
