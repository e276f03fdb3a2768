"""The search for a level: it fits, hardly anything is left over, and few trials are made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.inference.adaptive.levels import FALL, FINEST, LEVEL_HIGH, search


class Rate:
    """Bits that fall with the level, and how often they were asked for."""

    def __init__(self, bits: float, fall: float = FALL, fixed: float = 0.0) -> None:
        self.bits, self.fall, self.fixed, self.asked = bits, fall, fixed, 0

    def __call__(self, level: int) -> float:
        self.asked += 1
        return self.bits * np.exp(-self.fall * (level - FINEST)) + self.fixed


@given(
    bits=st.floats(1e3, 1e8),
    fall=st.floats(0.0008, 0.004),
    fixed=st.floats(0, 500),
    guess=st.none() | st.integers(FINEST - 500, LEVEL_HIGH + 500),
)
def test_it_is_the_finest_that_fits(bits, fall, fixed, guess):
    room = 1e5
    rate = Rate(bits, fall, fixed)
    level, found = search(rate, room, guess, 1.0)
    assert found > 0
    if rate(LEVEL_HIGH) > room:
        assert level is None
        return
    assert level is not None and rate(level) <= room
    assert level == FINEST or rate(level - 1) > 0.998 * room


@given(bits=st.floats(1e5, 1e8), guess=st.none() | st.integers(FINEST, LEVEL_HIGH))
def test_few_trials_suffice(bits, guess):
    rate = Rate(bits)
    level, _ = search(rate, 1e5, guess, 0.985)
    assert level is not None
    assert 0.985e5 <= rate(level) <= 1e5
    assert rate.asked <= 5  # the last is ours


def test_where_the_rate_falls_steeply_at_first():
    """As of frames that are all but the same: nothing is left until the carrier's error shows."""
    asked = []

    def rate(level: int) -> float:
        asked.append(level)
        return 1e6 * (np.exp(-0.02 * (level + 1500)) + 0.1 * np.exp(-0.002 * (level + 1500)))

    level, _ = search(rate, 3e6, -1300, 0.985)
    assert level is not None
    assert 0.985 * 3e6 <= rate(level) <= 3e6
    assert len(asked) <= 7  # the last is ours


def test_a_guess_and_the_fall_there_take_two_trials():
    rate = Rate(1e6, 0.003)
    goal = round(FINEST + np.log(10) / 0.003)
    level, _ = search(rate, 1e5, goal - 15, 0.9985, 0.003)
    assert rate.asked == 2 and level == pytest.approx(goal, abs=1)


@pytest.mark.parametrize("room", [-5.0, 0.0, 50.0])
def test_where_nothing_fits_there_is_no_level(room):
    assert search(Rate(1e6, fixed=100), room, None, 0.985)[0] is None


def test_more_room_than_is_of_use_takes_the_finest():
    assert search(Rate(10), 1e9, None, 0.985)[0] == FINEST


def test_a_rate_that_never_changes_ends_the_search():
    assert search(lambda level: 10.0, 100.0, None, 0.985)[0] == FINEST
    assert search(lambda level: 200.0, 100.0, None, 0.985)[0] is None
