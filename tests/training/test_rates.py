"""The learning rate over the budget."""

import numpy as np
import pytest
import torch

from iiccli.training.rates import factor_at
from iiccli.training.recipes import Optimiser, read_recipe

SHARES = np.linspace(0, 1, 101).tolist()


def test_a_cosine_falls_to_one_per_cent():
    optimiser = Optimiser(decay="cosine", warmup=0)
    values = [factor_at(share, optimiser) for share in SHARES]
    assert values == pytest.approx([0.01 + 0.99 * (1 + np.cos(np.pi * s)) / 2 for s in SHARES])
    assert (values[0], values[-1]) == (1, pytest.approx(0.01))


def test_it_rises_from_one_per_cent_before_it_falls():
    for decay in ("cosine", "constant", "multi-step"):
        optimiser = Optimiser(decay=decay, warmup=0.2)
        assert factor_at(0, optimiser) == 0.01
        assert factor_at(0.1, optimiser) == pytest.approx(0.5)
        assert factor_at(0.2, optimiser) == 1
    half = factor_at(0.6, Optimiser(decay="cosine", warmup=0.2))
    assert half == pytest.approx(0.01 + 0.99 / 2)


def test_a_constant_rate_stays():
    assert {factor_at(s, Optimiser(decay="constant", warmup=0)) for s in SHARES} == {1.0}


@pytest.mark.parametrize("name", ["iicnet-video", "iicnet-layers"])
def test_the_official_rate(name):
    """Halved at 100k, 200k, 300k and 400k of 500k iterations, as torch's own schedule does it."""
    recipe = read_recipe(name)
    weight = torch.nn.Parameter(torch.zeros(1))
    theirs = torch.optim.Adam([weight], lr=2e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(theirs, [100, 200, 300, 400], 0.5)
    for thousand in range(500):
        ours = recipe.optimiser.rate * factor_at(
            1000 * thousand / recipe.loop.steps, recipe.optimiser
        )
        assert ours == pytest.approx(schedule.get_last_lr()[0]), thousand
        theirs.step()
        schedule.step()


def test_a_milestone_counts_from_the_step_that_it_names():
    optimiser = read_recipe("iicnet-video").optimiser
    for number, milestone in enumerate((100_000, 200_000, 300_000, 400_000)):
        before, after = (
            factor_at(step / 500_000, optimiser) for step in (milestone - 1, milestone)
        )
        assert (before, after) == (0.5**number, 0.5 ** (number + 1))
