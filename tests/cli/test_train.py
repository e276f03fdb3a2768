"""`iic train`, for the tasks beyond video."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from PIL import Image

from iiccli.training import recipes
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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of tiny networks and few samples."""
    whole = recipes.recipe_for

    def fewer(task: str, pictures: int, scale: int, minutes: float) -> recipes.Recipe:
        recipe = whole(task, pictures, scale, minutes)
        network = KINDS[TINY[task]].config
        return dataclasses.replace(recipe, network=network, samples=2, side=64, crop=32, batch=2)

    monkeypatch.setattr(recipes, "recipe_for", fewer)
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "set_num_threads", lambda _: torch.get_num_threads() == threads)


@pytest.mark.usefixtures("quick")
def test_a_model_for_gray_of_ones_own(iic: Iic, desk: Path, photographs: Path) -> None:
    words = ("--data", photographs, "--run", "run", "--task", "gray", "--minutes", 1, "--steps", 2)
    made = iic("train", *words, "-o", "mine.safetensors")
    assert made.code == 0, made
    assert made.out.splitlines() == ["mine.safetensors: mine, for gray."]
    card = read_card(desk / "mine.safetensors")
    assert (card.name, card.task, card.network) == ("mine", "gray", "adaptive")
    photo = photographs / "a.png"
    assert iic("gray", photo, "-o", "gray.png", "--model", "mine.safetensors").code == 0
    assert Image.open(desk / "gray.png").mode == "L"
    restored = iic("restore", "gray.png", "-o", "back/", "--model", "mine.safetensors")
    assert restored.code == 0, restored
    (back,) = pictures(desk / "back")
    assert psnr(back, pictures(photographs)[0]) > 25


@pytest.mark.usefixtures("quick")
def test_rescale_takes_a_scale_and_no_minutes_leave_the_enhancer_out(
    iic: Iic, desk: Path, photographs: Path
) -> None:
    words = ("--data", photographs, "--run", "run", "--task", "rescale", "--minutes", 0)
    made = iic("train", *words, "--name", "tables.v1")
    assert made.code == 0, made
    assert made.out.startswith("run/model.safetensors: tables.v1, for rescale.")
    card = read_card(desk / "run" / "model.safetensors")
    assert card.scale == 2
    assert card.recipe["validation"] == {}


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_there_is_gone_on_with_only_when_asked(
    iic: Iic, desk: Path, photographs: Path
) -> None:
    words = ("--data", photographs, "--run", "run", "--task", "gray", "--steps")
    assert iic("train", *words, 1).code == 0
    iic("train", *words, 2).fails(10, "holds a training already", "--resume")
    assert iic("train", *words, 2, "--resume").code == 0
    assert torch.load(desk / "run" / "checkpoint.pt", weights_only=True)["step"] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--task", "telepathy"), 2, ("no recipe for the task 'telepathy'", "layers")),
        (("--task", "rescale", "--scale", 3), 2, ("no network for that", "3")),
        (("--task", "rescale", "--scale", 1), 2, ("no network for that",)),
        (("--task", "video", "--pictures", 1), 2, ("no network for that",)),
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
        (("--precision", "half"), 10, ("no precision",)),
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
