"""`iic train`: every option, and what cannot be."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from iiccli.training.recipes import ALIASES, as_yaml, names, read_recipe
from iiccli.zoo.modelfile import read_card
from tests.adaptive_models import KINDS, coloured
from tests.cli.conftest import Iic, nothing_new, pictures
from tests.conftest import psnr

TINY = {"gray": "gray", "rescale": "rescale-2", "hide": "hide"}


@pytest.fixture
def photographs(desk: Path) -> Path:
    folder = desk / "photos"
    folder.mkdir()
    for seed, name in enumerate(("a", "b", "c")):
        Image.fromarray(coloured(80, 96, seed)).save(folder / f"{name}.png")
    return folder


SMALL = ("--set", "calibration={samples: 2, side: 64}", "--crop", 32, "--batch", 2)
"""Few samples, and small ones."""


def tiny(task: str) -> tuple[object, ...]:
    """Changes that make the task's network a tiny one."""
    config = asdict(KINDS[TINY[task]].config)
    words = [f"config.{k}={json.dumps(v)}" for k, v in config.items()]
    return (*SMALL, *(part for word in words for part in ("--set", word)))


FAST = ("--set", "config.width=8", "--set", "config.blocks=1", "--crop", 32, "--batch", 2)
"""A small dense network."""


def test_a_model_for_gray_of_ones_own(iic: Iic, desk: Path, photographs: Path) -> None:
    words = ("--data", photographs, "--run", "run", "--task", "gray", "--steps", 2)
    made = iic("train", *words, *tiny("gray"), "-o", "mine.safetensors")
    assert made.code == 0, made
    assert made.out.splitlines() == ["mine.safetensors: mine, for gray."]
    assert made.err == ""
    card = read_card(desk / "mine.safetensors")
    assert (card.name, card.task, card.network) == ("mine", "gray", "adaptive")
    photo = photographs / "a.png"
    assert iic("gray", photo, "-o", "gray.png", "--model", "mine.safetensors").code == 0
    assert Image.open(desk / "gray.png").mode == "L"
    restored = iic("restore", "gray.png", "-o", "back/", "--model", "mine.safetensors")
    assert restored.code == 0, restored
    (back,) = pictures(desk / "back")
    assert psnr(back, pictures(photographs)[0]) > 25


def test_rescale_takes_a_scale_and_no_minutes_leave_the_enhancer_out(
    iic: Iic, desk: Path, photographs: Path
) -> None:
    words = ("--data", photographs, "--run", "run", "--task", "rescale", "--minutes", 0)
    made = iic("train", *words, *tiny("rescale"), "--name", "tables.v1", "--json")
    assert made.code == 0, made
    assert made.json["model"] == "run/model.safetensors"
    assert made.json["name"] == "tables.v1"
    card = read_card(desk / "run" / "model.safetensors")
    assert card.scale == 2
    assert card.recipe["validation"] == {}


@pytest.mark.parametrize("recipe", ["fast-hide", "iicnet-gray"])
def test_a_dense_network_trains_evaluates_and_restores(
    iic: Iic, desk: Path, photographs: Path, recipe: str
) -> None:
    small = FAST if recipe.startswith("fast") else FAST[2:]
    words = ("--data", photographs, "--recipe", recipe, "--steps", 1, *small)
    made = iic("train", *words, "--run", "run", "-o", "mine.safetensors")
    assert made.code == 0, made
    measured = iic("evaluate", "--data", photographs, "--model", "mine.safetensors", "--json")
    assert measured.code == 0, measured
    assert measured.json["mean"]["cover_psnr"] > 5
    run = desk / "run"
    assert read_recipe(str(run / "recipe.yaml")).network == recipe.split("-")[0]
    resolved = read_card(run / "model.safetensors").recipe
    assert resolved["loop"]["steps"] == 1
    assert resolved["data"]["crop"] == 32
    exported = iic("train", "export", "run", "-o", "again.safetensors", "--name", "other.v2")
    assert exported.out.splitlines() == [f"again.safetensors: other.v2, for {recipe[-4:]}."]
    assert read_card(desk / "again.safetensors").name == "other.v2"
    iic("train", "export", "run", "-o", "again.safetensors").fails(7, "--force")
    iic("train", "plot", "run", "-o", "curves.png")
    assert Image.open(desk / "curves.png").width > 300


def test_going_on_needs_nothing_but_the_run(iic: Iic, desk: Path, photographs: Path) -> None:
    words = ("--data", photographs, "--run", "run", "--recipe", "fast-gray", *FAST)
    assert iic("train", *words, "--steps", 1).code == 0
    iic("train", *words, "--steps", 2).fails(10, "holds a training already", "--resume")
    assert iic("train", "--run", "run", "--resume", "--steps", 2, "--force").code == 0
    assert (desk / "run" / "checkpoints" / "step-00000002.pt").exists()
    refused = iic("train", "--run", "run", "--resume", "--rate", 0.5)
    refused.fails(10, "optimiser.rate: 0.001 there, 0.5 here")
    other = iic("train", "--recipe", "fast-hide", *words[:4], *FAST, "--resume")
    other.fails(10, "task: gray there, hide here")
    # Other weights may be the start, as far as they fit.
    start = ("--init", "run/model.safetensors", "--steps", 1)
    more = ("--data", photographs, "--recipe", "fast-hide", *FAST, *start)
    assert iic("train", *more, "--run", "run2").code == 0
    assert read_card(desk / "run2" / "model.safetensors").recipe["init"] == "model.safetensors"


def test_a_dry_run_shows_the_recipe_and_its_cost_and_leaves_nothing(iic: Iic, desk: Path) -> None:
    before = set(desk.rglob("*"))
    words = ("--steps", 1000, "--precision", "fp32", "--dry-run")
    shown = iic("train", "--recipe", "fast-video", *FAST, *words)
    assert shown.code == 0, shown
    assert "crop: 32" in shown.out
    for words in ("parameters to learn", "GB", "s a step on cpu in fp32", "1,000 steps take"):
        assert words in shown.out
    as_json = iic("train", "--task", "gray", *tiny("gray"), "--dry-run", "--json").json
    assert as_json["recipe"]["task"] == "gray"
    assert as_json["cost"].keys() >= {"parameters", "seconds_per_step", "memory_bytes"}
    nothing_new(desk, before)


def test_recipes_are_listed_and_shown(iic: Iic, desk: Path) -> None:
    listed = iic("train", "recipes")
    assert [line.split()[0] for line in listed.out.splitlines()] == names()
    assert {r["name"] for r in iic("train", "recipes", "--json").json} == set(names())
    shown = iic("train", "recipes", "iicnet-video")
    (desk / "mine.yaml").write_text(shown.out)
    assert read_recipe("mine.yaml") == read_recipe("iicnet-video")
    assert iic("train", "recipes", "hide", "--json").json["task"] == "hide"
    iic("train", "recipes", "hid").fails(10, "no recipe 'hid'", "hide")


def test_a_recipe_of_ones_own(iic: Iic, desk: Path, photographs: Path) -> None:
    (desk / "own.yaml").write_text(
        "task: gray\nnetwork: fast\n"
        "config: {pictures: 1, out_channels: 1, start: gray, quantiser: plain, width: 4}\n"
        "loss:\n- {of: restored, kind: l1}\n- {of: embedding, kind: charbonnier, weight: 2}\n"
        "data: {crop: 32}\nloop: {steps: 1, batch: 2}\n"
    )
    made = iic("train", "--recipe", "own.yaml", "--data", photographs, "--run", "run")
    assert made.code == 0, made
    assert read_card(desk / "run" / "model.safetensors").recipe["loss"][1]["weight"] == 2


@pytest.fixture
def datasets(iic: Iic, desk: Path) -> Path:
    """A small Flickr1024, prepared."""
    for number, part in enumerate(("Train_1", "Train_2", "Train_3", "Train_4", "Validation")):
        folder = desk / "datasets" / "flicker1024" / part
        folder.mkdir(parents=True)
        for side in "LR":
            picture = coloured(48, 56, 2 * number + (side == "R"))
            Image.fromarray(picture).save(folder / f"{number:04}_{side}.png")
    words = ("data", "prepare", "flickr1024", "--only", "train", "--only", "val")
    made = iic(*words)
    assert made.code == 0, made
    return desk / "datasets"


def test_a_data_set_by_its_alias(iic: Iic, desk: Path, datasets: Path) -> None:
    made = iic("train", "--task", "flickr1024", "--recipe", "fast-mono", *FAST, "--steps", 1)
    assert made.code == 0, made
    assert made.out == "runs/fast-mono/model.safetensors: fast-mono, for mono.\n"
    card = read_card(desk / "runs" / "fast-mono" / "model.safetensors")
    assert card.data == "4 pairs of flickr1024-train.jsonl"
    assert card.recipe["validation"].keys() == {"cover_psnr", "restored_psnr"}


def test_a_data_set_that_is_not_prepared_says_how(iic: Iic, desk: Path) -> None:
    for alias in ALIASES:
        made = iic("train", "--task", alias)
        made.fails(10, f"{alias}-train.jsonl is not there", f"iic data prepare {alias}")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--task", "telepathy"), 2, ("no recipe for the task 'telepathy'", "layers")),
        (("--task", "grey"), 2, ("'grey'", "Did you mean gray?")),
        (("--task", "mono", "--pictures", 7), 2, ("no choice of pictures", "--pictures")),
        (("--task", "gray", "--scale", 2), 2, ("no choice of scale", "--scale")),
        (("--task", "gray", "--recipe", "fast-hide"), 2, ("for hide, not for gray",)),
        (("--recipe", "fast-hid"), 10, ("no recipe 'fast-hid'", "fast-hide")),
        (("--recipe", "nowhere.yaml"), 10, ("Cannot read the recipe nowhere.yaml",)),
        (("--set", "optimizer.rate=1"), 10, ("no key optimizer", "optimiser")),
        (("--set", "config.widht=1"), 10, ("no key config.widht", "width")),
        (("--set", "nonsense"), 10, ("'nonsense' is no KEY=VALUE",)),
        (("--crop", 33), 10, ("data.crop is even",)),
        (("--task", "rescale", "--scale", 4, "--crop", 34), 10, ("data.crop is a multiple of 4",)),
        (("--task", "rescale", "--scale", 3), 10, ("no such network", "3")),
        (("--task", "rescale", "--scale", 1), 10, ("no such network",)),
        (("--task", "video", "--pictures", 1), 10, ("no such network",)),
        (
            (
                "--task",
                "layers",
            ),
            10,
            ("serves to train layers", "--data"),
        ),
        (
            (
                "--task",
                "mono",
            ),
            10,
            ("serves to train mono",),
        ),
        (("--init", "nowhere.safetensors"), 6, ("nowhere",)),
        (("--precision", "half"), 10, ("loop.precision", "half")),
    ],
)
def test_what_cannot_be_trained_is_said_and_leaves_nothing(
    iic: Iic, desk: Path, photographs: Path, words: tuple, code: int, said: tuple
) -> None:
    before = set(desk.rglob("*"))
    iic("train", "--data", photographs, "--run", "run", *words).fails(code, *said)
    nothing_new(desk, before)


def test_missing_data_is_said(iic: Iic, desk: Path) -> None:
    iic("train", "--data", "nowhere", "--run", "run", "--task", "gray").fails(10, "nowhere")
    (desk / "empty").mkdir()
    iic("train", "--data", "empty", "--run", "run", "--task", "gray").fails(10, "No readable")


def test_an_output_that_exists_is_kept(iic: Iic, desk: Path, photographs: Path) -> None:
    (desk / "mine.safetensors").write_bytes(b"precious")
    words = ("--data", photographs, "--run", "run", "--task", "gray", "-o", "mine.safetensors")
    iic("train", *words).fails(7, "mine.safetensors", "--force")
    assert (desk / "mine.safetensors").read_bytes() == b"precious"
    assert not (desk / "run").exists()


def test_a_hostile_recipe(iic: Iic, desk: Path) -> None:
    lines = ["a0: &a0 [ha, ha]", *(f"a{i}: &a{i} [{f'*a{i - 1},' * 10}]" for i in range(1, 10))]
    Path("laughs.yaml").write_text("\n".join(lines), encoding="utf-8")
    away = as_yaml(read_recipe("gray")).replace("name: gray\n", "") + "name: ../../elsewhere\n"
    Path("away.yaml").write_text(away, encoding="utf-8")
    for words in (("train", "--data", "x", "--recipe"), ("train", "recipes")):
        iic(*words, "laughs.yaml").fails(10, "laughs.yaml holds more than a recipe may.")
        iic(*words, "away.yaml").fails(10, "name is a name for files")
    assert sorted(path.name for path in desk.iterdir()) == ["away.yaml", "laughs.yaml"]
