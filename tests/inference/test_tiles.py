"""Tiles cover a picture once and see as far as they must."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.inference.tiles import tiles


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(1, 300),
    st.integers(0, 40),
    st.sampled_from([1, 2, 16]),
)
def test_inner_parts_cover_everything_once_and_outer_parts_reach_beyond(
    rows, columns, size, overlap, multiple
):
    height, width = rows * multiple, columns * multiple
    size = max(size, max(height, width) // 8)  # a few dozen tiles are enough
    covered = np.zeros((height, width), np.int64)
    for tile in tiles(height, width, size, overlap, multiple):
        covered[tile.target] += 1
        assert all(n % multiple == 0 for n in (*tile.outer, *tile.inner))
        for start, stop, inner_start, inner_stop, length in (
            (*tile.outer[:2], *tile.inner[:2], height),
            (*tile.outer[2:], *tile.inner[2:], width),
        ):
            assert 0 < inner_stop - inner_start <= max(size, multiple) + multiple
            assert start <= max(0, inner_start - overlap)
            assert stop >= min(length, inner_stop + overlap)
            assert 0 <= start < stop <= length
    assert (covered == 1).all()


@pytest.mark.parametrize("size", [1, 7, 16, 1000])
def test_source_kept_and_target_belong_together(size):
    picture = np.arange(48 * 32).reshape(48, 32)
    result = np.zeros_like(picture)
    for tile in tiles(48, 32, size, 5, 2):
        result[tile.target] = picture[tile.source][tile.kept]
    assert (result == picture).all()


def test_a_large_tile_is_the_whole_picture():
    (tile,) = tiles(48, 32, 48, 10, 2)
    assert tile.outer == tile.inner == (0, 48, 0, 32)
