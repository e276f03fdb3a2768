"""Coefficients through a region's samples: exact, and damage stays where it is."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iiccli.coding.layout import Region, regions
from iiccli.inference.message import HEAD_BITS, RegionCoder
from iiccli.networks.transform import Coefficients, TransformConfig, TransformNet
from iiccli.networks.transform.allocation import WATER_MAX
from iiccli.networks.transform.config import GAIN_MAX, GAIN_MIN

CONFIG = TransformConfig(3, cell=8, bands=(2, 5), ranks=(2,), motion=4, width=2, depth=1)
MODULI = st.sampled_from([(4, 4, 4), (4, 4, 8), (8, 8, 8), (2, 8, 64)])


def make_net(config: TransformConfig = CONFIG) -> TransformNet:
    """A network with tables such that some coefficients get many bits and most none."""
    generator = torch.Generator().manual_seed(5)
    net = TransformNet(config)
    slope = torch.linspace(0, -140, config.coefficients)
    noise = 10 * torch.randn(config.coefficients, generator=generator)
    net.allocation.scales.copy_((slope + noise).round())
    return net.requires_grad_(False)


NET = make_net()
STILL = make_net(dataclasses.replace(CONFIG, motion=0))


def region_of(height: int, width: int, cell: int = CONFIG.cell) -> Region:
    (region,) = regions(height, width, cell)
    return region


def random_coefficients(net: TransformNet, region: Region, seed: int) -> Coefficients:
    """Coefficients that look as if they came from a picture with quiet and busy places."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = region.cells.shape
    config = net.config
    loudness = 3 * torch.randn(rows * columns, 1, generator=generator)
    z = torch.randn(rows * columns, config.coefficients, generator=generator)
    z *= net.allocation.amplitude(z.dtype) * torch.exp2(loudness)
    vectors = None
    if config.motion:
        factor = config.cell // config.motion
        shape = (config.pictures - 1, 2, rows * factor, columns * factor)
        vectors = torch.randint(-6, 7, shape, generator=generator).to(torch.int16)
        vectors[0, 0, 0, 0] = -2048 if seed % 2 else 2047
    return Coefficients(z, net.allocation.gains(z), vectors)


def as_carrier(
    numbers: np.ndarray, used: np.ndarray, moduli: Sequence[int], seed: int = 0
) -> np.ndarray:
    """What a reader finds: the message where there is one, the cover's own rest elsewhere."""
    random = np.random.default_rng(seed)
    others = random.integers(0, np.array(moduli), numbers.shape)
    return np.where(used, numbers, others)


def check_whole(net, region, coefficients, message) -> None:
    """The message is what was written, or, where there was no room, nothing at all."""
    assert message.damaged == ()
    waters = message.waters.unique()
    assert len(waters) <= 2  # two neighbouring levels for the whole region
    assert waters.max() - waters.min() <= 1
    if waters[0] == WATER_MAX:
        assert (message.z == 0).all()
        assert (message.gains == GAIN_MIN).all()
        return
    assert torch.equal(message.gains, coefficients.gains)
    if coefficients.vectors is None:
        assert message.vectors is None
    else:
        assert torch.equal(message.vectors, coefficients.vectors)
    index, bits = net.quantise(coefficients.z, coefficients.gains, message.waters[:, None])
    assert torch.equal(message.z, net.dequantise(index, bits, coefficients.gains))


@settings(max_examples=60)
@given(
    st.integers(1, 150),
    st.integers(1, 310),
    MODULI,
    st.integers(0, 99),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.booleans(),
)
@example(1, 1, (8, 8, 8), 0, 0.0, True)
@example(5, 300, (4, 4, 8), 1, 0.0, True)
@example(300, 5, (4, 4, 4), 2, 0.02, False)
@example(128, 256, (8, 8, 8), 3, 0.3, True)
def test_what_is_written_is_read(height, width, moduli, seed, holes, motion):
    net = NET if motion else STILL
    region = region_of(height, width)
    free = np.random.default_rng(seed).random((height, width, 3)) >= holes
    coefficients = random_coefficients(net, region, seed)
    coder = RegionCoder(net, region, free, moduli)
    numbers, used = coder.write(coefficients)
    assert numbers.shape == used.shape == (height, width, 3)
    assert not used[~free].any()
    assert numbers.min() >= 0
    assert (numbers < np.array(moduli)).all()
    # A second coder, as the reader of a carrier has nothing of the first.
    reader = RegionCoder(net, region, free, moduli)
    message = reader.read(as_carrier(numbers, used, moduli, seed))
    check_whole(net, region, coefficients, message)


@pytest.mark.parametrize("moduli", [(4, 4, 4), (4, 4, 8), (8, 8, 8)])
def test_the_room_is_used_up(moduli):
    """Not one more step of the water level would have fitted in one block more."""
    region = region_of(128, 128)
    coefficients = random_coefficients(NET, region, 1)
    free = np.ones((128, 128, 3), bool)
    coder = RegionCoder(NET, region, free, moduli)
    numbers, used = coder.write(coefficients)
    water = int(coder.read(numbers).waters.max())
    tables = NET.allocation
    taken = [
        int(tables.cell_bits(coefficients.gains, tables.bits_per_gain(level)).sum())
        for level in (water - 1, water)
    ]
    step = taken[0] - taken[1]
    left = int((np.log2(moduli) * ~used).sum())
    assert left < step / 2 + 8  # four blocks, of random and so about equal size
    assert used.mean() > 0.98


def test_larger_moduli_carry_finer_coefficients():
    region = region_of(70, 90)
    coefficients = random_coefficients(NET, region, 1)
    free = np.ones((70, 90, 3), bool)
    errors = []
    for moduli in ((4, 4, 4), (4, 4, 8), (8, 8, 8)):
        coder = RegionCoder(NET, region, free, moduli)
        message = coder.read(coder.write(coefficients)[0])
        errors.append(float((message.z - coefficients.z).square().sum()))
    assert errors[0] > errors[1] > errors[2]


def test_blocks_that_are_too_small_carry_nothing_and_are_not_damaged():
    region = region_of(2, 3)
    free = np.ones((2, 3, 3), bool)
    coder = RegionCoder(NET, region, free, (4, 4, 8))
    assert not coder.usable
    _, used = coder.write(random_coefficients(NET, region, 0))
    assert not used.any()
    message = coder.read(np.random.default_rng(0).integers(0, 4, (2, 3, 3)))
    check_whole(NET, region, random_coefficients(NET, region, 0), message)


def test_side_information_that_does_not_fit_leaves_an_empty_but_whole_message():
    region = region_of(12, 12)
    free = np.zeros((12, 12, 3), bool)
    free[:, :3] = True  # 12 · 3 · 3 samples of three bits: the head fits, the vectors do not
    coder = RegionCoder(NET, region, free, (8, 8, 8))
    assert coder.usable
    coefficients = random_coefficients(NET, region, 0)
    numbers, used = coder.write(coefficients)
    assert used.sum() == -(-HEAD_BITS // 3)
    message = coder.read(as_carrier(numbers, used, (8, 8, 8)))
    assert (message.waters == WATER_MAX).all()
    check_whole(NET, region, coefficients, message)


@settings(max_examples=40)
@given(st.integers(1, 140), st.integers(1, 200), MODULI, st.integers(0, 2**32 - 1))
def test_noise_never_fails_and_reads_as_damage(height, width, moduli, seed):
    region = region_of(height, width)
    free = np.ones((height, width, 3), bool)
    coder = RegionCoder(NET, region, free, moduli)
    noise = np.random.default_rng(seed).integers(0, np.array(moduli), (height, width, 3))
    message = coder.read(noise)
    assert message.z.isfinite().all()
    assert message.gains.min() >= GAIN_MIN
    assert message.gains.max() <= GAIN_MAX
    assert message.vectors.abs().max() <= 2048
    if coder.usable:
        # A check sum of 16 bits passes by chance once in 65,536 blocks.
        assert len(message.damaged) == len(region.blocks)
        assert (message.z == 0).all()


@pytest.mark.parametrize("value", [0, 3])
def test_a_picture_painted_over_in_one_colour_is_damaged(value):
    region = region_of(128, 128)
    coder = RegionCoder(NET, region, np.ones((128, 128, 3), bool), (4, 4, 8))
    message = coder.read(np.full((128, 128, 3), value))
    assert message.damaged == region.blocks


@pytest.fixture(scope="module")
def written():
    """A region of 3 × 4 blocks with its message."""
    region = region_of(192, 256)
    free = np.ones((192, 256, 3), bool)
    coder = RegionCoder(NET, region, free, (4, 4, 8))
    coefficients = random_coefficients(NET, region, 8)
    numbers, used = coder.write(coefficients)
    return coder, coefficients, as_carrier(numbers, used, (4, 4, 8))


@pytest.mark.parametrize("painted", range(12))
def test_a_painted_block_is_named_and_takes_only_what_lay_in_it(written, painted):
    coder, coefficients, numbers = written
    region = coder.region
    whole = coder.read(numbers)
    assert whole.damaged == ()
    numbers = numbers.copy()
    rows, columns = region.blocks[painted].pixels.slices
    random = np.random.default_rng(painted)
    numbers[rows, columns] = random.integers(0, 4, numbers[rows, columns].shape)
    message = coder.read(numbers)
    assert region.blocks[painted] in message.damaged
    # The pool is dealt out in the order of the blocks: what lay in the painted block is a run
    # of it, so the blocks that suffer are neighbours in that order.
    grid = np.arange(len(coefficients.gains)).reshape(region.cells.shape)
    suffering = []
    for number, block in enumerate(region.blocks):
        own = torch.from_numpy(grid[block.cells.slices].ravel())
        if block in message.damaged:
            assert (message.gains[own] == GAIN_MIN).all()
            assert (message.waters[own] == WATER_MAX).all()
            assert (message.z[own] == 0).all()
            suffering.append(number)
        else:
            assert torch.equal(message.gains[own], coefficients.gains[own])
            assert torch.equal(message.waters[own], whole.waters[own])
            if not torch.equal(message.z[own], whole.z[own]):
                suffering.append(number)
    others = [n for n in suffering if n != painted]
    assert len(others) < 8
    if others:
        assert max(others) - min(others) == len(others) - 1 + (min(others) < painted < max(others))


def test_one_wrong_bit_of_a_coefficient_changes_that_coefficient_alone(written):
    coder, _, numbers = written
    whole = coder.read(numbers)
    random = np.random.default_rng(3)
    harmless = 0
    for _ in range(20):
        y, x, c = (int(random.integers(n)) for n in numbers.shape)
        wrong = numbers.copy()
        wrong[y, x, c] ^= 1
        message = coder.read(wrong)
        if message.damaged:
            continue
        assert torch.equal(message.gains, whole.gains)
        changed = (message.z != whole.z).sum()
        assert changed <= 1
        harmless += 1
    assert harmless > 10


def test_every_bit_of_a_head_is_covered_by_its_check_sum(written):
    coder, _, numbers = written
    block = coder.region.blocks[5]
    top, left = block.pixels.top, block.pixels.left
    for number in range(HEAD_BITS // 7):  # 4, 4 and 8 make seven bits a pixel
        for channel, q in enumerate((4, 4, 8)):
            wrong = numbers.copy()
            wrong[top, left + number, channel] = (wrong[top, left + number, channel] + 1) % q
            assert block in coder.read(wrong).damaged


def test_a_block_without_room_costs_its_own_cells_only():
    region = region_of(128, 128)
    coefficients = random_coefficients(NET, region, 1)
    free = np.ones((128, 128, 3), bool)
    free[:64, :64] = False
    coder = RegionCoder(NET, region, free, (8, 8, 8))
    numbers, used = coder.write(coefficients)
    message = coder.read(numbers)
    first, *others = region.blocks
    assert not used[:64, :64].any()
    assert message.damaged == ()
    waters = message.waters.reshape(region.cells.shape)
    assert (waters[first.cells.slices] == WATER_MAX).all()
    for block in others:
        assert (waters[block.cells.slices] < WATER_MAX).all()
        assert used[block.pixels.slices].mean() > 0.9
