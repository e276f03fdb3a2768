"""Mirrored and transposed pictures."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
import torch

from iiccli.training.chance import Chance
from iiccli.training.recipes.schema import Turns
from iiccli.training.turning import turn_of, turned

X = torch.arange(2 * 3 * 5).view(2, 3, 5)
NUMPY = X.numpy()
WAYS = {
    "none": [NUMPY],
    "vertical": [NUMPY, NUMPY[:, ::-1]],
    "flips": [NUMPY[:, ::a, ::b] for a, b in product((1, -1), repeat=2)],
    "all": [
        np.swapaxes(NUMPY[:, ::a, ::b], 1, 2) if t else NUMPY[:, ::a, ::b]
        for a, b, t in product((1, -1), (1, -1), (False, True))
    ],
}


def test_all_kinds_are_here():
    assert set(WAYS) == set(get_args(Turns))


@pytest.mark.parametrize("kind", WAYS)
def test_all_ways_that_are_allowed_and_no_others(kind):
    found = {
        (t.shape, tuple(t.flatten().tolist()))
        for n in range(120)
        for t in [turned(X, turn_of(kind, Chance(0, n)))]
    }
    assert found == {(way.shape, tuple(way.ravel().tolist())) for way in WAYS[kind]}


def test_ways_are_equally_likely():
    ways = [turn_of("all", Chance(7, n)) for n in range(800)]
    assert all(60 < ways.count(way) < 145 for way in product((False, True), repeat=3))


def test_whole_groups_are_turned_alike():
    group = torch.rand(4, 3, 6, 6)
    for turn in product((False, True), repeat=3):
        assert torch.equal(turned(group, turn)[2], turned(group[2], turn))
