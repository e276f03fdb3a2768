"""Uniform numbers mod q."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from iiccli.locking import uniform as module
from iiccli.locking.uniform import uniform


def stream_of(data: bytes) -> Callable[[int], bytes]:
    place = 0

    def take(count: int) -> bytes:
        nonlocal place
        place += count
        assert place <= len(data)
        return data[place - count : place]

    return take


@pytest.mark.parametrize("q", [2, 3, 4, 5, 7, 8, 64, 100, 255, 256])
def test_every_number_is_as_frequent(q: int) -> None:
    noise = np.random.default_rng(q).bytes(1_000_000)
    numbers = uniform(stream_of(noise), 400_000, q)
    counts = np.bincount(numbers, minlength=q)
    expected = 400_000 / q
    assert len(counts) == q
    # chi squared, far out in its tail
    assert ((counts - expected) ** 2 / expected).sum() < q + 6 * np.sqrt(2 * q)


def test_rejected_bytes_are_passed_over() -> None:
    # Of 0..255 all but 255 make whole runs of 0..2.
    assert uniform(stream_of(bytes([255, 4, 255, 255, 2, 0])), 3, 3).tolist() == [1, 2, 0]


def test_how_much_is_drawn_at_once_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).bytes(5000)
    whole = uniform(stream_of(noise), 2000, 100)
    monkeypatch.setattr(module, "_DRAW", 7)
    assert (uniform(stream_of(noise), 2000, 100) == whole).all()
