"""Chance by number."""

import pytest
import torch

from iiccli.training.chance import Chance

SEVEN = "abcdefg"


def test_the_same_number_has_the_same_chance():
    first, again = (Chance(3, 8) for _ in range(2))
    assert [first.below(1000) for _ in range(5)] == [again.below(1000) for _ in range(5)]
    assert torch.equal(
        torch.rand(3, generator=first.generator), torch.rand(3, generator=again.generator)
    )
    assert Chance(3, 8).pick(SEVEN, 2) == Chance(3, 8).pick(SEVEN, 2)


def test_chance_does_not_depend_on_what_was_drawn_before():
    forwards = {n: Chance(0, n).one(SEVEN) for n in range(30)}
    backwards = {n: Chance(0, n).one(SEVEN) for n in reversed(range(30))}
    assert forwards == backwards


def test_neighbouring_numbers_and_seeds_have_other_chances():
    first = {(s, n): Chance(s, n).below(2**60) for s in range(-2, 20) for n in range(20)}
    assert len(set(first.values())) == len(first)


def test_below_takes_every_number_and_no_other():
    chance = Chance(0, 0)
    assert {chance.below(3) for _ in range(60)} == {0, 1, 2}
    assert {chance.below(limit) for limit in (1, 0, -4)} == {0}


def test_everything_comes_once_before_anything_comes_again():
    for turn in range(5):
        drawn = [Chance(1, n).one(SEVEN) for n in range(7 * turn, 7 * turn + 7)]
        assert sorted(drawn) == list(SEVEN)


def test_every_turn_has_another_order():
    turns = {tuple(Chance(1, 7 * t + n).one(SEVEN) for n in range(7)) for t in range(6)}
    assert len(turns) == 6
    first = [tuple(Chance(seed, n).one(SEVEN) for n in range(7)) for seed in range(6)]
    assert len(set(first)) == 6


@pytest.mark.parametrize(("each", "rounds"), [(2, 3), (3, 2), (7, 1)])
def test_several_at_once_do_not_meet_again_in_a_turn(each, rounds):
    for turn in range(4):
        drawn = [Chance(0, turn * rounds + n).pick(SEVEN, each) for n in range(rounds)]
        assert {len(part) for part in drawn} == {each}
        together = [item for part in drawn for item in part]
        assert len(set(together)) == len(together) == each * rounds


def test_what_is_left_over_changes_from_turn_to_turn():
    left = set()
    for turn in range(20):
        used = {i for n in range(3) for i in Chance(0, 3 * turn + n).pick(SEVEN, 2)}
        left |= set(SEVEN) - used
    assert len(left) > 3


def test_more_than_there_are_is_an_error():
    with pytest.raises(IndexError, match="3 of 2"):
        Chance(0, 0).pick("ab", 3)
    with pytest.raises(IndexError):
        Chance(0, 0).one([])
