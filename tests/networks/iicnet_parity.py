"""Helpers of the parity tests: the facts in parity/ and its README's rule to fill weights."""

import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FACTS = Path(__file__).parent / "parity"
PARAMETERS = {"st-01": 6_805_540, "supp-gray-01": 3_455_158, "supp-sr-01": 3_964_022}


def official_shapes(name: str) -> dict[str, tuple[int, ...]]:
    listed = json.loads((FACTS / f"{name}.keys.json").read_text())
    return {key: tuple(shape) for key, shape in listed.items()}


def fill(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The state dict by the README's rule; `haar_weights` has none and is left out."""
    state = {}
    for name, shape in shapes.items():
        if name.endswith("haar_weights"):
            continue
        values = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
        drawn = values.standard_normal(shape)
        match len(shape):
            case 4:
                drawn = drawn * 0.5 / math.sqrt(math.prod(shape[1:]))
            case 1:
                drawn = 0.01 * drawn
            case _:
                drawn = np.linalg.qr(drawn)[0]
        state[name] = torch.from_numpy(np.ascontiguousarray(drawn, dtype=np.float32))
    return state
