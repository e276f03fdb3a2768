"""Bits as digits of any modulus: nothing is lost, and little room is wasted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.coding.digits import capacity, from_digits, grouping, to_digits


@pytest.mark.parametrize("q", range(2, 257))
def test_a_group_of_digits_holds_its_bits_and_wastes_little(q):
    digits, bits = grouping(q)
    assert 2**bits <= q**digits < 2**63
    share = bits / digits / math.log2(q)
    assert share == 1 if q & (q - 1) == 0 else share > 0.97


@pytest.mark.parametrize("q", [0, 1, 257])
def test_no_other_modulus(q):
    with pytest.raises(ValueError, match=str(q)):
        grouping(q)


@given(st.integers(2, 64), st.integers(0, 200), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(q, count, seed):
    bits = np.random.default_rng(seed).integers(0, 2, capacity(count, q)).astype(np.uint8)
    numbers = to_digits(bits, count, q)
    assert numbers.shape == (count,)
    assert ((numbers >= 0) & (numbers < q)).all()
    back = from_digits(numbers, q)
    assert back.dtype == np.uint8
    assert (back == bits).all()


@pytest.mark.parametrize("q", [2, 3, 4, 5, 7, 10, 63, 64])
def test_the_largest_number_of_a_group_survives(q):
    digits, width = grouping(q)
    bits = np.ones(3 * width, np.uint8)
    assert (from_digits(to_digits(bits, 3 * digits, q), q) == 1).all()


def test_twelve_digits_of_three_hold_nineteen_bits():
    """The order of digits and bits is part of the carrier format."""
    assert grouping(3) == (12, 19)
    assert capacity(25, 3) == 2 * 19
    bits = np.zeros(19, np.uint8)
    bits[-4:] = (1, 0, 1, 1)  # eleven is 2 + 0 · 3 + 1 · 9
    assert to_digits(bits, 14, 3).tolist() == [2, 0, 1] + 11 * [0]


@given(st.integers(2, 64), st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_any_digits_are_some_bits(q, count, seed):
    numbers = np.random.default_rng(seed).integers(0, q, count)
    bits = from_digits(numbers, q)
    assert bits.shape == (capacity(count, q),)
    assert set(bits.tolist()) <= {0, 1}


def test_a_wrong_digit_harms_its_own_group_alone():
    bits = np.random.default_rng(0).integers(0, 2, capacity(60, 3)).astype(np.uint8)
    numbers = to_digits(bits, 60, 3)
    numbers[30] = (numbers[30] + 1) % 3
    wrong = np.flatnonzero(from_digits(numbers, 3) != bits)
    assert len(wrong)
    assert set(wrong // 19) == {2}
