from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.errors import UsageError
from iiccli.media.clip import ClipInfo, choose_frames, parse_time
from iiccli.media.timing import constant_rate

TEN = ClipInfo((4, 4), 21, Fraction(10), "video")
UNEVEN = ClipInfo((4, 4), 3, Fraction(3), "animation", (0.1, 0.5, 0.4))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("62.5", 62.5), ("62.5s", 62.5), ("1:02.5", 62.5), ("00:01:02,5", 62.5), ("0", 0.0)),
        *(("1:00:00", 3600.0), (".5", 0.5), ("90", 90.0), (" 7 ", 7.0), ("75:00", 4500.0)),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "1:75", "1:61:00", "1:2:3:4", "1e3", "nan", ":5"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        parse_time(text)


def test_frames_are_spread_from_the_first_to_the_last() -> None:
    assert choose_frames(TEN, 5) == [0, 5, 10, 15, 20]
    assert choose_frames(TEN, 1) == [0]
    assert choose_frames(TEN, 3, start=0.7, end=1.2) == [7, 10, 12]
    assert choose_frames(TEN, 2, start=1.05) == [10, 20]  # frame 10 is on show at 1.05 s
    assert choose_frames(TEN, 2, end=99) == [0, 20]
    assert choose_frames(UNEVEN, 2, start=0.3) == [1, 2]
    assert choose_frames(UNEVEN, 2, end=0.59) == [0, 1]


def test_a_step_takes_frames_that_far_apart() -> None:
    assert choose_frames(TEN, 3, every=1, start=0.5) == [5, 6, 7]
    assert choose_frames(TEN, 3, every=10) == [0, 10, 20]


@given(st.integers(1, 300), st.integers(1, 40))
def test_spread_frames_are_distinct_in_order_and_reach_the_ends(frames: int, count: int) -> None:
    info = ClipInfo((4, 4), frames, Fraction(25), "video")
    if count > frames:
        with pytest.raises(UsageError, match=f"has {frames}"):
            choose_frames(info, count)
        return
    chosen = choose_frames(info, count)
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert count == 1 or chosen[-1] == frames - 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"count": 2, "every": 0},
        {"count": 3, "every": 11},
        {"count": 2, "start": 2.0, "end": 1.0},
        {"count": 1, "start": 2.1},
        {"count": 1, "start": -1.0},
        {"count": 1, "start": float("nan")},
        {"count": 3, "start": 1.0, "end": 1.1},
    ],
)
def test_what_cannot_be_chosen_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        choose_frames(TEN, **wrong)  # type: ignore[arg-type]


def test_uneven_durations_become_repeats_at_a_constant_rate() -> None:
    assert constant_rate([0.1, 0.3, 0.2]) == (Fraction(10), [1, 3, 2])
    rate, repeats = constant_rate([0.033, 0.101, 1.0])
    assert rate == 60
    assert sum(repeats) / rate == pytest.approx(1.134, abs=1 / 60)
