"""Heads and a pool in the samples of a region: every free sample, and no other."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iiccli.coding.bits import Reader
from iiccli.coding.digits import capacity
from iiccli.coding.layout import Region, regions
from iiccli.inference.adaptive.stream import HEAD_BITS, NOTHING, Stream, cell_blocks, head, within

MODULI = st.sampled_from([(3, 3, 3), (4, 4, 8), (2, 5, 64), (3,), (2,), (16, 16, 16)])


def region_of(height: int, width: int, cell: int = 16) -> Region:
    (region,) = regions(height, width, cell)
    return region


def stream_of(height: int, width: int, moduli, seed: int = 0, holes: float = 0) -> Stream:
    free = np.random.default_rng(seed).random((height, width, len(moduli))) >= holes
    return Stream(region_of(height, width), free, moduli)


def random_bits(random: np.random.Generator, count: int) -> np.ndarray:
    return random.integers(0, 2, count).astype(np.uint8)


@settings(max_examples=60)
@given(
    st.integers(1, 150),
    st.integers(1, 200),
    MODULI,
    st.integers(0, 999),
    st.sampled_from([0, 0.1, 0.9]),
    st.sampled_from([0, 0.3, 1]),
)
@example(1, 1, (3, 3, 3), 0, 0, 1)
@example(5, 3, (16, 16, 16), 1, 0, 1)
@example(64, 1, (4, 4, 8), 2, 0, 1)
@example(127, 191, (3, 3, 3), 3, 0, 1)
def test_what_is_written_is_read(height, width, moduli, seed, holes, share):
    random = np.random.default_rng(seed)
    free = random.random((height, width, len(moduli))) >= holes
    stream = Stream(region_of(height, width), free, moduli)
    heads = [random_bits(random, HEAD_BITS) for _ in range(stream.headed.sum())]
    payload = random_bits(random, int(share * stream.room))
    half = len(payload) // 2
    numbers, used = stream.write(heads, [payload[:half], payload[half:]])
    assert numbers.shape == used.shape == (height, width, len(moduli))
    assert not (used & ~free).any()
    assert ((numbers >= 0) & (numbers < np.array(moduli))).all()
    # What carries nothing may hold anything.
    noise = random.integers(0, np.array(moduli), numbers.shape)
    found, pool = Stream(region_of(height, width), free, moduli).read(
        np.where(used, numbers, noise)
    )
    assert len(pool) == stream.room
    assert (pool[: len(payload)] == payload).all()
    assert len(found) == len(heads)
    for a, b in zip(found, heads, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("moduli", [(4, 4, 8), (3, 3, 3), (2,)])
def test_a_full_stream_uses_every_free_sample(moduli):
    """Only the few that make no whole group of their modulus are left over."""
    stream = stream_of(130, 200, moduli, holes=0.05)
    free = np.random.default_rng(0).random((130, 200, len(moduli))) >= 0.05
    random = np.random.default_rng(1)
    heads = [random_bits(random, HEAD_BITS) for _ in range(6)]
    _, used = stream.write(heads, [random_bits(random, stream.room)])
    left = free & ~used
    assert left.sum() <= 6 * len(moduli) * 11
    if moduli != (3, 3, 3):
        assert not left.any()


def test_the_room_is_the_capacity_less_the_heads():
    stream = stream_of(64, 128, (3, 4, 5))
    each = sum(capacity(64 * 64, q) for q in (3, 4, 5))
    assert stream.room == 2 * (each - HEAD_BITS)
    assert stream.headed.tolist() == [True, True]


@pytest.mark.parametrize(
    ("size", "headed"), [((1, 1), False), ((2, 3), False), ((6, 1), False), ((7, 1), True)]
)
def test_what_is_too_small_carries_nothing(size, headed):
    stream = stream_of(*size, (8, 8, 8))  # nine bits a pixel
    assert stream.headed.tolist() == [headed]
    if not headed:
        assert stream.room == 0
        _, used = stream.write([], [])
        assert not used.any()


def test_a_block_without_free_samples_is_passed_over():
    free = np.ones((64, 192, 3), bool)
    free[:, 64:128] = False
    stream = Stream(region_of(64, 192), free, (4, 4, 4))
    assert stream.headed.tolist() == [True, False, True]
    heads = [np.ones(HEAD_BITS, np.uint8)] * 2
    _, used = stream.write(heads, [np.ones(stream.room, np.uint8)])
    assert used[:, :64].all()
    assert used[:, 128:].all()
    assert not used[:, 64:128].any()


def test_an_empty_payload_leaves_all_but_the_heads_to_the_cover():
    stream = stream_of(64, 64, (4, 4, 4))
    _, used = stream.write([np.ones(HEAD_BITS, np.uint8)], [])
    assert used.sum() == HEAD_BITS // 2
    assert used[0, : HEAD_BITS // 2, 0].all()


def test_a_changed_block_changes_its_own_bits_alone():
    stream = stream_of(64, 192, (3, 3, 3))
    random = np.random.default_rng(0)
    heads = [random_bits(random, HEAD_BITS) for _ in range(3)]
    payload = random_bits(random, stream.room)
    numbers, _ = stream.write(heads, [payload])
    numbers[:, 64:128] = 2 - numbers[:, 64:128]
    found, pool = stream.read(numbers)
    assert (found[0] == heads[0]).all()
    assert (found[1] != heads[1]).any()
    assert (found[2] == heads[2]).all()
    wrong = np.flatnonzero(pool != payload)
    assert stream.room / 3 <= wrong.min() + 100
    assert wrong.max() < 2 * stream.room / 3


def test_a_head_says_what_it_was_told_and_checks_it():
    payload = random_bits(np.random.default_rng(0), 100)
    bits = head(123456, 789, payload)
    assert len(bits) == HEAD_BITS
    fields = Reader(bits)
    check = fields.take(16)
    assert (fields.take(26), fields.take(12)) == (123456, 789)
    others = [
        head(123457, 789, payload),
        head(123456, 788, payload),
        head(123456, 789, 1 - payload),
    ]
    assert all(Reader(other).take(16) != check for other in others)
    fields = Reader(head(2**26 - 1, NOTHING, payload[:0]))
    fields.take(16)
    assert (fields.take(26), fields.take(12)) == (2**26 - 1, NOTHING)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([4, 8, 16]))
def test_cells_know_their_blocks(height, width, cell):
    region = region_of(height, width, cell)
    numbers = cell_blocks(region)
    assert numbers.shape == region.cells.shape
    for number, block in enumerate(region.blocks):
        rows, columns = within(block.pixels, region.pixels)
        middle = ((rows.start + rows.stop - 1) // 2, (columns.start + columns.stop - 1) // 2)
        assert numbers[middle[0] // cell, middle[1] // cell] == number
