"""In how many bits the enhancer computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def enhancing(device: torch.device) -> AbstractContextManager[object]:
    """Half precision on CUDA, where it is twice as fast or more; full precision elsewhere.

    Only for the enhancer: it repairs what is decoded already. What decides where bits stand is
    whole numbers, and what predicts is full precision, so that carriers of one device are read on
    any other. Measured on the CPU (docs/architecture.md): float16 moves what comes back by less
    than 0.05 dB, bfloat16 costs up to 0.17 dB.
    """
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.float16)
    return nullcontext()
