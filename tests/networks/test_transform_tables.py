"""The transform network's block transform, allocation and quantisers."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from iiccli.networks.transform import TransformConfig, TransformNet
from iiccli.networks.transform.allocation import WATER_MAX, WATER_MIN, Allocation
from iiccli.networks.transform.blocks import BlockTransform, cosine_matrix
from iiccli.networks.transform.config import GAIN_MAX, GAIN_MIN, GAIN_STEP, MAX_BITS, UNIT
from iiccli.networks.transform.quantiser import Quantiser

SMALL = TransformConfig(3, cell=4, motion=4, bands=(2, 4), ranks=(2, 4), width=4, depth=1)


def random_transform(channels: int, cell: int, seed: int) -> BlockTransform:
    """A transform with a random orthogonal mix at every frequency."""
    generator = torch.Generator().manual_seed(seed)
    transform = BlockTransform(channels, cell)
    mixes = torch.randn(cell * cell, channels, channels, generator=generator)
    transform.mixes.data = torch.linalg.qr(mixes).Q
    return transform.requires_grad_(False)


def random_allocation(seed: int, config: TransformConfig = SMALL) -> tuple[Allocation, Tensor]:
    """Tables as training might leave them, and gains of twelve cells."""
    generator = torch.Generator().manual_seed(seed)
    allocation = Allocation(config)
    allocation.scales.copy_(torch.randint(-200, 60, allocation.scales.shape, generator=generator))
    steps = torch.randint(0, 25, (MAX_BITS,), generator=generator)
    allocation.thresholds.copy_(steps.cumsum(0) - 20)
    gains = torch.randint(GAIN_MIN, GAIN_MAX + 1, (12, config.groups), generator=generator)
    return allocation, gains.to(torch.int16)


@pytest.mark.parametrize("size", [1, 2, 8, 16, 32])
def test_the_cosine_matrix_is_orthonormal_and_starts_with_the_mean(size):
    matrix = cosine_matrix(size)
    assert torch.allclose(matrix @ matrix.T, torch.eye(size, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(matrix[0], torch.full((size,), size**-0.5, dtype=torch.float64))


@given(
    st.integers(1, 7),
    st.sampled_from([2, 4, 8, 16]),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_the_transform_keeps_energy_and_comes_back(channels, cell, rows, columns, seed):
    transform = random_transform(channels, cell, seed)
    x = torch.randn(channels, rows * cell, columns * cell)
    z = transform(x)
    assert z.shape == (rows * columns, cell * cell * channels)
    assert torch.allclose(z.square().sum(), x.square().sum(), rtol=1e-4)
    back = transform.inverse(z, rows * cell, columns * cell)
    assert torch.allclose(back, x, atol=1e-4)


def test_cells_are_in_raster_order_and_coefficients_frequency_major():
    transform = random_transform(3, 4, 0)
    x = torch.zeros(3, 8, 12)
    x[:, 4:, :4] = 1.0  # cell (1, 0) of 2 × 3: flat, so only its frequency (0, 0) is not zero
    z = transform(x)
    assert z.abs().sum(1).nonzero().flatten().tolist() == [3]
    assert z[3].abs().gt(1e-5).nonzero().max() < 3
    wave = torch.zeros(3, 4, 4)
    wave[:] = cosine_matrix(4)[1].float()  # changes along x alone: frequency (0, 1)
    places = transform(wave)[0].abs().gt(1e-5).nonzero().flatten()
    assert 3 <= places.min() <= places.max() < 6


def test_gains_measure_amplitudes_against_the_table():
    allocation = Allocation(SMALL)
    allocation.scales.copy_(torch.randint(-100, 20, allocation.scales.shape))
    wanted = torch.randint(GAIN_MIN, GAIN_MAX + 1, (40, SMALL.groups))
    signs = torch.randint(0, 2, (40, SMALL.coefficients)) * 2 - 1
    amplitude = torch.exp2(allocation.scales / UNIT)
    z = signs * amplitude * torch.exp2(wanted[:, allocation.group] / 2)
    gains = allocation.gains(z)
    assert gains.dtype == torch.int16
    assert (gains == wanted).all()
    expected = torch.exp2(allocation.steps(gains) / UNIT)
    assert torch.allclose(expected, z.abs(), rtol=1e-5)


def test_gains_stay_in_range():
    allocation = Allocation(SMALL)
    z = torch.stack((torch.zeros(SMALL.coefficients), torch.full((SMALL.coefficients,), 1e9)))
    low, high = allocation.gains(z)
    assert (low == GAIN_MIN).all()
    assert (high == GAIN_MAX).all()


def test_a_group_without_coefficients_has_gain_zero():
    config = TransformConfig(2, cell=4, motion=4, bands=(2,), ranks=(2, 6), width=4, depth=1)
    allocation = Allocation(config)
    filled = torch.bincount(allocation.group, minlength=config.groups) > 0
    assert filled.tolist() == [True, True, False] * 2
    gains = allocation.gains(torch.full((3, config.coefficients), 2.0**3))
    assert (gains[:, filled] == 6).all()
    assert (gains[:, ~filled] == 0).all()


def test_groups_follow_frequency_and_rank():
    group = Allocation(SMALL).group.view(4, 4, SMALL.others)
    assert SMALL.groups == 9
    assert group[0, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert group[0, 1].tolist() == group[1, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert group[1, 1].tolist() == group[0, 3].tolist() == [3, 3, 4, 4, 5, 5]
    assert group[3, 3].tolist() == group[2, 2].tolist() == [6, 6, 7, 7, 8, 8]


@given(st.integers(0, 999), st.integers(WATER_MIN, WATER_MAX - 1))
def test_more_level_never_means_fewer_bits(seed, water):
    allocation, gains = random_allocation(seed)
    steps = allocation.steps(gains)
    bits = allocation.bits(steps, water)
    assert bits.min() >= 0
    assert bits.max() <= MAX_BITS
    assert (allocation.bits(steps, water + 1) <= bits).all()
    assert (allocation.bits(steps + 1, water) >= bits).all()


def test_as_many_bits_as_thresholds_are_reached():
    allocation = Allocation(SMALL)
    allocation.thresholds.copy_(torch.tensor([-3, 0, 0, 10, 20, 30, 40, 50]))
    steps = torch.tensor([[-4, -3, -1, 0, 9, 10, 49, 50, 900]], dtype=torch.int32) + 7
    assert allocation.bits(steps, 7).tolist() == [[0, 1, 1, 3, 3, 4, 7, 8, 8]]


@given(st.integers(0, 999), st.integers(WATER_MIN, WATER_MAX))
def test_cell_bits_are_the_sum_over_coefficients(seed, water):
    allocation, gains = random_allocation(seed)
    wanted = allocation.bits(allocation.steps(gains), water).sum(1)
    assert (allocation.cell_bits(gains, allocation.bits_per_gain(water)) == wanted).all()


@given(st.integers(0, 999), st.integers(0, 10_000))
def test_water_is_the_lowest_level_that_fits(seed, capacity):
    allocation, gains = random_allocation(seed)
    steps = allocation.steps(gains)
    levels = torch.arange(WATER_MIN, WATER_MAX + 1)
    water = allocation.water(gains, capacity)
    # Brute force, but only around the answer and at coarse steps elsewhere.
    probes = {*range(water - 3, water + 4), *levels[::64].tolist()}
    for level in probes & set(levels.tolist()):
        fits = int(allocation.bits(steps, level).sum()) <= capacity
        assert fits == (level >= water)


def test_gain_steps_are_factors_of_the_square_root_of_two():
    allocation, _ = random_allocation(0)
    low = torch.zeros(1, SMALL.groups, dtype=torch.int16)
    difference = allocation.steps(low + 1) - allocation.steps(low)
    assert (difference == GAIN_STEP).all()
    assert pytest.approx(2**0.5) == 2 ** (GAIN_STEP / UNIT)


@pytest.mark.parametrize("bits", range(1, MAX_BITS + 1))
def test_a_fresh_codebook_ascends_and_is_symmetric(bits):
    book = Quantiser().codebook(bits)
    assert len(book) == 2**bits
    assert (book.diff() > 0).all()
    assert torch.allclose(book, -book.flip(0), atol=1e-5)


@given(st.integers(0, 999))
def test_quantising_takes_the_nearest_value(seed):
    generator = torch.Generator().manual_seed(seed)
    quantiser = Quantiser()
    quantiser.codebooks.copy_(
        torch.randn(quantiser.codebooks.shape, generator=generator).cumsum(1).sort().values
    )
    x = 6 * torch.randn(200, generator=generator)
    bits = torch.randint(0, MAX_BITS + 1, (200,), generator=generator)
    index = quantiser.quantise(x, bits)
    assert index.dtype == torch.int16
    values = quantiser.dequantise(index, bits)
    for value, original, b in zip(values, x, bits.tolist(), strict=True):
        if b == 0:
            assert value == 0
        else:
            book = quantiser.codebook(b)
            assert value in book
            assert (value - original).abs() <= (book - original).abs().min() + 1e-5


def test_more_bits_are_less_error():
    x = torch.distributions.Laplace(0.0, 0.5**0.5).sample((20_000,))
    quantiser = Quantiser()
    errors = []
    for b in range(MAX_BITS + 1):
        bits = torch.full(x.shape, b)
        back = quantiser.dequantise(quantiser.quantise(x, bits), bits)
        errors.append(float((x - back).square().mean()))
    # The first codebook is only where Lloyd's iteration starts; it is too wide to be of use.
    assert all(b < 0.4 * a for a, b in pairwise(errors[1:]))
    assert errors[0] == pytest.approx(1, abs=0.05)


def test_a_net_rounds_coefficients_at_their_own_amplitude():
    net = TransformNet(SMALL)
    net.allocation.scales.copy_(torch.randint(-80, 0, net.allocation.scales.shape))
    amplitude = torch.exp2(net.allocation.scales / UNIT)
    z = amplitude * torch.randn(30, SMALL.coefficients)
    gains = net.allocation.gains(z)
    levels = torch.full(z.shape, 8)
    for water in (-2000, 2000):
        index, bits = net.quantise(z, gains, water)
        back = net.dequantise(index, bits, gains)
        if water < 0:
            assert (bits == levels).all()
            assert ((back - z).abs() < 0.2 * amplitude).float().mean() > 0.99
        else:
            assert (bits == 0).all()
            assert (back == 0).all()
