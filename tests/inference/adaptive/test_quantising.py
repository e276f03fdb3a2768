"""Trials at several levels: what is rounded, and what it is said to take."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.coding.coefficients import CoefficientCoder
from iiccli.coding.contexts import UNIT
from iiccli.coding.rounding import thresholds
from iiccli.inference.adaptive.quantising import Trials, quantise
from tests.coding.test_rounding import CENTRES, coder_of, coefficients

LEVEL = -4 * UNIT


@pytest.fixture
def coder() -> CoefficientCoder:
    return coder_of(96, 96)


def trials_of(coder: CoefficientCoder, by_cost: bool) -> tuple[Trials, np.ndarray]:
    values = coefficients(coder)
    values[1::2] *= -1
    border = thresholds(coder.tables, CENTRES) if by_cost else None
    return Trials(coder, values.copy(), border), values


def test_all_alike_is_what_quantise_gives(coder):
    trials, values = trials_of(coder, by_cost=False)
    assert np.array_equal(trials.quantised(LEVEL), quantise(values, LEVEL))
    assert trials.excess_at(LEVEL) is None


def test_signs_are_those_of_the_values(coder):
    trials, values = trials_of(coder, by_cost=True)
    trials.rate(LEVEL)
    whole = trials.quantised(LEVEL)
    assert (whole * values >= 0).all() and (whole < 0).any()


@pytest.mark.parametrize("before", [LEVEL, LEVEL + 40])
def test_what_was_tried_before_does_not_matter(coder, before):
    fresh = trials_of(coder, by_cost=True)[0].quantised(LEVEL).copy()
    trials, _ = trials_of(coder, by_cost=True)
    trials.rate(before)
    assert np.array_equal(trials.quantised(LEVEL), fresh)
    assert np.array_equal(trials.quantised(LEVEL), fresh)


def test_the_quick_rate_is_nearly_the_right_one(coder):
    trials, _ = trials_of(coder, by_cost=True)
    right = trials.rate(LEVEL)
    trials.excess = trials.excess_at(LEVEL)
    quick = trials.rate(LEVEL)
    assert trials.excess is not None
    assert quick.sum() == pytest.approx(right.sum(), rel=1e-9)
    assert quick == pytest.approx(right, rel=0.01)
