"""Entropy coding of many streams at once: exact, near the entropy, and safe against damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iiccli.coding.rans import LANES, TOTAL, Decoder, Frequencies, encode, seats

CLASSES, SYMBOLS = 5, 16


def frequencies_of(seed: int) -> Frequencies:
    """Classes from nearly even to nearly certain."""
    random = np.random.default_rng(seed)
    counts = np.ones((CLASSES, SYMBOLS), np.uint32)
    for number in range(CLASSES):
        share = random.dirichlet(np.full(SYMBOLS, 10.0 ** (1 - number)))
        counts[number] += np.floor(share * (TOTAL - SYMBOLS)).astype(np.uint32)
        counts[number, counts[number].argmax()] += TOTAL - counts[number].sum()
    counts[-1] = 1
    counts[-1, 3] = TOTAL - SYMBOLS + 1
    return Frequencies(counts)


FREQUENCIES = frequencies_of(0)


class Message:
    """Steps of random symbols, as frequent as their classes say, of ragged blocks."""

    def __init__(self, seed: int, blocks: int, length: int) -> None:
        random = np.random.default_rng(seed)
        self.blocks = blocks
        self.steps = []
        shares = FREQUENCIES.counts / TOTAL
        for _ in range(int(random.integers(0, 6))):
            counts = random.integers(0, length + 1, blocks)
            counts[random.random(blocks) < 0.3] = 0
            classes = random.integers(0, CLASSES, counts.sum())
            symbols = [random.choice(SYMBOLS, p=shares[c]) for c in classes]
            self.steps.append((counts, classes, np.array(symbols, np.int64)))

    def encoded(self):
        starts = FREQUENCIES.starts()
        entries = [(seats(n), FREQUENCIES.counts[c, s], starts[c, s]) for n, c, s in self.steps]
        return encode(entries, self.blocks)

    def decoded(self, states, words):
        decoder = Decoder(states, words)
        tables = (FREQUENCIES.counts, FREQUENCIES.starts(), FREQUENCIES.symbols())
        return [decoder.take(seats(n), c, *tables) for n, c, _ in self.steps]

    def bits(self) -> float:
        """What the symbols weigh."""
        return -sum(
            float(np.log2(FREQUENCIES.counts[c, s] / TOTAL).sum()) for _, c, s in self.steps
        )


def test_frequencies_know_their_starts_and_slots():
    slots, starts = FREQUENCIES.symbols(), FREQUENCIES.starts()
    assert slots.shape == (CLASSES, TOTAL)
    for number in range(CLASSES):
        for symbol in range(SYMBOLS):
            own = np.flatnonzero(slots[number] == symbol)
            assert own[0] == starts[number, symbol]
            assert len(own) == own[-1] - own[0] + 1 == FREQUENCIES.counts[number, symbol]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_every_symbol_has_a_seat_of_its_own_in_its_block(counts):
    seat = seats(np.array(counts))
    assert seat.shape == (seat.rows, len(counts), LANES)
    assert seat.rows == -(-max(counts) // LANES)
    assert len(set(seat.place.tolist())) == sum(counts) == len(seat.place)
    _, block, _ = np.unravel_index(seat.place, seat.shape) if sum(counts) else (0, [], 0)
    assert list(block) == np.repeat(np.arange(len(counts)), counts).tolist()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 40))
def test_what_is_encoded_is_decoded(seed, blocks, length):
    message = Message(seed, blocks, length)
    states, words = message.encoded()
    assert states.shape == (blocks, LANES)
    assert ((states >= 2**16) & (states < 2**32)).all()
    for found, (_, _, symbols) in zip(message.decoded(states, words), message.steps, strict=True):
        assert (found == symbols).all()


def test_the_words_are_hardly_more_than_the_entropy():
    message = Message(12, 2, 900)
    _, words = message.encoded()
    written = 16 * sum(map(len, words))
    assert message.bits() > 2000
    # The states are worth 16 bits a lane more than they begin with.
    assert abs(written + 2 * 8 * LANES - message.bits()) < 0.01 * message.bits() + 2 * 16 * LANES


def test_a_block_is_encoded_the_same_whatever_the_others_are():
    first, other = Message(1, 4, 30), Message(1, 4, 30)
    other.steps = [
        (n, c, np.where(np.repeat(np.arange(4), n) == 2, s, (s + 1) % SYMBOLS))
        for n, c, s in first.steps
    ]
    (states, words), (others, more) = first.encoded(), other.encoded()
    assert first.steps
    assert (states[2] == others[2]).all()
    assert (words[2] == more[2]).all()
    assert (states[0] != others[0]).any()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["flipped", "cut", "none", "states", "zero"]))
def test_damage_gives_wrong_symbols_and_nothing_worse(seed, damage):
    message = Message(seed, 3, 40)
    states, words = message.encoded()
    random = np.random.default_rng(seed)
    if damage == "flipped":
        words = [w ^ random.integers(0, 2**16, len(w)).astype(np.uint16) for w in words]
    elif damage == "states":
        states = random.integers(0, 2**32, states.shape).astype(np.uint64)
    elif damage == "zero":
        states = np.zeros_like(states)
    else:
        words = [w[: len(w) // 2 if damage == "cut" else 0] for w in words]
    for found, (counts, _, _) in zip(message.decoded(states, words), message.steps, strict=True):
        assert len(found) == counts.sum()
        assert (found < SYMBOLS).all()


@pytest.mark.parametrize("damaged", range(3))
def test_damage_stays_in_its_block(damaged):
    message = Message(3, 3, 60)
    states, words = message.encoded()
    words[damaged] = words[damaged][:1]
    states[damaged] ^= np.uint64(0x5555)
    for found, (counts, _, symbols) in zip(
        message.decoded(states, words), message.steps, strict=True
    ):
        whole = np.repeat(np.arange(3), counts) != damaged
        assert (found[whole] == symbols[whole]).all()
