"""From a folder of pictures to a model file that restores."""

from pathlib import Path

import pytest
import torch

from iiccli.errors import ModelError, TrainingError
from iiccli.inference.converter import make_converter
from iiccli.training.build import train_model
from iiccli.training.engine import make_engine
from iiccli.zoo.modelfile import Card, load_model, read_card, save_model
from tests.adaptive_models import KINDS, coloured, everywhere, pictures_of
from tests.conftest import TINY, psnr
from tests.training.conftest import recipe_of, save

CPU = torch.device("cpu")


def trained(data: Path, run: Path, kind: str = "gray", *, recipe=None, **options) -> Path | None:
    made = recipe or recipe_of(kind)
    return train_model(made, [data], run, make_engine(CPU), **options)


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For gray, trained for three steps."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return trained(data, tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("kind", ["gray", "hide", "dual"])
def test_every_kind_trains_and_restores(kind, data, model, tmp_path):
    path = model if kind == "gray" else trained(data, tmp_path, kind)
    card, state = load_model(path)
    assert (card.name, card.task) == (f"{kind}.v1", KINDS[kind].task)
    converter = make_converter(card, state, CPU)
    pictures = pictures_of(kind, 70, 90, 3)
    free, zoom = everywhere(converter, pictures), KINDS[kind].zoom
    quality = converter.qualities - 1
    carrier = converter.embed(pictures, quality, free, zoom=zoom)
    restored = converter.restore(carrier, (90, 70), quality, free, zoom=zoom)
    assert restored.damaged == 0
    for original, picture in zip(pictures, restored.pictures, strict=True):
        assert psnr(picture, original) > 25


def test_the_model_says_how_it_was_made(model, data):
    card = read_card(model)
    assert card.network == "adaptive"
    assert card.reference == "first"
    assert card.pictures == 1
    assert card.recipe["loop"]["steps"] == 3
    assert card.recipe["data"]["crop"] == 32
    assert card.recipe["steps_done"] == 3
    assert card.config["moduli"] == [[2], [3]]
    assert card.recipe["validation"].keys() == {"restored_psnr", "gain"}
    assert 20 < card.recipe["validation"]["restored_psnr"] < 60
    assert "cpu" in card.recipe["machine"]
    assert card.recipe["torch"] == torch.__version__
    assert card.recipe["init"] == ""
    assert card.data.startswith("4 photographs, 2 clips")
    assert data.name in card.data


def test_no_minutes_leave_the_enhancer_out(data, tmp_path):
    path = trained(data, tmp_path, recipe=recipe_of("gray", loop__minutes=0))
    card, state = load_model(path)
    assert card.recipe["validation"] == {}
    assert (state["enhancer.tail.weight"] == 0).all()
    assert state["weights"].any()
    assert not (tmp_path / "checkpoints").exists()
    assert (tmp_path / "calibrated.pt").exists()


def test_a_broken_picture_is_reported_and_the_rest_used(data, tmp_path):
    lines: list[str] = []
    trained(data, tmp_path, recipe=recipe_of("gray", loop__minutes=0), report=lines.append)
    assert any("broken.png" in line for line in lines)
    assert any(line.startswith("3 samples out of 4 photographs, 2 clips") for line in lines)


def test_an_interrupted_training_gives_the_same_model(data, model, tmp_path):
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls == 3

    assert trained(data, tmp_path, stop=stop) is None
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000002.pt"]
    assert not (tmp_path / "model.safetensors").exists()
    lines: list[str] = []
    torch.manual_seed(999)  # a restart has other chance
    again = trained(data, tmp_path, report=lines.append)
    assert not any("principal" in line for line in lines)  # calibrated before
    for name, tensor in load_model(model)[1].items():
        assert torch.equal(load_model(again)[1][name], tensor), name


def test_without_resume_everything_starts_anew(data, tmp_path):
    recipe = recipe_of("gray", loop__minutes=0)
    trained(data, tmp_path, recipe=recipe)
    lines: list[str] = []
    trained(data, tmp_path, recipe=recipe, report=lines.append)
    assert not any("principal" in line for line in lines)
    trained(data, tmp_path, recipe=recipe, resume=False, report=lines.append)
    assert any("principal" in line for line in lines)


def test_another_model_may_be_the_start(data, model, tmp_path):
    """With no steps of its own, the enhancer is the other's, whatever fits."""
    lines: list[str] = []
    recipe = recipe_of("gray", loop__minutes=0)
    started = load_model(trained(data, tmp_path / "a", recipe=recipe, init=model))[1]
    given = load_model(model)[1]
    for name, tensor in started.items():
        if name.startswith("enhancer"):
            assert torch.equal(tensor, given[name]), name
    other = recipe_of("layers", loop__minutes=0)
    card = read_card(trained(data, tmp_path / "b", recipe=other, init=model, report=lines.append))
    assert "started from the enhancer of gray.v1" in lines
    assert card.recipe["init"] == "model.safetensors"


def test_a_model_of_the_older_network_may_be_the_start(data, tiny_model, tmp_path):
    assert TINY.width == KINDS["video"].config.width
    recipe = recipe_of("dual", loop__minutes=0)
    started = load_model(trained(data, tmp_path, recipe=recipe, init=tiny_model))[1]
    given = load_model(tiny_model)[1]
    name = "enhancer.body.0.first.weight"
    assert torch.equal(started[name], given[name].half())


def test_a_model_of_which_nothing_fits_is_refused(data, tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_model(
        foreign, Card("foreign", "video", "fast", {"pictures": 3}), {"weight": torch.zeros(1)}
    )
    with pytest.raises(ModelError, match=r"Nothing of foreign\.safetensors fits"):
        trained(data, tmp_path / "a", recipe=recipe_of("gray", loop__minutes=0), init=foreign)


def test_too_little_is_an_error(tmp_path):
    save(tmp_path / "data" / "small.png", coloured(40, 40))
    with pytest.raises(TrainingError, match="serves to train gray"):
        trained(tmp_path / "data", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["layers", "hide", "video"])
def test_pictures_of_the_wrong_kind_are_an_error(kind, tmp_path):
    """One opaque photograph: no cut-out, no second picture, and too small to be filmed."""
    save(tmp_path / "data" / "photo.png", coloured(64, 70))
    with pytest.raises(TrainingError, match=f"serves to train {KINDS[kind].task}"):
        trained(tmp_path / "data", tmp_path / "run", kind)


def test_one_photograph_is_enough(tmp_path):
    save(tmp_path / "data" / "photo.png", coloured(64, 70))
    card = read_card(trained(tmp_path / "data", tmp_path / "run"))
    assert card.data.startswith("1 photographs")
    assert card.recipe["validation"] == {}  # one alone leaves none to validate


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config__width": 6}, "config.width: 8 there, 6 here"),
        ({"config__cell": 16}, "config.cell: 8 there, 16 here"),
        ({"optimiser__rate": 0.5}, "optimiser.rate: 0.001 there, 0.5 here"),
        ({"loop__seed": 4}, "loop.seed: 0 there, 4 here"),
        ({"task": "rescale"}, "task: gray there, rescale here"),
    ],
)
def test_a_run_of_another_recipe_is_refused(data, model, change, said):
    with pytest.raises(TrainingError) as caught:
        trained(data, model.parent, recipe=recipe_of("gray", **change))
    assert str(model.parent) in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize("damage", ["empty", "cut", "zeros"])
def test_damaged_tables_are_refused(data, model, damage, tmp_path):
    whole = (model.parent / "calibrated.pt").read_bytes()
    path = tmp_path / "calibrated.pt"
    if damage == "zeros":
        state = torch.load(model.parent / "calibrated.pt", weights_only=True)
        state["frequencies"][5] = 0
        torch.save(state, path)
    else:
        path.write_bytes(b"" if damage == "empty" else whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match=r"calibrated\.pt is damaged") as caught:
        trained(data, tmp_path)
    assert "remove" in caught.value.hint
