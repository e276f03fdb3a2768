"""In how many bits the enhancer computes."""

from __future__ import annotations

import pytest
import torch

from iiccli.inference.precision import enhancing


def multiplied(device: str) -> torch.dtype:
    with enhancing(torch.device(device)):
        return (torch.ones(4, 4) @ torch.ones(4, 4)).dtype


def test_full_precision_on_the_cpu_and_mps() -> None:
    for device in ("cpu", "mps"):
        assert multiplied(device) == torch.float32


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_half_precision_on_cuda() -> None:
    context = enhancing(torch.device("cuda"))
    assert isinstance(context, torch.autocast)
    assert context.fast_dtype == torch.float16
