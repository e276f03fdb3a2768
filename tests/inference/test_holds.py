"""Whether a picture holds a message, told without restoring it."""

from __future__ import annotations

import numpy as np
import pytest

from iiccli.carrier.turning import turned_back
from iiccli.inference.codec import CodecConverter
from iiccli.inference.converter import Converter
from tests.adaptive_models import KINDS, converter_of, everywhere, pictures_of
from tests.conftest import Pixels, moving_clip


def check(converter: Converter, carrier: Pixels, quality: int) -> None:
    def holds(pixels: Pixels, level: int = quality) -> bool:
        return converter.holds(pixels, level, np.ones(pixels.shape, bool))

    assert holds(carrier)
    assert not any(holds(np.ascontiguousarray(pixels)) for _, pixels in turned_back(carrier))
    assert not holds(carrier, 1 - quality)
    assert not holds(carrier ^ 1)
    painted = carrier.copy()
    painted[: carrier.shape[0] // 16] = 0
    assert holds(painted)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in ("hide", "gray")])
def test_the_adaptive_network(kind: str) -> None:
    converter = converter_of(kind)
    pictures = pictures_of(kind, 200, 280)
    carrier = converter.embed(pictures, 1, everywhere(converter, pictures))
    check(converter, carrier, 1)


def test_the_codec() -> None:
    pictures = moving_clip(96, 128, 2, (2, 1), seed=5)
    converter = CodecConverter("hide", 2)
    check(converter, converter.embed(pictures, 1, np.ones((96, 128, 3), bool)), 1)
    tiny = np.zeros((4, 4, 3), np.uint8)
    assert not converter.holds(tiny, 1, np.ones(tiny.shape, bool))
