"""Dense networks learn both ways: fast ones and the official kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from iiccli.networks.registry import NETWORKS
from iiccli.training import dense
from iiccli.training.embedding import Embedding
from iiccli.training.engine import make_engine
from iiccli.training.footage import Footage, Index, footage_of
from iiccli.training.groups import Groups
from iiccli.training.recipes import Recipe, read_recipe
from iiccli.training.shelf import Entry, Shelf
from iiccli.training.steps import Steps
from iiccli.training.trial import noise, objective_of, try_out
from tests.conftest import texture

CPU = torch.device("cpu")

SMALL: dict[str, Any] = {"data.crop": 32, "loop.batch": 4, "loop.precision": "fp32"}


def small(name: str, **changes: Any) -> Recipe:
    """A recipe with a network that takes no time."""
    own: dict[str, Any] = dict(SMALL)
    if name.startswith("fast"):
        own |= {"config.width": 8, "config.blocks": 1}
    if name.startswith("iicnet"):
        own |= {"config.blocks": 1}
        if "relation_features" not in changes:
            own["config.relation_features"] = 4
    if "layers" in name and name.startswith("iicnet"):
        own["data.resize"] = 32
    return read_recipe(name, {**own, **{k.replace("__", "."): v for k, v in changes.items()}})


DENSE = [
    f"{kind}-{task}"
    for kind in ("fast", "iicnet")
    for task in ("video", "mono", "dual", "layers", "hide", "gray", "rescale")
]


@pytest.mark.parametrize("name", DENSE)
def test_every_recipe_makes_steps_and_says_how_good_they_are(name):
    recipe = small(name)
    engine = make_engine(CPU)
    objective = objective_of(recipe, engine)
    steps = Steps(objective, recipe, engine)
    before = [p.detach().clone() for p in objective.module.parameters()]
    batch = objective.batch(0, range(4))
    assert batch.pictures.shape == (4, recipe.pictures, 3, 32, 32)
    rate, figures = steps.take(batch, 0, 0.5)
    assert rate > 0
    assert figures.keys() == {"loss", "cover_psnr", "restored_psnr"}
    assert all(torch.isfinite(f) for f in figures.values())
    moved = [
        not torch.equal(a, b) for a, b in zip(before, objective.module.parameters(), strict=True)
    ]
    assert sum(moved) > len(moved) // 2


@pytest.mark.parametrize("name", ["fast-rescale", "iicnet-gray"])
def test_learning_lowers_the_loss(name):
    recipe = small(name, optimiser__rate=2e-3, optimiser__warmup=0, optimiser__decay="constant")
    engine = make_engine(CPU)
    objective = objective_of(recipe, engine)
    steps = Steps(objective, recipe, engine)
    smooth = torch.stack([(texture(32, 32, seed) * 255).to(torch.uint8) for seed in range(4)])
    batch = replace(objective.batch(0, range(4)), pictures=smooth[:, None])
    losses = [float(steps.take(batch, n, 0.5)[1]["loss"]) for n in range(9)]
    assert losses[-1] < 0.95 * losses[1]


def test_a_share_of_a_batch_is_what_it_is_in_the_whole():
    recipe = small("iicnet-hide")
    objective = objective_of(recipe, make_engine(CPU))
    whole = objective.batch(3, range(4))
    parts = [objective.batch(3, range(a, a + 2)) for a in (0, 2)]
    assert torch.equal(whole.pictures, torch.cat([p.pictures for p in parts]))
    torch.manual_seed(5)
    with torch.no_grad():
        losses = [objective.loss(objective.module, b)[0] for b in (whole, *parts)]
        again = objective.loss(objective.module, whole)[0]
    assert float(losses[0]) == float(again)  # the noise belongs to the step
    assert float(losses[0]) == pytest.approx(float((losses[1] + losses[2]) / 2), rel=1e-5)


def test_the_noise_differs_from_step_to_step():
    recipe = small("iicnet-hide")
    objective = objective_of(recipe, make_engine(CPU))
    batch = objective.batch(0, range(4))
    other = replace(batch, step=1)
    with torch.no_grad():
        first, second = (objective.loss(objective.module, b)[0] for b in (batch, other))
    assert float(first) != float(second)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("iicnet-gray", (1, 16, 12)), ("iicnet-rescale", (3, 8, 6)), ("fast-video", (3, 16, 12))],
)
def test_what_a_carrier_should_look_like(name, shape):
    recipe = small(name)
    objective = objective_of(recipe, make_engine(CPU))
    x = torch.full((2, recipe.pictures, 3, 16, 12), 0.25)
    x[:, 0] = torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    wanted = objective.wanted(x)
    assert wanted.shape == (2, *shape)
    if shape[0] == 1:
        assert wanted.unique().item() == pytest.approx(round(255 * (0.299 + 0.587 / 2)) / 255)
    else:
        assert wanted[0, :, 3, 3].tolist() == pytest.approx([1, 128 / 255, 0])


def test_validation_is_on_pictures_that_were_kept_out_and_shows_them():
    recipe = small("fast-gray", data__validation=3, data__validated=2)
    pictures = [torch.randint(256, (3, 40, 40), dtype=torch.uint8) for _ in range(6)]
    footage = footage_of(pictures, Index(stills=tuple(range(6))))
    lines: list[str] = []
    objective = dense.prepare(
        recipe, footage, None, make_engine(CPU), init=None, report=lines.append
    )
    assert lines == ["to learn from: 4 photographs", "to validate on: 2 photographs"]
    objective.module.eval()
    figures = objective.validate(objective.module)
    assert figures["cover_psnr"] > 40  # it starts with luma
    assert 5 < figures["restored_psnr"] < 60
    sheet = objective.sheet(objective.module)
    assert sheet is not None
    assert sheet.shape[2] == 3
    assert sheet.dtype.name == "uint8"


def test_with_little_nothing_is_kept_out():
    recipe = small("fast-hide")
    pictures = [torch.randint(256, (3, 40, 40), dtype=torch.uint8) for _ in range(12)]
    footage = footage_of(pictures, Index(stills=tuple(range(12))))
    objective = dense.prepare(
        recipe, footage, None, make_engine(CPU), init=None, report=lambda _: None
    )
    assert objective.validate(objective.module) == {}
    assert objective.sheet(objective.module) is None


def test_pictures_that_find_no_room_are_decoded_in_advance():
    recipe = small("fast-gray")
    decoded = 0

    def read() -> torch.Tensor:
        nonlocal decoded
        decoded += 1
        return torch.full((3, 40, 40), 7, dtype=torch.uint8)

    shelf = Shelf([Entry("x", (3, 40, 40), read)], room=0)
    assert not shelf.whole
    groups = Groups(Footage(shelf, Index(stills=(0,))), dense.wish_of(recipe))
    objective = Embedding(dense.network_of(recipe), recipe, groups, None)
    for step in range(3):
        batch = objective.batch(step, range(4))
        assert batch.step == step
        assert (batch.pictures == 7).all()
    assert 12 <= decoded <= 24


def test_what_a_recipe_costs():
    cost = try_out(small("fast-hide"), make_engine(CPU), steps=2)
    net = dense.network_of(small("fast-hide"))
    assert cost.parameters == sum(p.numel() for p in net.parameters())
    assert cost.seconds > 0
    assert cost.memory >= 0


def test_what_an_adaptive_recipe_costs():
    for task in ("gray", "hide", "video-half"):
        recipe = read_recipe(task, {"config.width": 8, "config.depth": 1, "loop.batch": 2})
        assert try_out(recipe, make_engine(CPU), steps=1).parameters > 100


def test_noise_serves_every_network_and_task():
    assert set(NETWORKS) == {"adaptive", "transform", "iicnet", "fast"}
    footage = noise(small("fast-layers"), CPU)
    assert footage.index.stills
    assert footage.index.cutouts
