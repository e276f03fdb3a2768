"""One region's vectors and coefficients through its samples: exact, and damage stays local."""

import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iiccli.coding.coefficients import DEAD_ZONE
from iiccli.coding.contexts import UNIT
from iiccli.coding.layout import Region, regions
from iiccli.inference.adaptive import tables_of
from iiccli.inference.adaptive.levels import LEVEL_HIGH, LEVEL_LOW
from iiccli.inference.adaptive.quantising import dequantise, quantise
from iiccli.inference.adaptive.region_message import RegionMessage
from tests.adaptive_models import calibrated

MODULI = (3, 4, 8)
PICTURES, CELL = 2, 8
Q = np.array(MODULI)


@functools.cache
def tables():
    """Of the calibrated network for hiding: six ranks, cells of eight pixels."""
    return tables_of(calibrated("hide"))


def region_of(height: int, width: int) -> Region:
    (region,) = regions(height, width, CELL)
    return region


def message_of(region: Region, free: np.ndarray | None = None, moving: bool = True):
    if free is None:
        free = np.ones((*region.pixels.shape, 3), bool)
    return RegionMessage(tables(), region, free, MODULI, (2, PICTURES) if moving else (0, 0))


def content_of(region: Region, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients as large as the tables expect, in quiet and busy cells; and vectors."""
    random = np.random.default_rng(seed)
    rows, columns = region.cells.shape
    z = random.laplace(0, 1, (CELL**2, 6, rows * columns))
    z *= 2.0 ** (tables().scales / UNIT)[..., None] * 2 ** random.normal(0, 1.5, rows * columns)
    vectors = random.integers(-9, 10, (PICTURES, 2, 2 * rows, 2 * columns)).astype(np.int16)
    vectors[0, 0, 0, 0] = 2047 * (-1) ** seed
    return z.astype(np.float32), vectors


def noisy(message, numbers: np.ndarray, used: np.ndarray) -> np.ndarray:
    """What a reader finds: anything at all where nothing was written."""
    noise = np.random.default_rng(0).integers(0, Q, numbers.shape)
    return np.where(used, numbers, noise)


@settings(max_examples=4)
@given(
    st.integers(1, 100),
    st.integers(1, 129),
    st.integers(0, 99),
    st.sampled_from([0, 0.02, 0.7]),
    st.booleans(),
)
@example(1, 1, 0, 0, True)
@example(5, 3, 0, 0, True)
@example(64, 1, 1, 0, False)
@example(127, 65, 2, 0.02, True)
def test_what_is_written_is_read(height, width, seed, holes, moving):
    region = region_of(height, width)
    free = np.random.default_rng(seed).random((height, width, 3)) >= holes
    z, vectors = content_of(region, seed)
    message = message_of(region, free, moving)
    numbers, used, level = message.write(z, vectors if moving else None)
    assert not (used & ~free).any()
    content = message_of(region, free, moving).read(noisy(message, numbers, used))
    assert content.damaged == ()
    headed = message.stream.headed[message.grid.blocks]
    if level is None:
        assert (content.quantised == 0).all()
        assert not moving or (content.vectors == 0).all()
        return
    wanted = np.where(headed, quantise(z, level), 0)
    assert (content.quantised == wanted).all()
    assert (content.levels[headed] == level).all()
    assert LEVEL_LOW <= level <= LEVEL_HIGH
    if moving and headed.all():
        assert (content.vectors == vectors).all()
    if headed.all():
        assert (content.classes == message.coder.classes(wanted, level)).all()


@pytest.mark.parametrize("guess", [None, LEVEL_LOW, LEVEL_HIGH])
def test_the_room_is_used_up_wherever_the_search_begins(guess):
    region = region_of(128, 128)
    z, _ = content_of(region, 1)
    message = message_of(region, moving=False)
    _, used, level = message.write(z, None, guess)
    assert level is not None
    assert used.mean() > 0.98
    payloads = message.coder.write(quantise(z, level - UNIT // 8), level - UNIT // 8)
    assert sum(map(len, payloads)) > message.stream.room


def test_the_level_is_the_one_that_is_written_nearly():
    region = region_of(128, 128)
    z, vectors = content_of(region, 2)
    message = message_of(region)
    written = message.write(z, vectors)[2]
    assert abs(message.level(z, vectors) - written) <= UNIT // 8


def test_nothing_to_say_is_said_exactly():
    region = region_of(64, 128)
    message = message_of(region)
    z = np.zeros((CELL**2, 6, 128), np.float32)
    vectors = np.zeros((PICTURES, 2, 16, 32), np.int16)
    numbers, used, level = message.write(z, vectors)
    assert level is not None
    content = message.read(noisy(message, numbers, used))
    assert content.damaged == ()
    assert (content.quantised == 0).all()
    assert (content.vectors == 0).all()


def test_where_nothing_fits_nothing_is_written():
    """A head has room, but not what even zeros cost: the block says that it carries nothing."""
    region = region_of(8, 8)
    z, vectors = content_of(region, 3)
    message = message_of(region)
    assert message.stream.headed.all()
    numbers, used, level = message.write(z, vectors)
    assert level is None
    assert 0 < used.mean() < 0.6
    content = message.read(noisy(message, numbers, used))
    assert content.damaged == ()
    assert (content.quantised == 0).all()
    assert (content.vectors == 0).all()


def test_a_region_without_room_has_no_message_and_no_damage():
    region = region_of(2, 3)
    message = message_of(region)
    assert not message.stream.headed.any()
    _, used, level = message.write(*content_of(region, 0))
    assert level is None
    assert not used.any()
    assert message.level(*content_of(region, 0)) is None
    assert message.read(np.zeros((2, 3, 3), int)).damaged == ()


@pytest.fixture(scope="module")
def written():
    """A region of 2 × 4 blocks with its message."""
    region = region_of(128, 256)
    message = message_of(region)
    numbers, used, _ = message.write(*content_of(region, 8))
    numbers = noisy(message, numbers, used)
    return message, numbers, message.read(numbers)


@pytest.mark.parametrize("painted", [0, 3, 6])
@pytest.mark.parametrize("flat", [True, False])
def test_a_painted_block_is_named_and_takes_only_what_lay_in_it(written, painted, flat):
    message, numbers, whole = written
    block = message.region.blocks[painted]
    place = block.pixels.slices
    numbers = numbers.copy()
    shape = numbers[place].shape
    random = np.random.default_rng(painted)
    numbers[place] = 1 if flat else random.integers(0, Q, shape)
    content = message.read(numbers)
    assert block in content.damaged
    assert len(content.damaged) < 5
    lost = [message.region.blocks.index(b) for b in content.damaged]
    gone = np.isin(message.grid.blocks, lost)
    assert (content.quantised[..., gone] == 0).all()
    assert (content.quantised[..., ~gone] == whole.quantised[..., ~gone]).all()
    assert (content.levels[~gone] == whole.levels[~gone]).all()
    kept = ~gone.reshape(message.region.cells.shape).repeat(2, 0).repeat(2, 1)
    assert (content.vectors[..., kept] == whole.vectors[..., kept]).all()
    assert (content.vectors[..., ~kept] == 0).all()


def test_every_wrong_sample_is_noticed_where_it_is(written):
    """The check covers head and payload: no changed bit goes through as good."""
    message, numbers, whole = written
    random = np.random.default_rng(3)
    noticed = 0
    for _ in range(6):
        y, x, c = (int(random.integers(n)) for n in numbers.shape)
        wrong = numbers.copy()
        wrong[y, x, c] = (wrong[y, x, c] + 1) % Q[c]
        content = message.read(wrong)
        lost = [message.region.blocks.index(b) for b in content.damaged]
        kept = ~np.isin(message.grid.blocks, lost)
        assert len(lost) <= 2  # where one payload ends and the next begins
        assert (content.quantised[..., kept] == whole.quantised[..., kept]).all()
        noticed += bool(lost)
    assert noticed >= 5  # a sample may be one of the few that carry nothing


@settings(max_examples=6)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(0, 2**32 - 1), st.booleans())
def test_noise_never_fails_and_reads_as_damage(height, width, seed, moving):
    region = region_of(height, width)
    message = message_of(region, moving=moving)
    noise = np.random.default_rng(seed).integers(0, Q, (height, width, 3))
    content = message.read(noise)
    # A check sum of 16 bits passes by chance once in 65,536 blocks.
    assert len(content.damaged) == message.stream.headed.sum()
    assert (content.quantised == 0).all()
    assert (content.vectors is None) == (not moving)


@pytest.mark.parametrize("value", [0, 1])
def test_one_colour_is_damage(value):
    message = message_of(region_of(128, 128))
    assert len(message.read(np.full((128, 128, 3), value)).damaged) == 4


@given(st.integers(LEVEL_LOW, 0), st.integers(0, 99))
def test_quantising_is_off_by_little_more_than_half_a_step(level, seed):
    z = np.random.default_rng(seed).normal(0, 0.3, (4, 3, 5)).astype(np.float32)
    found = quantise(z, level)
    step = 2.0 ** (level / UNIT)
    inside = np.abs(z) < 60000 * step
    error = (np.abs(z) - np.abs(found) * step)[inside]
    assert error.min(initial=0) >= -(0.5 - DEAD_ZONE) * step * 1.001
    assert error.max(initial=0) <= (0.5 + DEAD_ZONE) * step * 1.001
    assert (np.sign(found)[inside] * np.sign(z)[inside] >= 0).all()


def test_magnitudes_come_back_where_their_class_says():
    quantised = np.array([[[0, 1, -1, 2, -3, 900]]], np.int32)
    classes = np.array([[[0, 0, 1, 1, 0, 1]]], np.uint8)
    centres = np.array([[9, 0.1, 0.2, 0.3], [9, -0.1, -0.2, -0.3]], np.float32)
    levels = np.array([0, 0, 0, UNIT, 0, 0])
    found = dequantise(quantised, classes, levels, centres)
    assert np.allclose(found, [[[0, 1.1, -0.9, 3.6, -3.3, 899.7]]])
