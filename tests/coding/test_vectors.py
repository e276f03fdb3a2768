"""Motion vectors as bits: exact, short where they are smooth, and safe against damage."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iiccli.coding.vectors import read_vectors, write_vectors


def vectors_of(seed: int, shape: tuple[int, int, int], spread: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.normal(0, spread, shape) + random.normal(0, 300, (shape[0], 1, 1))
    values[random.random(shape[0]) < 0.3] = 0
    return np.clip(np.rint(values), -2047, 2047).astype(np.int16)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 5), st.integers(1, 17), st.integers(1, 17)),
    st.sampled_from([0, 1, 30, 3000]),
)
@example(0, (2, 1, 1), 3000)
@example(1, (8, 16, 16), 3000)
def test_what_is_written_is_read(seed, shape, spread):
    values = vectors_of(seed, shape, spread)
    bits = write_vectors(values)
    after = np.random.default_rng(seed).integers(0, 2, 50).astype(np.uint8)
    back, taken = read_vectors(np.concatenate((bits, after)), shape)
    assert back.dtype == np.int16
    assert (back == values).all()
    assert taken == len(bits)
    assert (read_vectors(bits, shape)[0] == values).all()


@pytest.mark.parametrize(("low", "high"), [(-2047, 2047), (2047, 2047), (-2047, -2047)])
def test_the_largest_numbers_survive(low, high):
    values = np.where(np.add.outer(np.arange(9), np.arange(7)) % 2, low, high).astype(np.int16)
    bits = write_vectors(values[None])
    assert (read_vectors(bits, (1, 9, 7))[0] == values).all()


def test_still_groups_cost_four_bits_and_smooth_ones_little():
    assert len(write_vectors(np.zeros((6, 8, 8), np.int16))) == 24
    same = np.full((1, 8, 8), 37, np.int16)
    assert len(write_vectors(same)) < 64 + 80
    noise = np.random.default_rng(0).normal(0, 200, (1, 8, 8)).astype(np.int16)
    assert 64 * 7 < len(write_vectors(noise)) < 64 * 13


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 600),
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)
def test_garbage_gives_numbers_in_range(seed, size, shape, share):
    bits = (np.random.default_rng(seed).random(size) < share).astype(np.uint8)
    back, taken = read_vectors(bits, shape)
    assert back.shape == shape
    assert np.abs(back).max() <= 2047
    assert taken >= 4 * shape[0]
