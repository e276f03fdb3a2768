"""Coefficients as payloads of blocks: exact, apart from one another, and safe against damage."""

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iiccli.coding.coefficients import (
    LARGEST,
    OVERHEAD,
    SHIFTS,
    SYMBOLS,
    CoefficientCoder,
    Tables,
    length,
)
from iiccli.coding.contexts import (
    CLASSES,
    FEATURES,
    ONE,
    UNIT,
    class_centre,
    make_grid,
)
from iiccli.coding.layout import regions
from iiccli.coding.rans import TOTAL, Frequencies
from iiccli.inference.adaptive.stream import cell_blocks

CELL, RANKS = 4, 2


@functools.cache
def tables_of(seed: int = 0) -> Tables:
    """Tables as they might be fitted: frequencies fall with the magnitude."""
    random = np.random.default_rng(seed)
    counts = np.ones((CLASSES, SYMBOLS), np.int64)
    for number in range(CLASSES):
        mean = class_centre(number) / 2.0 ** SHIFTS[number]
        share = (mean / (1 + mean)) ** np.arange(SYMBOLS)
        counts[number] += np.floor(share / share.sum() * (TOTAL - SYMBOLS)).astype(np.int64)
        counts[number, 0] += TOTAL - counts[number].sum()
    u, v = np.divmod(np.arange(CELL * CELL), CELL)
    scales = (
        -200 * (u + v)[:, None] - 100 * np.arange(RANKS) + random.integers(-30, 30, (16, RANKS))
    )
    weights = random.integers(0, ONE // 4, (2 * CELL - 1, RANKS, 2, FEATURES))
    return Tables(
        CELL,
        scales.astype(np.int32),
        weights.astype(np.int32),
        Frequencies(counts.astype(np.uint32)),
    )


def coder_of(height: int, width: int, seed: int = 0) -> CoefficientCoder:
    (region,) = regions(height, width, 16)
    return CoefficientCoder(tables_of(seed), make_grid(cell_blocks(region)), len(region.blocks))


def coefficients_of(coder: CoefficientCoder, seed: int, level: int, odd: float = 0) -> np.ndarray:
    """Laplacian numbers as large as the tables expect, and some of them anything at all."""
    random = np.random.default_rng(seed)
    shape = (CELL * CELL, RANKS, coder.grid.cells)
    size = 2.0 ** ((coder.tables.scales - level) / UNIT)[..., None]
    values = random.laplace(0, 1, shape) * size * 2 ** random.normal(0, 1, shape[2])
    wild = random.integers(-LARGEST, LARGEST + 1, shape)
    values = np.where(random.random(shape) < odd, wild, values)
    return np.clip(np.rint(values), -LARGEST, LARGEST).astype(np.int32)


def test_symbols_stay_small_whatever_is_expected():
    for number in range(CLASSES):
        assert class_centre(number) / 2 ** SHIFTS[number] < 8
        assert SHIFTS[number] == 0 or class_centre(number) / 2 ** SHIFTS[number] >= 4


@settings(max_examples=15)
@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.integers(-8 * UNIT, UNIT),
    st.integers(0, 1000),
    st.sampled_from([0, 0.01, 1]),
)
@example(1, 1, 0, 0, 1)
@example(150, 130, -12 * UNIT, 1, 0)
@example(150, 130, 2 * UNIT, 2, 0.01)
def test_what_is_written_is_read(height, width, level, seed, odd):
    coder = coder_of(height, width)
    quantised = coefficients_of(coder, seed, level, odd)
    payloads = coder.write(quantised, level)
    assert len(payloads) == coder.blocks
    for payload in payloads:
        assert length(payload)[1] == len(payload)
    back, classes = coder_of(height, width).read(payloads, np.full(coder.blocks, level))
    assert back.dtype == np.int32
    assert (back == quantised).all()
    assert (classes == coder.classes(quantised, level)).all()


@pytest.mark.parametrize("magnitude", [1, 62, 63, 64, 8191, 8192, LARGEST])
@pytest.mark.parametrize("level", [-12 * UNIT, 0])
def test_extreme_magnitudes_survive(magnitude, level):
    coder = coder_of(70, 40)
    signs = np.random.default_rng(0).choice([-1, 1], (CELL * CELL, RANKS, coder.grid.cells))
    for density in (1, 0.05):
        chosen = np.random.default_rng(1).random(signs.shape) < density
        quantised = (magnitude * signs * chosen).astype(np.int32)
        payloads = coder.write(quantised, level)
        assert (coder.read(payloads, np.array([level]))[0] == quantised).all()


def test_lost_blocks_are_zero_and_the_others_exact():
    coder = coder_of(128, 192)
    quantised = coefficients_of(coder, 0, -1000)
    payloads = coder.write(quantised, -1000)
    for lost in ([0], [5], [1, 4], range(6)):
        parts = [None if b in lost else p for b, p in enumerate(payloads)]
        back, _ = coder.read(parts, np.full(6, -1000))
        gone = np.isin(coder.grid.blocks, list(lost))
        assert (back[..., gone] == 0).all()
        assert (back[..., ~gone] == quantised[..., ~gone]).all()


def test_blocks_may_have_levels_of_their_own():
    coder = coder_of(64, 192)
    levels = np.array([-900, -300, -1500])
    written = [coder.write(coefficients_of(coder, 1, -900), int(lv)) for lv in levels]
    payloads = [written[b][b] for b in range(3)]
    back, _ = coder.read(payloads, levels)
    assert (back == coefficients_of(coder, 1, -900)).all()


def test_a_blocks_payload_is_the_same_whatever_the_others_hold():
    """Each block is decoded by itself, so nothing of another may be in it."""
    coder = coder_of(128, 192)
    first, second = (coefficients_of(coder, s, -1000, 0.01) for s in (2, 3))
    for block in range(6):
        mixed = np.where(coder.grid.blocks == block, first, second)
        kept = coder.write(first, -1000)[block]
        assert (coder.write(mixed, -1000)[block] == kept).all()
        assert len(kept) > OVERHEAD


def test_the_rate_is_the_length_nearly():
    coder = coder_of(200, 200)
    for level, odd in ((-2200, 0), (-1500, 0), (-900, 0), (-300, 0), (-1500, 0.01)):
        quantised = coefficients_of(coder, 5, level, odd)
        lengths = np.array([len(p) for p in coder.write(quantised, level)])
        rate = coder.rate(quantised, level)
        assert rate.shape == (9,)
        assert np.abs(rate - lengths).max() < 0.01 * lengths.max() + 60
        # It says nearly always that a little more is needed than is.
        assert -30 < (rate - lengths).mean() < 0.01 * lengths.mean() + 40


def test_what_is_expected_costs_less():
    """The scales do serve: the same coefficients at each others' places take more."""
    coder = coder_of(128, 128)
    alone = np.zeros_like(coder.tables.weights)
    alone[..., -1] = ONE
    tables = dataclasses.replace(coder.tables, weights=alone)
    coder = CoefficientCoder(tables, coder.grid, coder.blocks)
    quantised = coefficients_of(coder, 6, -800)
    shuffled = np.random.default_rng(0).permuted(quantised.reshape(-1)).reshape(quantised.shape)
    lengths = [sum(map(len, coder.write(q, -800))) for q in (quantised, shuffled)]
    assert lengths[0] < 0.9 * lengths[1]


def test_nothing_costs_hardly_more_than_the_heads():
    coder = coder_of(128, 128)
    nothing = np.zeros((CELL * CELL, RANKS, coder.grid.cells), np.int32)
    payloads = coder.write(nothing, 4 * UNIT)
    for payload in payloads:
        assert OVERHEAD <= len(payload) < OVERHEAD + 60


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3000), st.integers(-12 * UNIT, 3 * UNIT))
def test_garbage_never_fails(seed, size, level):
    random = np.random.default_rng(seed)
    coder = coder_of(100, 130)
    garbage = [random.integers(0, 2, size).astype(np.uint8) for _ in range(coder.blocks)]
    levels = np.full(coder.blocks, level)
    back, classes = coder.read(garbage, levels)
    assert back.shape == classes.shape == (CELL * CELL, RANKS, coder.grid.cells)
    assert classes.max() < CLASSES


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_damage_stays_in_its_block(seed, cut):
    random = np.random.default_rng(seed)
    coder = coder_of(64, 192)
    quantised = coefficients_of(coder, 7, -1000)
    payloads = list(coder.write(quantised, -1000))
    damaged = int(random.integers(3))
    if cut:
        payloads[damaged] = payloads[damaged][: int(random.integers(len(payloads[damaged])))]
    else:
        flips = random.integers(OVERHEAD, len(payloads[damaged]), 30)
        payloads[damaged] = payloads[damaged].copy()
        payloads[damaged][flips] ^= 1
    back, _ = coder.read(payloads, np.full(3, -1000))
    whole = coder.grid.blocks != damaged
    assert (back[..., whole] == quantised[..., whole]).all()


def test_a_head_that_is_cut_off_means_an_empty_payload():
    assert length(np.ones(43, np.uint8)) == (0, OVERHEAD)
    assert length(np.zeros(0, np.uint8)) == (0, OVERHEAD)
    assert length(np.zeros(44, np.uint8)) == (0, OVERHEAD)
    head = np.zeros(44, np.uint8)
    head[[19, 42]] = 1  # one word and two plain bits
    assert length(head) == (1, OVERHEAD + 16 + 2)
