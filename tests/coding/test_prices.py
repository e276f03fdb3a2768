"""Prices of vectors are what writing them takes, however they stand."""

import numpy as np
import pytest

from iiccli.coding.prices import VectorPrices, lattices
from iiccli.coding.vectors import write_vectors

ROWS, COLUMNS = np.array([0, 8, 16]), np.array([0, 8])
SHAPE = (19, 21)


def field(seed: int, spread: float = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = random.normal(0, spread, (2, *SHAPE)) + random.normal(0, 40, (2, 1, 1))
    found[:, 8:16, 8:] = 0  # a still block
    found[0, :8, :8] = 0  # half a one
    return np.rint(found).astype(np.int32)


def written(vectors: np.ndarray) -> np.ndarray:
    """Bits of each block, as they are written."""
    parts = np.array_split(vectors, ROWS[1:], 1)
    return np.array(
        [
            [
                len(write_vectors(part.astype(np.int16)))
                for part in np.array_split(p, COLUMNS[1:], 2)
            ]
            for p in parts
        ]
    )


@pytest.fixture(scope="module")
def prices() -> VectorPrices:
    return VectorPrices(ROWS, COLUMNS, SHAPE)


@pytest.mark.parametrize("spread", [0.3, 6, 200])
def test_blocks_take_what_is_written(prices, spread):
    vectors = field(1, spread)
    rice, bits = prices.rice(vectors)
    assert (bits == written(vectors)).all()
    assert rice.shape == vectors.shape
    assert (prices.over(bits)[:8, :8] == bits[0, 0]).all()


@pytest.mark.parametrize("lattice", list(lattices()))
def test_what_a_vector_changes_is_counted_whole(prices, lattice):
    """Where one vector is another, bits with the same parameters differ as `around` says."""
    vectors, other = field(1), field(2)
    rice, _ = prices.rice(vectors)
    own = (slice(lattice[0], None, 2), slice(lattice[1], None, 2))
    candidates = np.stack((vectors, other))[(..., *own)]
    before, after = prices.around(vectors, candidates, lattice, rice)

    def whole(values: np.ndarray) -> int:
        rests = values - prices.guesses(values)
        natural = np.where(rests < 0, -2 * rests - 1, 2 * rests)
        return int(((natural >> rice) + rice + 1).sum())

    for y, x in ((0, 0), (3, 3), (4, 3), (after.shape[0] - 1, after.shape[1] - 1)):
        changed = vectors.copy()
        place = lattice[0] + 2 * y, lattice[1] + 2 * x
        changed[(slice(None), *place)] = other[(slice(None), *place)]
        assert after[y, x] - before[y, x] == whole(changed) - whole(vectors)


def test_lattices_are_everywhere_once():
    seen = np.zeros(SHAPE, int)
    for row, column in lattices():
        seen[row::2, column::2] += 1
    assert (seen == 1).all()


def test_one_vector_alone():
    prices = VectorPrices(np.array([0]), np.array([0]), (1, 1))
    one = np.full((2, 1, 1), -5, np.int32)
    rice, bits = prices.rice(one)
    assert bits == len(write_vectors(one.astype(np.int16)))
    (cost,) = prices.around(one, one[None], (0, 0), rice)
    assert cost == bits - 8
    assert prices.around(one, one[None][..., 1:, :], (1, 0), rice).shape == (1, 0, 1)
