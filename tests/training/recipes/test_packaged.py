"""The recipes that come with the package, and those of the models that ship."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from iiccli.errors import TrainingError, UsageError
from iiccli.networks.registry import build, options
from iiccli.training.recipes import (
    ALIASES,
    TASKS,
    Recipe,
    as_table,
    as_yaml,
    names,
    read_recipe,
    recipe_for,
    shipped,
    task_of,
)
from iiccli.training.recipes.schema import recipe_of
from iiccli.zoo.packing import models_in, stem

OFFICIAL = [f"iicnet-{task}" for task in TASKS]
EVERY = [*((name, read_recipe(name)) for name in names()), *shipped().items()]

every = pytest.mark.parametrize("recipe", [r for _, r in EVERY], ids=[n for n, _ in EVERY])


def test_every_task_has_recipes_for_every_network():
    assert set(names()) == {
        *TASKS,
        "video-half",
        *(f"{network}-{task}" for network in ("iicnet", "fast") for task in TASKS),
    }
    for name in names():
        recipe = read_recipe(name)
        assert recipe.name == name
        assert recipe.task in name
        assert recipe.network == next((n for n in ("iicnet", "fast") if n in name), "adaptive")
        assert recipe.words


def smaller(recipe: Recipe) -> dict[str, object]:
    """Its hyper-parameters, of less width and depth; all that decides shapes stays."""
    low = {"width": 8, "depth": 1, "relation_features": 4}
    low |= {"blocks": 2} if recipe.network == "iicnet" else {"blocks": 1}
    known = options(recipe.network).__dataclass_fields__
    return {**recipe.config, **{k: v for k, v in low.items() if k in known}}


@every
def test_its_network_can_be_built(recipe):
    with torch.device("meta"):
        net = build(recipe.network, smaller(recipe))
    assert sum(p.numel() for p in net.parameters()) > 100


@pytest.mark.parametrize("name", [n for n in names() if read_recipe(n).network != "adaptive"])
def test_a_dense_network_takes_its_crops(name):
    recipe = read_recipe(name, {"data.crop": 32, "data.resize": 0})
    net = build(recipe.network, smaller(recipe)).eval()
    x = torch.rand(1, 3 * recipe.pictures, 32, 32)
    with torch.no_grad():
        carrier = net.embed(x)
        restored = net.restore(carrier)
    side = 32 // (2 if recipe.task == "rescale" else 1)
    assert carrier.shape == (1, 1 if recipe.task == "gray" else 3, side, side)
    assert restored.shape == x.shape


@every
def test_it_says_everything_and_reads_back(recipe, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(as_yaml(recipe), encoding="utf-8")
    assert read_recipe(str(path)) == recipe
    assert recipe_of(as_table(recipe), "x") == recipe


@every
def test_it_fits_its_task(recipe):
    assert recipe.task in TASKS
    wanted = {"mono": 2, "dual": 2, "layers": 3, "gray": 1, "rescale": 1}
    assert recipe.pictures == wanted.get(recipe.task, recipe.pictures) >= 1
    if recipe.network == "adaptive":
        assert {term.of for term in recipe.loss} == {"restored"}
        assert recipe.data.crop <= recipe.calibration.side
        assert recipe.data.crop % recipe.config["cell"] == 0
    assert recipe.loop.steps or recipe.loop.minutes


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_figures(name):
    """As /work/shared/parity/README.md tells them."""
    recipe = read_recipe(name)
    task = recipe.task
    optimiser, loop = recipe.optimiser, recipe.loop
    assert (optimiser.rate, optimiser.betas, optimiser.weight_decay) == (2e-4, (0.9, 0.999), 1e-5)
    assert (optimiser.decay, optimiser.factor) == ("multi-step", 0.5)
    assert [m * loop.steps for m in optimiser.milestones] == [100e3, 200e3, 300e3, 400e3]
    assert (optimiser.clip, optimiser.ema, optimiser.warmup) == (10, 0, 0)
    assert (loop.steps, loop.minutes, loop.precision) == (500_000, None, "fp32")
    assert loop.batch == (1 if task == "layers" else 2)
    crops = (256, 256) if task == "layers" else (144, 0)
    assert (recipe.data.crop, recipe.data.resize) == crops
    terms = [(t.of, t.kind, t.weight, t.reduction) for t in recipe.loss]
    assert terms == [
        ("embedding", "l2", 1, "sum"),
        ("embedding", "frequency", 0.001, "sum"),
        ("restored", "charbonnier", 0.4 if task == "rescale" else 3, "sum"),
    ]
    assert recipe.config["pictures"] == {"video": 5, "layers": 3, "gray": 1, "rescale": 1}.get(
        task, 2
    )
    assert recipe.config["blocks"] == (16 if task in ("gray", "rescale") else 10)
    assert recipe.config["relation"] is True
    assert recipe.config["out_channels"] == (1 if task == "gray" else 3)
    assert recipe.config["downscale"] == ("squeeze" if task == "rescale" else "none")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("video", 6_805_540), ("gray", 3_455_158), ("rescale", 3_964_022)],
)
def test_official_networks_are_as_large_as_the_authors(name, parameters):
    recipe = read_recipe(f"iicnet-{name}")
    with torch.device("meta"):
        net = build("iicnet", recipe.config)
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == parameters


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_recipe_of_ours(task):
    recipe = recipe_for(task, changes={"loop.minutes": 7, "data.crop": 64})
    assert recipe.task == task
    assert recipe.network == "adaptive"
    assert (recipe.loop.minutes, recipe.data.crop) == (7, 64)


@pytest.mark.parametrize(
    ("task", "pictures", "scale", "name", "taken", "smaller_by"),
    [
        ("video", None, None, "video", 5, 1),
        ("video", 9, None, "video", 9, 1),
        ("video", 9, 1, "video", 9, 1),
        ("video", None, 2, "video-half", 3, 2),
        ("video", 5, 2, "video-half", 5, 2),
        ("hide", None, None, "hide", 2, 1),
        ("hide", 4, None, "hide", 5, 1),
        ("rescale", None, None, "rescale", 1, 2),
        ("rescale", None, 4, "rescale", 1, 4),
        ("mono", None, None, "mono", 2, 1),
        ("dual", None, None, "dual", 2, 1),
        ("layers", None, None, "layers", 3, 1),
        ("gray", None, None, "gray", 1, 1),
        ("davis", 3, None, "video", 3, 1),
        ("flickr", 2, None, "hide", 3, 1),
        ("div2k-sr", None, 4, "rescale", 1, 4),
    ],
)
def test_recipes_are_for_what_was_asked(task, pictures, scale, name, taken, smaller_by):
    recipe = recipe_for(task, pictures=pictures, scale=scale)
    assert recipe.name == name
    assert recipe.pictures == taken
    assert recipe.config["scale"] == smaller_by


@pytest.mark.parametrize("task", [t for t in TASKS if t not in ("video", "hide")])
def test_pictures_are_a_choice_of_few_tasks(task):
    with pytest.raises(UsageError, match=f"{task} has no choice of pictures") as caught:
        recipe_for(task, pictures=2)
    assert "--pictures" in caught.value.hint


@pytest.mark.parametrize("task", [t for t in TASKS if t not in ("video", "rescale")])
def test_a_scale_is_a_choice_of_few_tasks(task):
    with pytest.raises(UsageError, match=f"{task} has no choice of scale") as caught:
        recipe_for(task, scale=2)
    assert "--scale" in caught.value.hint


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("video", {"pictures": 1}),
        ("video", {"pictures": 0}),
        ("video", {"pictures": 99}),
        ("video", {"scale": 3}),
        ("hide", {"pictures": 0}),
        ("rescale", {"scale": 1}),
        ("rescale", {"scale": 3}),
    ],
)
def test_what_no_network_does_is_refused(task, options):
    with pytest.raises(TrainingError, match=r"there is no such network: .*[a-z]"):
        recipe_for(task, **options)


def test_the_paper_s_data_sets_stand_for_their_tasks():
    from iiccli.datasets.catalogue import LAYOUTS

    assert {alias: layout.task for alias, layout in LAYOUTS.items()} == ALIASES
    assert task_of("davis") == ("video", "davis")
    assert task_of("video") == ("video", None)
    with pytest.raises(UsageError, match="no recipe for the task 'vidoe'") as caught:
        task_of("vidoe")
    assert caught.value.hint == "Did you mean video?"


def test_what_ships_is_all_that_must():
    needed = {"hide-1", "hide-2", "hide-4", "mono", "dual", "layers", "gray", "rescale-2"}
    needed |= {"rescale-4", "video-3", "video-5", "video-9", "video-half-3"}
    assert needed <= {name.rsplit(".", 1)[0] for name in shipped()}


def test_what_ships_is_as_its_name_says():
    for name, recipe in shipped().items():
        assert recipe.name == name
        stem, version = name.rsplit(".", 1)
        assert version[0] == "v"
        assert version[1:].isdigit()
        task, _, number = stem.rpartition("-")
        if not task:  # no number in the name
            assert recipe.task == stem
        elif recipe.task == "rescale":
            assert recipe.config["scale"] == int(number)
        else:
            assert recipe.pictures == int(number) + (task == "hide")
            assert recipe.config["scale"] == (2 if task == "video-half" else 1)


def test_models_to_start_from_are_there_before():
    """Made before, in this order, or as an older version."""
    released = {stem(path) for path in models_in(Path(__file__).parents[3] / "models")}
    made = {name.rsplit(".", 1)[0] for name in released - set(shipped())}
    for name, recipe in shipped().items():
        assert not recipe.start or recipe.start in made, name
        made.add(name.rsplit(".", 1)[0])
