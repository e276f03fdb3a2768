"""Rounding by cost."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.coding.coefficients import LARGEST, CoefficientCoder
from iiccli.coding.contexts import CLASSES, UNIT
from iiccli.coding.rounding import PRICE, thresholds
from tests.coding.test_coefficients import coder_of, tables_of

CENTRES = np.zeros((CLASSES, 4), np.float32)


def coefficients(coder: CoefficientCoder, seed: int = 0) -> np.ndarray:
    own = coder.tables
    shape = (own.cell**2, own.ranks, coder.grid.cells)
    size = 2.0 ** (own.scales / UNIT)
    z = np.random.default_rng(seed).laplace(size=shape) * size[..., None]
    return coder.ordered(np.abs(z).astype(np.float32))


def test_where_more_costs_nothing_it_is_the_middle() -> None:
    found = thresholds(tables_of(), CENTRES)
    assert found.shape[0] == CLASSES
    large = found[-1]  # symbols of many magnitudes each
    assert np.isclose(large, 0.5).mean() > 0.7
    assert ((found >= 0.4) & (found <= 1)).all()


def test_quiet_surroundings_ask_for_more_than_busy_ones() -> None:
    found = thresholds(tables_of(), CENTRES)
    assert found[0, 0] > found[20, 0] + 0.05


def test_centres_move_the_borders() -> None:
    centres = CENTRES.copy()
    centres[:, 1:] = -0.1
    moved = thresholds(tables_of(), centres) - thresholds(tables_of(), CENTRES)
    assert moved[:, 3].max() < -0.05


def test_it_is_worth_it() -> None:
    own = coder_of(96, 96)
    values = coefficients(own)
    level = -3 * UNIT
    x = np.minimum(values * np.float32(2 ** (-level / UNIT)), np.float32(LARGEST - 1))
    by_cost, rates = own.rounded(x, level, thresholds(own.tables, CENTRES))
    alike = (x + np.float32(0.38)).astype(np.int32)

    def total(q: np.ndarray) -> float:
        return float(((x - q) ** 2).sum() + PRICE * own.rate_of(q, level).sum())

    assert total(by_cost) < total(alike)
    assert total(by_cost) < total((x + np.float32(0.5)).astype(np.int32))
    assert (np.abs(by_cost - x) <= 1).all()
    assert by_cost.min() == 0
    assert rates == pytest.approx(own.rate_of(by_cost, level), rel=0.005)
