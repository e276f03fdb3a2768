"""Scalar quantisers of one to eight bits, fitted to the coefficients they meet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iiccli.networks.transform.config import MAX_BITS


class Quantiser(nn.Module):
    """Nearest-value quantisers, one codebook per number of bits (Lloyd 1982, Max 1960).

    Buffers:
        codebooks: (MAX_BITS, 2^MAX_BITS) float32; row b - 1 holds 2^b ascending values for
            coefficients of unit amplitude, the rest of the row is unused.
    """

    codebooks: Tensor

    def __init__(self) -> None:
        super().__init__()
        books = torch.zeros(MAX_BITS, 2**MAX_BITS)
        for bits in range(1, MAX_BITS + 1):
            books[bits - 1, : 2**bits] = _laplace_start(bits)
        self.register_buffer("codebooks", books)

    def codebook(self, bits: int) -> Tensor:
        """The 2^bits ascending reconstruction values."""
        return self.codebooks[bits - 1, : 2**bits]

    def quantise(self, x: Tensor, bits: Tensor) -> Tensor:
        """Index of the nearest value, int16, shaped as `x`; 0 where `bits` is 0."""
        index = torch.zeros_like(x, dtype=torch.int16)
        for b in range(1, MAX_BITS + 1):
            chosen = bits == b
            book = self.codebook(b)
            edges = (book[1:] + book[:-1]) / 2
            index[chosen] = torch.bucketize(x[chosen], edges).to(torch.int16)
        return index

    def dequantise(self, index: Tensor, bits: Tensor) -> Tensor:
        """The values that `index` stands for; 0 where `bits` is 0."""
        row = (bits - 1).clamp(min=0)
        values: Tensor = self.codebooks[row, index.long()] * (bits > 0)
        return values


def _laplace_start(bits: int) -> Tensor:
    """Centres of the compander that suits a Laplacian of unit variance at high rate."""
    levels = 2**bits
    t = (2 * torch.arange(levels, dtype=torch.float64) + 1) / levels - 1
    scale = 3 / 2**0.5
    values: Tensor = -t.sign() * scale * torch.log1p(-t.abs())
    return values.float()
