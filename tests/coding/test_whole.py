"""All samples of a carrier as bytes."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.coding.whole import Whole


@pytest.mark.parametrize("moduli", [(2, 2, 2), (3, 3, 3), (4, 4, 8), (8, 8, 8), (3, 4, 3)])
def test_bytes_come_back(moduli: tuple[int, int, int]) -> None:
    free = np.random.default_rng(1).random((23, 31, 3)) > 0.1
    whole = Whole(free, moduli)
    content = np.random.default_rng(0).bytes(whole.size)
    numbers, used = whole.write(content)
    assert not used[~free].any()
    assert (numbers < np.array(moduli)).all()
    assert whole.read(numbers) == content
    noise = np.random.default_rng(2).integers(0, 2, numbers.shape)  # what is not used may be any
    assert whole.read(np.where(used, numbers, noise)) == content


def test_nearly_all_of_the_capacity_is_used() -> None:
    free = np.ones((60, 80, 3), bool)
    for q in (2, 3, 4, 8):
        bits = 60 * 80 * 3 * np.log2(q)
        assert 0.995 * bits < 8 * Whole(free, (q, q, q)).size <= bits


def test_rows_say_where_a_byte_is() -> None:
    free = np.random.default_rng(1).random((12, 40, 3)) > 0.2
    for moduli in ((4, 4, 4), (3, 3, 3), (4, 4, 8)):
        whole = Whole(free, moduli)
        assert len(whole.rows) == whole.size
        before, _ = whole.write(bytes(whole.size))
        for place in range(0, whole.size, 37):
            content = bytearray(whole.size)
            content[place] = 0xFF
            numbers, _ = whole.write(bytes(content))
            rows = np.flatnonzero((numbers != before).any(axis=(1, 2)))
            # A group of digits, and so a byte, may go on in the row below.
            assert whole.rows[place] <= rows.min() <= rows.max() <= whole.rows[place] + 1


def test_no_room() -> None:
    assert Whole(np.zeros((4, 4, 3), bool), (4, 4, 4)).size == 0
