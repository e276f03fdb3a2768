"""Work shared out among threads: the same results, and torch's own threads come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from iiccli.coding.rounding import thresholds
from iiccli.inference import threads
from iiccli.inference.adaptive.sharing import trials_of
from iiccli.inference.threads import in_pieces, shared, workers
from tests.coding.test_rounding import CENTRES, coder_of, coefficients


@pytest.fixture
def three() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_torch_has_one_thread_inside_and_the_others_are_told(three):
    assert workers() == 3
    with in_pieces():
        with in_pieces():
            assert torch.get_num_threads() == 1 and workers() == 3
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_an_error_gives_the_threads_back(three):
    with pytest.raises(KeyError), in_pieces():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_results_are_in_order_and_errors_arrive(three):
    assert shared(lambda n: n * n, range(20)) == [n * n for n in range(20)]
    with pytest.raises(ZeroDivisionError):
        shared(lambda n: 1 / n, [1, 0])


def test_several_threads_work_and_one_item_needs_none(three):
    gate = threading.Barrier(3, timeout=20)
    assert len(set(shared(lambda _: (gate.wait(), threading.get_ident())[1], range(3)))) == 3
    assert shared(lambda _: threading.get_ident(), [0]) == [threading.get_ident()]


def test_inference_mode_goes_along(three):
    with torch.inference_mode():
        assert shared(lambda _: torch.is_inference_mode_enabled(), range(2)) == [True, True]
    assert shared(lambda _: torch.is_inference_mode_enabled(), range(2)) == [False, False]


@pytest.mark.parametrize("by_cost", [False, True])
def test_the_payloads_do_not_depend_on_the_threads(monkeypatch, by_cost):
    coder = coder_of(512, 512)
    values = coefficients(coder) * np.float32(0.5)
    values[::2] *= -1
    # As they are given, not as they are coded.
    border = thresholds(coder.tables, CENTRES) if by_cost else None
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(threads, "workers", lambda count=count: count)
        monkeypatch.setattr("iiccli.inference.adaptive.sharing.workers", lambda count=count: count)
        trials = trials_of(coder, values, border)
        assert len(trials._parts) == count
        rates = trials.rate(-1000)
        found.append((rates, np.concatenate(trials.write(-1000))))
    for rates, payloads in found[1:]:
        assert np.array_equal(rates, found[0][0]) and np.array_equal(payloads, found[0][1])
