"""The terms of a loss, against plain NumPy."""

from typing import get_args

import numpy as np
import pytest
import torch

from iiccli.training.losses import term_of
from iiccli.training.recipes import Term, read_recipe
from iiccli.training.recipes.schema import Kind

RANDOM = np.random.default_rng(0)
FOUND, WANTED = RANDOM.random((2, 2, 5, 3, 8, 11))  # two groups of five pictures


def loss(kind: str, found=FOUND, wanted=WANTED, **more) -> float:
    term = Term("restored", kind, **more)
    return float(term_of(term, torch.from_numpy(found), torch.from_numpy(wanted)))


def by_pictures(values: np.ndarray, reduction: str) -> float:
    own = values.reshape(-1, *values.shape[-3:])
    each = [picture.sum() if reduction == "sum" else picture.mean() for picture in own]
    return float(np.mean(each))


def frequency(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    a, b = np.fft.rfft2(found), np.fft.rfft2(wanted)
    return (a.real - b.real) ** 2 + (a.imag - b.imag) ** 2


PLAIN = {
    "l2": lambda a, b: (a - b) ** 2,
    "l1": lambda a, b: np.abs(a - b),
    "charbonnier": lambda a, b: np.sqrt((a - b) ** 2 + 1e-6),
    "frequency": frequency,
}


def test_every_kind_is_here():
    assert set(get_args(Kind)) == {*PLAIN, "psnr"}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("kind", PLAIN)
def test_a_picture_s_values_come_together_and_then_the_mean_over_pictures(kind, reduction):
    expected = by_pictures(PLAIN[kind](FOUND, WANTED), reduction)
    assert loss(kind, reduction=reduction) == pytest.approx(expected, rel=1e-5)
    assert loss(kind, reduction=reduction, weight=0.25) == pytest.approx(expected / 4, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_psnr_is_the_mean_of_pictures_decibels_with_a_floor(reduction):
    errors = ((FOUND - WANTED) ** 2).mean((-3, -2, -1))
    expected = float(np.mean(10 * np.log10(errors + 1e-6)))
    assert loss("psnr", reduction=reduction) == pytest.approx(expected, rel=1e-5)
    assert loss("psnr", WANTED, WANTED) == pytest.approx(-60, abs=1e-3)


def test_nothing_wrong_costs_nothing():
    assert {loss(kind, WANTED, WANTED) for kind in ("l2", "l1", "frequency")} == {0.0}
    assert loss("charbonnier", WANTED, WANTED) == pytest.approx(1e-3)


def test_pictures_without_a_group_around_them():
    found, wanted = FOUND[:, 0], WANTED[:, 0]
    expected = by_pictures((found - wanted) ** 2, "sum")
    assert loss("l2", found, wanted, reduction="sum") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_gradients_point_towards_what_is_wanted(kind):
    found = torch.full((1, 1, 6, 6), 0.5, requires_grad=True)
    wanted = torch.full((1, 1, 6, 6), 0.75)
    term_of(Term("restored", kind), found, wanted).backward()
    assert found.grad is not None
    assert (found.grad < 1e-9).all()
    assert found.grad.sum() < 0


def test_half_precision_is_measured_in_full():
    found, wanted = torch.full((1, 3, 64, 64), 0.3, dtype=torch.bfloat16), torch.zeros(1, 3, 64, 64)
    value = term_of(Term("restored", "l1", reduction="sum"), found, wanted)
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(3 * 64 * 64 * float(found[0, 0, 0, 0]), rel=1e-5)


@pytest.mark.parametrize(("name", "lambda_restored"), [("video", 3), ("rescale", 0.4)])
def test_the_official_loss(name, lambda_restored):
    """As the authors trained: sums over a picture's values, means over pictures and batch."""
    small = slice(None) if name == "video" else slice(None, None, 2)  # a smaller carrier
    carrier, cover = FOUND[:, 0, :, small, small], WANTED[:, 0, :, small, small]
    batch = len(FOUND)
    expected = 1 * ((carrier - cover) ** 2).sum() / batch
    expected += 0.001 * frequency(carrier, cover).sum() / batch
    restored = [np.sqrt((FOUND[:, i] - WANTED[:, i]) ** 2 + 1e-6).sum() / batch for i in range(5)]
    expected += lambda_restored * np.mean(restored)
    sides = {"embedding": (carrier, cover), "restored": (FOUND, WANTED)}
    found = sum(
        float(term_of(term, *(torch.from_numpy(np.ascontiguousarray(x)) for x in sides[term.of])))
        for term in read_recipe(f"iicnet-{name}").loss
    )
    assert found == pytest.approx(expected, rel=1e-5)
