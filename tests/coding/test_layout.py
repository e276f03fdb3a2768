"""Every pixel has its block, every cell its place, whatever the picture's size."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iiccli.coding import layout
from iiccli.coding.layout import BLOCK, REGION, Span, regions

SIDES = st.one_of(
    st.integers(1, 3000),
    st.sampled_from([n * BLOCK + d for n in (1, 2, 16, 17, 32, 33) for d in (-1, 0, 1)]),
)


def along(height: int, width: int, cell: int) -> None:
    """Check one picture; grids are kept in units of cells to stay fast."""
    cells = np.zeros((-(-height // cell), -(-width // cell)), np.int64)
    covered = 0
    before = (-1, -1)
    for region in regions(height, width, cell):
        assert (region.pixels.top, region.pixels.left) > before
        before = region.pixels.top, region.pixels.left
        rows, columns = region.cells.shape
        assert sorted(region.cell_order().tolist()) == list(range(rows * columns))
        own = np.zeros((rows, columns), np.int64)
        for block in region.blocks:
            covered += block.pixels.shape[0] * block.pixels.shape[1]
            check_inside(block.pixels, region.pixels)
            own[block.cells.slices] += 1
            for side, length in zip(block.pixels.shape, (height, width), strict=True):
                assert min(BLOCK, length) <= side < 2 * BLOCK
            # The block's cells are those that its pixels lie in: it starts on a cell's border
            # and ends on one or at the picture's.
            assert block.pixels.top == (region.cells.top + block.cells.top) * cell
            assert block.pixels.left == (region.cells.left + block.cells.left) * cell
            assert block.pixels.bottom == min(
                (region.cells.top + block.cells.bottom) * cell, height
            )
            assert block.pixels.right == min((region.cells.left + block.cells.right) * cell, width)
        assert (own == 1).all()
        cells[region.cells.slices] += 1
        assert max(region.pixels.shape) < (REGION + 1) * BLOCK
    assert (cells == 1).all()  # so blocks do not overlap, and
    assert covered == height * width  # nothing is left out


def check_inside(inner: Span, outer: Span) -> None:
    assert outer.top <= inner.top < inner.bottom <= outer.bottom
    assert outer.left <= inner.left < inner.right <= outer.right


@given(SIDES, SIDES, st.sampled_from([4, 8, 16, 32, 64]))
@example(1, 1, 16)
@example(1, 3000, 16)
@example(5, 300, 16)
@example(1088, 1087, 8)
def test_a_picture_is_cut_without_gap_or_overlap(height, width, cell):
    along(height, width, cell)


def test_cell_order_goes_block_by_block():
    (region,) = regions(64, 200, 16)
    assert [b.pixels.shape for b in region.blocks] == [(64, 64), (64, 64), (64, 72)]
    order = region.cell_order()
    assert order[:8].tolist() == [0, 1, 2, 3, 13, 14, 15, 16]
    assert order[16:20].tolist() == [4, 5, 6, 7]
    assert order[-1] == 4 * 13 - 1


@pytest.mark.parametrize(("blocks", "parts"), [(16, 1), (17, 2), (32, 2), (33, 3)])
def test_regions_are_as_few_as_may_be_and_even(blocks, parts):
    widths = [r.pixels.shape[1] // BLOCK for r in regions(64, blocks * BLOCK, 16)]
    assert len(widths) == parts
    assert sum(widths) == blocks
    assert max(widths) - min(widths) <= 1


def test_the_size_of_regions_is_the_modules_constant(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layout, "REGION", 1)
    assert len(list(regions(200, 140, 16))) == 6
