"""A header and noisy pixels to make carriers of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from iiccli.carrier import Header

HASH = "0123456789abcdef" * 4


def make_header(size: tuple[int, int] = (96, 80), **changes: Any) -> Header:
    values: dict[str, Any] = {
        "task": "video",
        "model": "video-5.v1",
        "model_hash": HASH,
        "size": size,
        "pictures": 5,
        "reference": 2,
        "valid": 5,
        "fps": Fraction(30000, 1001),
        "quality": 3,
        "part": 1,
        "parts": 4,
        "clip_id": "00000000000000ff",
        "essentials": b"\x01\x02\x00",
        "extra": {"sizes": [[96, 80]], "name": "héllo"},
    }
    return Header(**(values | changes))


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def header() -> Header:
    return make_header()


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return noise(80, 96)
