"""Processes that share an evaluation, each seen by itself."""

from __future__ import annotations

import sys

import pytest

from iiccli.errors import DeviceError, InputError, UsageError
from iiccli.evaluation.crew import ALONE, Crew, crew_of_launcher


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_everything_is_done_once(count: int) -> None:
    for size in (1, 2, 3):
        shares = [list(Crew(rank, size).share(count)) for rank in range(size)]
        assert sorted(n for share in shares for n in share) == list(range(count))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone() -> None:
    assert ALONE.main
    assert ALONE.gathered([1, 2]) == [1, 2]
    assert ALONE.together(lambda: 5) == 5
    ALONE.leave()

    def fails() -> int:
        raise InputError("x.png is damaged.")

    with pytest.raises(InputError, match="damaged"):
        ALONE.together(fails)


def test_one_tells_of_a_failure_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other process sends is given; that it arrives is tested with real processes."""
    theirs = InputError("theirs")
    monkeypatch.setattr(Crew, "gathered", lambda self, own: [*own, theirs])
    with pytest.raises(InputError, match="theirs"):
        Crew(0, 2).together(lambda: 1)
    with pytest.raises(SystemExit) as leaving:
        Crew(1, 2).together(lambda: 1)
    assert leaving.value.code == 0


def launched(monkeypatch: pytest.MonkeyPatch, rank: int, size: str = "2") -> None:
    monkeypatch.setenv("WORLD_SIZE", size)
    monkeypatch.setenv("RANK", str(rank))


def test_no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "accelerate", None)  # it is not even asked for
    assert crew_of_launcher("cpu") is ALONE
    for size in ("1", "0", "", "many"):
        launched(monkeypatch, 0, size)
        assert crew_of_launcher("cpu") is ALONE


def test_accelerate_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    launched(monkeypatch, 0)
    with pytest.raises(UsageError, match="need the package accelerate") as told:
        crew_of_launcher("cpu")
    assert "iiccli[train]" in told.value.hint
    launched(monkeypatch, 1)
    with pytest.raises(SystemExit) as leaving:
        crew_of_launcher("cpu")
    assert leaving.value.code == 0


def test_processes_that_do_not_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def state(**options: object) -> None:
        raise RuntimeError("The server socket has failed to listen.\nand so on")

    monkeypatch.setattr("accelerate.PartialState", state)
    launched(monkeypatch, 0)
    with pytest.raises(DeviceError, match=r"2 processes do not come together: The server .*\.$"):
        crew_of_launcher("cpu")
