"""The band of rows between decoding and enhancing."""

from __future__ import annotations

import numpy as np

from iiccli.coding.layout import Span
from iiccli.inference.adaptive.decoded import Decoded, Rows


def test_rows_that_are_kept_stay_while_others_come_and_go():
    rows = Rows((2, 10, 3), np.int16)
    whole = np.arange(60, dtype=np.int16).reshape(2, 10, 3)
    rows.advance(0, 4)
    rows.part(Span(0, 4, 0, 3))[:] = whole[:, :4]
    rows.advance(2, 7)
    rows.part(Span(4, 7, 0, 3))[:] = whole[:, 4:7]
    assert (rows.top, rows.bottom) == (2, 7)
    assert np.array_equal(rows.part(Span(2, 7, 1, 3)), whole[:, 2:7, 1:])


def test_nothing_is_held_beyond_the_end():
    rows = Rows((1, 10, 3), np.int16)
    rows.advance(0, 99)
    assert rows.bottom == 10


def test_a_cell_that_begins_above_the_band_is_held():
    decoded = Decoded(3, (1, 2), (4, 5), 8)
    decoded.advance(0, 16)
    decoded.side.part(Span(0, 2, 0, 5))[:] = 1
    decoded.advance(12, 32)
    assert (decoded.planes.top, decoded.side.top) == (12, 1)
    assert (decoded.side.part(Span(1, 2, 0, 5)) == 1).all()
    assert decoded.side.bottom == 4
