"""From a folder of pictures to a model file that restores."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.errors import ModelError, TrainingError
from iiccli.inference.converter import make_converter
from iiccli.training.build import train_model
from iiccli.training.loop import Schedule
from iiccli.training.recipes import SHIPPED, Recipe, video
from iiccli.zoo.modelfile import Card, load_model, read_card, save_model
from tests.conftest import TINY, moving_clip, psnr, reference_first, texture

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="tiny.v1",
    task="video",
    network=TINY,
    schedule=Schedule(minutes=1e6, steps=4),
    crop=32,
    batch=2,
    windows=1,
    camera=2,
    frame=64,
)


def write_clip(folder: Path, seed: int, frames: int = 4, size: tuple[int, int] = (64, 80)) -> None:
    folder.mkdir(parents=True)
    for i, frame in enumerate(moving_clip(*size, frames, (2, 1), seed)):
        Image.fromarray(frame).save(folder / f"{i:03}.png")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed in range(3):
        write_clip(folder / f"clip{seed}", seed)
    photo = (texture(160, 170, 9) * 255).to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(photo).save(folder / "photo.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def trained(data: Path, run: Path, recipe: Recipe = RECIPE, **options) -> Path:
    return train_model(recipe, [data], run, device=CPU, precision=torch.float32, **options)


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return trained(data, tmp_path_factory.mktemp("run"))


def test_the_model_file_loads_and_restores(model):
    card, state = load_model(model)
    converter = make_converter(card, state, CPU)
    pictures = reference_first(moving_clip(70, 90, seed=123))
    free = np.ones(pictures[0].shape, bool)
    carrier = converter.embed(pictures, 2, free)
    restored = converter.restore(carrier, (90, 70), 2, free)
    assert restored.damaged == 0
    for original, picture in zip(pictures[1:], restored.pictures[1:], strict=True):
        assert psnr(picture, original) > psnr(carrier, original) + 5


def test_the_model_says_how_it_was_made(model, data):
    card = read_card(model)
    assert card.name == "tiny.v1"
    assert card.task == "video"
    assert card.pictures == 3
    assert card.recipe["schedule"]["steps"] == 4
    assert card.recipe["crop"] == 32
    assert card.recipe["validation"].keys() == {"carrier", "others_decoded", "reference", "others"}
    assert 30 < card.recipe["validation"]["others"] < 60
    assert "cpu" in card.recipe["machine"]
    assert card.recipe["torch"] == torch.__version__
    assert card.data.startswith("2 clips and 2 filmed")  # the third validates
    assert data.name in card.data


def test_a_broken_picture_is_reported_and_the_rest_used(data, tmp_path):
    lines: list[str] = []
    trained(data, tmp_path, report=lines.append)
    assert any("broken.png" in line for line in lines)
    assert "3 clips, 1 photographs" in lines
    assert any(line.startswith("step 4") for line in lines)


def test_an_interrupted_training_gives_the_same_model(data, model, tmp_path):
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls == 2

    trained(data, tmp_path, stop=stop)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2
    lines: list[str] = []
    again = trained(data, tmp_path, report=lines.append)
    assert not any("quantisers" in line for line in lines)  # calibrated before
    for name, tensor in load_model(model)[1].items():
        assert torch.equal(load_model(again)[1][name], tensor), name


def test_without_resume_everything_starts_anew(data, tmp_path):
    trained(data, tmp_path)
    lines: list[str] = []
    trained(data, tmp_path, resume=False, report=lines.append)
    assert any("quantisers" in line for line in lines)
    assert any(line.startswith("step 4 ") for line in lines)


def test_another_model_may_be_the_start(data, model, tmp_path):
    """With no steps of its own, the enhancer is the other's, whatever fits."""
    recipe = dataclasses.replace(RECIPE, schedule=Schedule(minutes=1e6, steps=0))
    started = load_model(trained(data, tmp_path / "a", recipe, init=model))[1]
    fresh = load_model(trained(data, tmp_path / "b", recipe))[1]
    given = load_model(model)[1]
    name = "enhancer.tail.weight"
    assert torch.equal(started[name], given[name])
    assert not torch.equal(fresh[name], given[name])
    deeper = dataclasses.replace(recipe, network=dataclasses.replace(TINY, depth=2))
    lines: list[str] = []
    trained(data, tmp_path / "c", deeper, init=model, report=lines.append)
    (line,) = [line for line in lines if "tensors taken" in line]
    assert line == "8 of 12 tensors taken from model.safetensors"


@pytest.mark.parametrize("clips", [1, 2])
def test_one_clip_is_enough(tmp_path, clips):
    for seed in range(clips):
        write_clip(tmp_path / "data" / f"clip{seed}", seed)
    card = read_card(trained(tmp_path / "data", tmp_path / "run"))
    assert card.data.startswith("1 clips")
    assert bool(card.recipe["validation"]) == (clips == 2)  # one alone leaves none to validate


def test_photographs_alone_are_enough(tmp_path):
    (tmp_path / "data").mkdir()
    photo = (texture(160, 170, 9) * 255).to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(photo).save(tmp_path / "data" / "photo.png")
    card = read_card(trained(tmp_path / "data", tmp_path / "run"))
    assert card.data.startswith("0 clips and 2 filmed")
    assert card.recipe["validation"] == {}


def test_clips_of_several_sizes_train_together(tmp_path):
    for number, size in enumerate([(64, 80), (48, 40), (20, 70), (90, 64), (9, 9)]):
        write_clip(tmp_path / "data" / f"clip{number}", number, size=size)
    assert read_card(trained(tmp_path / "data", tmp_path / "run")).pictures == 3


def test_too_little_is_an_error(tmp_path):
    (tmp_path / "data").mkdir()
    Image.new("RGB", (50, 50)).save(tmp_path / "data" / "small.png")
    with pytest.raises(TrainingError, match="large enough"):
        trained(tmp_path / "data", tmp_path / "run")


@pytest.mark.parametrize("change", [{"width": 6}, {"pictures": 4}, {"ranks": ()}])
def test_a_run_of_another_network_is_refused(data, tmp_path, change):
    trained(data, tmp_path)
    other = dataclasses.replace(RECIPE, network=dataclasses.replace(TINY, **change))
    with pytest.raises(TrainingError, match=str(tmp_path)):
        trained(data, tmp_path, other)


def test_a_run_of_another_schedule_is_refused(data, tmp_path):
    trained(data, tmp_path)
    other = dataclasses.replace(RECIPE, schedule=dataclasses.replace(RECIPE.schedule, rate=0.5))
    with pytest.raises(TrainingError, match=r"rate: [0-9.]+ there, 0\.5 here"):
        trained(data, tmp_path, other)


def test_what_ships_is_named_by_its_version():
    for name, recipe in SHIPPED.items():
        assert name == recipe.name == f"{recipe.task}-{recipe.network.pictures}.v1"
        assert recipe.crop % 2 == 0
        assert recipe.crop <= 0.8 * 160  # the smallest photograph that is filmed
    assert video(3, 5).schedule.minutes == 5


def test_a_model_of_which_nothing_fits_is_refused(data, tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_model(
        foreign, Card("foreign", "video", "fast", {"pictures": 3}), {"weight": torch.zeros(1)}
    )
    with pytest.raises(ModelError, match=r"Nothing of foreign\.safetensors fits"):
        trained(data, tmp_path / "a", init=foreign)
