"""Bytes behind Reed-Solomon codes: what is repaired, and what is beyond repair."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.coding.protection import OWN, SMALLEST, BeyondRepairError, Protection
from iiccli.coding.whole import Whole

HEAD = bytes(range(OWN))


def of_picture(height: int, width: int) -> tuple[Whole, Protection]:
    whole = Whole(np.ones((height, width, 3), bool), (4, 4, 4))
    return whole, Protection(whole.rows)


def noise(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


@pytest.mark.parametrize("size", [SMALLEST, 100, 255, 319, 320, 1000, 5000])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_what_goes_in_comes_out(size: int, share: float) -> None:
    protection = Protection(np.arange(size) // 40)
    content = noise(int(share * protection.room))
    message = protection.write(HEAD, content)
    assert len(message) == size
    found = protection.read(message)
    assert (found.head, found.content, found.repaired) == (HEAD, content, 0)


def test_too_few_bytes() -> None:
    with pytest.raises(ValueError, match="too few"):
        Protection(np.zeros(SMALLEST - 1, np.int64))


def test_a_painted_place_is_repaired_wherever_it_is() -> None:
    whole, protection = of_picture(160, 240)
    content = noise(protection.room)
    numbers, _ = whole.write(protection.write(HEAD, content))
    for top, left in ((0, 0), (50, 90), (138, 214), (3, 200)):
        painted = numbers.copy()
        painted[top : top + 22, left : left + 26] = 0  # 1.5 % of the picture
        found = protection.read(whole.read(painted))
        assert found.content == content
        assert found.repaired > 100


def test_more_room_makes_it_stronger() -> None:
    whole, protection = of_picture(160, 240)
    content = noise(int(0.85 * protection.room))
    numbers, _ = whole.write(protection.write(HEAD, content))
    numbers[20:60, 30:62] = 0  # 3.3 %
    assert protection.read(whole.read(numbers)).content == content
    full, _ = whole.write(protection.write(HEAD, noise(protection.room)))
    full[20:60, 30:62] = 0
    with pytest.raises(BeyondRepairError, match="content"):
        protection.read(whole.read(full))


def test_nothing_but_noise() -> None:
    _, protection = of_picture(40, 60)
    for seed in range(5):
        with pytest.raises(BeyondRepairError, match="head"):
            protection.read(noise(protection.size, seed))


def test_a_whole_head_that_makes_no_sense() -> None:
    _, protection = of_picture(40, 60)
    _, larger = of_picture(60, 60)
    # The same head in a message of another length claims more than there is.
    message = np.frombuffer(protection.write(HEAD, b""), np.uint8).copy()
    other = np.frombuffer(larger.write(HEAD, noise(larger.room)), np.uint8)
    message[protection._head] = other[larger._head]
    with pytest.raises(BeyondRepairError, match="no sense"):
        protection.read(message.tobytes())


def test_what_fills_up_looks_like_noise() -> None:
    _, protection = of_picture(100, 100)
    values = np.frombuffer(protection.write(HEAD, b"little"), np.uint8)
    counts = np.bincount(values, minlength=256)
    assert counts.max() < 2 * counts.mean()
