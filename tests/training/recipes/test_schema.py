"""The schema of recipes: what is refused, and in which words; what is filled in."""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import Any

import pytest
import yaml

from iiccli.errors import TrainingError
from iiccli.training.recipes import Recipe, as_table, as_yaml, differences, read_recipe, recipe_of
from iiccli.training.recipes.schema import FREE, Data, Loop, Optimiser, flat, nearest

SMALL: dict[str, Any] = {
    "name": "small",
    "task": "video",
    "network": "fast",
    "config": {"pictures": 3, "start": "video"},
    "loss": [{"of": "restored", "kind": "l2"}],
    "loop": {"steps": 5},
}


def table(**changes: object) -> dict[str, Any]:
    """The small recipe with other values; `__` stands for a dot."""
    result = copy.deepcopy(SMALL)
    for key, value in changes.items():
        *way, last = key.split("__")
        inner = result
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return result


def refusal(**changes: object) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        recipe_of(table(**changes), "here")
    assert caught.value.message.startswith("here: ")
    return caught.value


def test_what_is_left_out_takes_the_default():
    recipe = recipe_of(SMALL, "here")
    assert recipe.data == Data()
    assert recipe.optimiser == Optimiser()
    assert recipe.loop == Loop(steps=5)
    assert recipe.loss[0].weight == 1
    assert recipe.loss[0].reduction == "mean"
    assert (recipe.words, recipe.start) == ("", "")
    assert recipe.config["width"] == 96  # the network's own
    assert recipe.pictures == 3


def test_all_values_are_of_their_kinds():
    recipe = recipe_of(
        table(optimiser={"rate": 1, "betas": [0, 0.5], "milestones": [0.5]}, loop__minutes=3), "x"
    )
    assert isinstance(recipe.optimiser.rate, float)
    assert recipe.optimiser.betas == (0.0, 0.5)
    assert recipe.optimiser.milestones == (0.5,)
    assert isinstance(recipe.loop.minutes, float)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("tsk", "task"),
        ("optimizer", "optimiser"),
        ("data__corp", "crop"),
        ("loop__step", "steps"),
        ("optimiser__weigth_decay", "weight_decay"),
        ("calibration__sample", "samples"),
        ("config__picture", "pictures"),
        ("config__kwidth", "width"),
    ],
)
def test_unknown_keys_name_the_nearest_at_every_level(key, meant):
    error = refusal(**{key: 1})
    assert f"there is no key {key.replace('__', '.')}." in error.message
    assert error.hint == f"Did you mean {meant}?"


def test_unknown_keys_of_a_term_are_found():
    error = refusal(loss=[SMALL["loss"][0], {"of": "others", "kind": "l1", "wieght": 2}])
    assert error.message == "here: there is no key loss[1].wieght."
    assert error.hint == "Did you mean weight?"


def test_keys_like_no_other_name_all():
    error = refusal(data__zzz=1)
    assert all(f.name in error.hint for f in fields(Data))
    assert refusal(**{"7": 1}).hint.startswith("Known here: name, task")
    assert nearest("stpes", ["steps", "seed"]) == "Did you mean steps?"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("loop__steps", "many", "loop.steps is a whole number, not 'many'"),
        ("loop__steps", 2.5, "loop.steps is a whole number, not 2.5"),
        ("loop__batch", True, "loop.batch is a whole number, not True"),
        ("loop__batch", None, "loop.batch is a whole number, not None"),
        ("optimiser__rate", "fast", "optimiser.rate is a number, not 'fast'"),
        ("optimiser__rate", False, "optimiser.rate is a number, not False"),
        ("optimiser__rate", None, "optimiser.rate is a number, not None"),
        ("optimiser__rate", [1], "optimiser.rate is a number, not [1]"),
        ("optimiser__rate", float("nan"), "optimiser.rate is a number, not nan"),
        ("loop__minutes", "inf", "loop.minutes is a number, not 'inf'"),
        ("loop__minutes", 10**400, "loop.minutes is a number, not 1000"),
        ("optimiser__betas", 0.9, "optimiser.betas is a list, not 0.9"),
        ("optimiser__betas", [0.9], "optimiser.betas is a list of 2, not [0.9]"),
        ("optimiser__betas", [0.9, "x"], "optimiser.betas[1] is a number, not 'x'"),
        ("optimiser__milestones", {"a": 1}, "optimiser.milestones is a list, not {'a': 1}"),
        ("words", 5, "words is a text, not 5"),
        ("start", None, "start is a text, not None"),
        ("data", 5, "data is a table, not 5"),
        ("data", [96], "data is a table, not [96]"),
        ("config", "big", "config is a table, not 'big'"),
        ("loss", {"kind": "l2"}, "loss is a list, not {'kind': 'l2'}"),
        ("loss", ["l2"], "loss[0] is a table, not 'l2'"),
        ("config__pictures", 3.0, "config.pictures is a whole number, not 3.0"),
        ("config__pictures", "five", "config.pictures is a whole number, not 'five'"),
        ("config__width", True, "config.width is a whole number, not True"),
    ],
)
def test_wrong_kinds(key, value, words):
    assert words in refusal(**{key: value}).message


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("task", "vidoe", "video"),
        ("network", "iic-net", "iicnet"),
        ("data__turns", "flip", "flips"),
        ("optimiser__decay", "cosin", "cosine"),
        ("loop__precision", "bf-16", "bf16"),
        ("loop__compile", "allways", "always"),
        ("config__start", "vide", "video"),
        ("config__quantiser", "modulus", "modulo"),
    ],
)
def test_choices_name_what_there_is_and_the_nearest(key, value, hint):
    error = refusal(**{key: value})
    assert f"{key.replace('__', '.')} is one of " in error.message
    assert error.message.endswith(f", not {value!r}.")
    assert error.hint == f"Did you mean {hint}?"


def test_what_yaml_takes_for_something_else():
    """`no` is false; and only some networks are trained."""
    assert "data.turns is one of" in refusal(data__turns=False).message
    assert "network is one of adaptive, fast, iicnet" in refusal(network="transform").message


def test_hyper_parameters_of_all_kinds_are_checked():
    adaptive = {"network": "adaptive", "loss": [{"of": "restored", "kind": "psnr"}]}
    assert (
        "config.joint is true or false, not 1."
        in refusal(**adaptive, config={"pictures": 3, "joint": 1}).message
    )
    assert (
        "config.moduli[1][0] is a whole number"
        in refusal(**adaptive, config={"pictures": 3, "moduli": [[3, 3, 3], ["a", 3, 3]]}).message
    )
    made = recipe_of(table(**adaptive, config={"pictures": 3, "moduli": [[3, 3, 3]]}), "x")
    assert made.config["moduli"] == [[3, 3, 3]]
    assert made.config["joint"] is True


@pytest.mark.parametrize("value", ["1e-3", "1E-3", " 1e-3 ", 0.001])
def test_numbers_as_people_write_them(value):
    """YAML 1.1 takes 1e-3, without a dot, for a text."""
    assert recipe_of(table(optimiser__rate=value), "x").optimiser.rate == 0.001
    assert yaml.safe_load("rate: 1e-3") == {"rate": "1e-3"}


@pytest.mark.parametrize("key", ["name", "task", "network", "config"])
def test_what_is_missing_is_named(key):
    less = {k: v for k, v in SMALL.items() if k != key}
    with pytest.raises(TrainingError, match=f"here: {key} is missing"):
        recipe_of(less, "here")


def test_what_is_missing_deeper_is_named():
    assert refusal(loss=[{"of": "restored"}]).message == "here: loss[0].kind is missing."
    assert refusal(config={"width": 8}).message == "here: config.pictures is missing."


@pytest.mark.parametrize(
    ("key", "bad", "good", "rule"),
    [
        ("loss", [], None, "loss has at least one term"),
        ("loop", {}, {"minutes": 0}, "loop has steps or minutes"),
        ("loop__steps", 0, 1, "loop.steps is at least 1"),
        ("loop__minutes", -1, 0, "loop.minutes is at least 0"),
        ("loop__batch", 0, 1, "loop.batch and loop.keep are at least 1"),
        ("loop__keep", 0, 1, "loop.batch and loop.keep are at least 1"),
        ("optimiser__rate", 0, 1e-9, "optimiser.rate is above 0"),
        ("optimiser__betas", [0.9, 1], [0, 0.999], "optimiser.betas are in 0..1"),
        ("optimiser__betas", [-0.1, 0.9], [0, 0.999], "optimiser.betas are in 0..1"),
        ("optimiser__milestones", [0.5, 1], [0.5, 0.99], "optimiser.milestones are in 0..1"),
        ("optimiser__milestones", [0], [], "optimiser.milestones are in 0..1"),
        ("optimiser__warmup", 1, 0.5, "optimiser.warmup is in 0..1"),
        ("optimiser__warmup", -0.1, 0, "optimiser.warmup is in 0..1"),
        ("optimiser__ema", 1, 0, "optimiser.ema is in 0..1"),
        ("optimiser__clip", -1, 0, "optimiser.clip is at least 0"),
        ("data__crop", 14, 16, "data.crop is even and at least 16"),
        ("data__crop", 17, 18, "data.crop is even and at least 16"),
        ("data__resize", 8, 0, "data.resize is 0 or at least 16"),
        ("data__validation", 1, 2, "data.validation is at least 2"),
        ("data__validated", -1, 0, "data.validated is at least 0"),
        ("calibration__samples", 0, 1, "calibration.samples is at least 1"),
    ],
)
def test_numbers_that_mean_nothing(key, bad, good, rule):
    assert refusal(**{key: bad}).message == f"here: {rule}."
    if good is not None:
        recipe_of(table(**{key: good}), "here")


@pytest.mark.parametrize(
    ("task", "possible"),
    [("mono", {2}), ("dual", {2}), ("layers", {2, 3}), ("gray", {1}), ("rescale", {1})],
)
def test_as_many_pictures_as_the_task_has(task, possible):
    for pictures in range(1, 5):
        config = {"pictures": pictures, "start": "identity", "quantiser": "plain"}
        if pictures in possible:
            assert recipe_of(table(task=task, config=config), "x").pictures == pictures
        else:
            message = refusal(task=task, config=config).message
            assert f"for {task}, not {pictures}." in message


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"pictures": 1, "start": "video"}, "for two pictures or more"),
        ({"pictures": 3, "scale": 3}, "scale 1, 2 or 4"),
        ({"pictures": 3, "q": 1}, "q must be in 2..64"),
    ],
)
def test_what_no_network_does(config, words):
    error = refusal(config=config)
    assert error.message.startswith("here: there is no such network: ")
    assert words in error.message


@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_what_is_no_recipe_at_all(value):
    with pytest.raises(TrainingError, match="a recipe is a table"):
        recipe_of(value, "here")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"words": "Zwei Bilder: ü, 画", "loop__minutes": 2.5, "loop__steps": None},
        {"optimiser": {"rate": 1e-7, "milestones": [0.1, 0.25], "weight_decay": 1e-5}},
        {"name": "5", "start": "no", "config__q": 16},
    ],
)
def test_written_and_read_again_it_is_the_same(tmp_path, changes):
    recipe = recipe_of(table(**changes), "x")
    path = tmp_path / "recipe.yaml"
    path.write_text(as_yaml(recipe), encoding="utf-8")
    assert read_recipe(str(path)) == recipe
    assert recipe_of(as_table(recipe), "x") == recipe
    assert as_yaml(read_recipe(str(path))) == as_yaml(recipe)


def test_the_table_holds_what_yaml_and_json_know():
    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(isinstance(k, str) and plain(v) for k, v in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or type(value) in (str, int, float, bool)

    made = as_table(read_recipe("video"))
    assert plain(made)
    assert set(made) == {f.name for f in fields(Recipe)}
    assert made["config"]["moduli"] == [[3, 3, 3], [4, 4, 4], [4, 4, 8]]


def test_differences_are_told_key_by_key():
    before, now = (as_table(recipe_of(table(**c), "x")) for c in ({}, {"optimiser__rate": 1e-3}))
    assert differences(before, before) == []
    assert differences(before, now) == ["optimiser.rate: 0.0004 there, 0.001 here"]
    now = as_table(recipe_of(table(config__q=4, data__turns="none"), "x"))
    assert differences(before, now) == [
        "config.q: 8 there, 4 here",
        "data.turns: all there, none here",
    ]
    less = {k: v for k, v in before.items() if k != "task"}
    assert differences(less, before) == ["task: None there, video here"]


def test_what_is_free_may_differ_and_nothing_else():
    recipe = as_table(recipe_of(SMALL, "x"))
    keys = flat(recipe)
    assert set(keys) >= FREE
    for key in keys:
        *way, last = key.split(".")
        other = copy.deepcopy(recipe)
        inner = other
        for part in way:
            inner = inner[part]
        inner[last] = "other"
        assert bool(differences(recipe, other)) == (key not in FREE), key
