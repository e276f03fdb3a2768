"""Groups of small numbers near one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.coding.bits import Reader, Writer
from iiccli.coding.side import read_group, write_group

RANGES = st.sampled_from([(-20, 5), (-2048, 12), (0, 1), (-3, 8)])


@st.composite
def groups(draw):
    low, bits = draw(RANGES)
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    floor = draw(st.integers(low, low + 2**bits - 1))
    top = draw(st.integers(floor, low + 2**bits - 1))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    return random.integers(floor, top + 1, shape).astype(np.int16), low, bits


@given(groups(), st.integers(0, 5))
def test_a_group_reads_as_it_was_written(group, lead):
    values, low, bits = group
    writer = Writer()
    writer.add(0, lead)
    write_group(writer, values, low, bits)
    stream = writer.bits()
    reader = Reader(stream, lead)
    read = read_group(reader, values.shape, low, bits)
    assert read.dtype == np.int16
    assert (read == values).all()
    assert reader.position == len(stream)


@given(RANGES, st.integers(0, 2**32 - 1), st.integers(0, 400), st.integers(-10, 500))
def test_noise_reads_as_numbers_in_range(limits, seed, length, start):
    low, bits = limits
    stream = np.random.default_rng(seed).integers(0, 2, length, np.uint8)
    reader = Reader(stream, max(start, 0))
    read = read_group(reader, (4, 8), low, bits)
    assert read.shape == (4, 8)
    assert read.min() >= low
    assert read.max() <= low + 2**bits - 1
    # Damage must not make a block claim more bits than the longest that can be written.
    assert reader.position - max(start, 0) <= bits + (bits + 1).bit_length() + 32 * bits


@pytest.mark.parametrize(("low", "bits"), [(-20, 5), (-2048, 12)])
def test_equal_numbers_cost_only_their_value(low, bits):
    writer = Writer()
    write_group(writer, np.full((8, 8), low + 3, np.int16), low, bits)
    assert len(writer.bits()) == bits + (bits + 1).bit_length()


def test_the_whole_range_fits():
    writer = Writer()
    values = np.array([-2048, 2047], np.int16)
    write_group(writer, values, -2048, 12)
    assert (read_group(Reader(writer.bits()), (2,), -2048, 12) == values).all()
