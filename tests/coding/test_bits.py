"""Whole numbers to bits and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.coding.bits import Packed, Reader, Writer, checksum, from_symbols, put, to_symbols

FIELDS = st.lists(
    st.integers(0, 25).flatmap(
        lambda width: st.tuples(st.integers(0, 2**width - 1), st.just(width))
    ),
    max_size=40,
)


def arrays(fields: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, widths and first bits of fields that stand one after the other."""
    values = np.array([v for v, _ in fields], np.int64)
    widths = np.array([w for _, w in fields], np.int64)
    return values, widths, np.cumsum(widths) - widths


@given(FIELDS, st.integers(0, 9))
def test_get_reads_what_put_wrote_and_put_touches_nothing_else(fields, gap):
    values, widths, starts = arrays(fields)
    starts = starts + gap * np.arange(1, len(fields) + 1)
    size = int(widths.sum()) + gap * (len(fields) + 1)
    bits = np.full(size, 7, np.uint8)
    put(bits, starts, values, widths)
    assert (Packed(bits).get(starts, widths) == values).all()
    assert (bits == 7).sum() == size - widths.sum()


def test_the_most_significant_bit_comes_first():
    bits = np.zeros(4, np.uint8)
    put(bits, np.array([1]), np.array([4]), np.array([3]))
    assert bits.tolist() == [0, 1, 0, 0]


def test_get_takes_bits_past_the_end_for_zeros():
    bits = np.ones(3, np.uint8)
    read = Packed(bits).get(np.array([1, 2, 3, 900]), np.array([4, 2, 5, 8]))
    assert read.tolist() == [0b1100, 0b10, 0, 0]


@given(FIELDS)
def test_a_reader_reads_what_a_writer_wrote(fields):
    writer = Writer()
    for value, width in fields:
        writer.add(value, width)
    bits = writer.bits()
    assert len(bits) == sum(width for _, width in fields)
    reader = Reader(bits)
    assert [reader.take(width) for _, width in fields] == [value for value, _ in fields]
    assert reader.position == len(bits)
    assert reader.take(9) == 0


@given(st.lists(st.integers(0, 31), max_size=30), st.integers(0, 7))
def test_many_fields_of_equal_width_are_single_fields_in_a_row(values, lead):
    together, apart = Writer(), Writer()
    for writer in (together, apart):
        writer.add(0, lead)
    together.extend(np.array(values, np.int64), 5)
    for value in values:
        apart.add(value, 5)
    assert (together.bits() == apart.bits()).all()
    assert Reader(together.bits(), lead).take_many(len(values), 5).tolist() == values


def test_a_reader_fills_a_field_that_is_cut_off_with_zeros():
    reader = Reader(np.ones(5, np.uint8), 3)
    assert reader.take_many(2, 3).tolist() == [0b110, 0]
    assert reader.position == 9


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_symbols_round_trip_and_stay_in_range(seed, count):
    random = np.random.default_rng(seed)
    widths = random.integers(1, 9, count)
    bits = random.integers(0, 2, int(widths.sum()), np.uint8)
    numbers = to_symbols(bits, widths)
    assert ((numbers >= 0) & (numbers < 2**widths)).all()
    assert (from_symbols(numbers, widths) == bits).all()


@pytest.mark.parametrize("width", range(1, 9))
def test_neighbouring_symbols_differ_in_one_bit_also_around_the_end(width):
    numbers = np.arange(2**width)
    bits = from_symbols(numbers, np.full(2**width, width)).reshape(-1, width)
    assert len(np.unique(bits, axis=0)) == 2**width
    assert (np.abs(bits.astype(int) - np.roll(bits, 1, axis=0)).sum(1) == 1).all()


def test_no_symbols_are_no_bits():
    nothing = np.zeros(0, np.int64)
    assert len(to_symbols(np.zeros(0, np.uint8), nothing)) == 0
    assert len(from_symbols(nothing, nothing)) == 0


def test_the_checksum_is_sixteen_bits_and_sees_every_bit_of_every_run():
    random = np.random.default_rng(0)
    runs = [random.integers(0, 2, n, np.uint8) for n in (36, 0, 91)]
    whole = checksum(*runs)
    assert 0 <= whole < 2**16
    for run in runs:
        for place in range(len(run)):
            run[place] ^= 1
            assert checksum(*runs) != whole
            run[place] ^= 1
    assert checksum(*runs) == whole
