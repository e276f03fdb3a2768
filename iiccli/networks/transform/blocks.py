"""The learned block transform: a cosine transform in space, principal components across."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def cosine_matrix(size: int) -> Tensor:
    """The orthonormal DCT-II of `size` points, (frequency, position), in float64, on the CPU."""
    # Under `torch.device("meta")` too: it is no weight, and there arange loads torch's compiler.
    position = torch.arange(size, dtype=torch.float64, device="cpu") + 0.5
    frequency = torch.arange(size, dtype=torch.float64, device="cpu")[:, None]
    matrix = torch.cos(math.pi / size * frequency * position) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


class BlockTransform(nn.Module):
    """Orthonormal transform of square cells over space, pictures and colours.

    In space a cosine transform; across the `channels` (pictures × colours), for every spatial
    frequency its own orthogonal matrix, fitted to the training pictures (Karhunen-Loève), most
    variance first. Being orthonormal, it makes an error in the coefficients an error of equal
    energy in the pictures.
    """

    cosine: Tensor

    def __init__(self, channels: int, cell: int) -> None:
        super().__init__()
        self.channels = channels
        self.cell = cell
        self.register_buffer("cosine", cosine_matrix(cell).float(), persistent=False)
        self.mixes = nn.Parameter(torch.zeros(cell * cell, channels, channels))
        with torch.no_grad():  # by steps that torch knows on "meta" without its compiler
            self.mixes.diagonal(dim1=1, dim2=2).fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (C, H, W), H and W multiples of the cell, to (cells, cell² · C).

        Cells are in raster order; coefficients are frequency-major (row, column), then by rank.
        """
        spectrum = self.spectrum(x)
        mixed = torch.bmm(spectrum, self.mixes)
        return mixed.permute(1, 0, 2).reshape(mixed.shape[1], -1)

    def inverse(self, coefficients: Tensor, height: int, width: int) -> Tensor:
        """Undo `forward`: (cells, cell² · C) to (C, H, W)."""
        cell, channels = self.cell, self.channels
        rows, columns = height // cell, width // cell
        z = coefficients.view(rows * columns, cell * cell, channels).permute(1, 0, 2)
        return self.planes(torch.bmm(z, self.mixes.transpose(1, 2)), height, width)

    def planes(self, spectrum: Tensor, height: int, width: int) -> Tensor:
        """Undo `spectrum`: (cell², cells, C) to (C, H, W), of any C."""
        cell, channels = self.cell, spectrum.shape[-1]
        rows, columns = height // cell, width // cell
        blocks = spectrum.view(cell, cell, rows, columns, channels).permute(4, 2, 3, 0, 1)
        blocks = self.cosine.T @ blocks @ self.cosine
        return blocks.permute(0, 1, 3, 2, 4).reshape(channels, height, width)

    def spectrum(self, x: Tensor) -> Tensor:
        """Only the cosine transform: (C, H, W) to (cell², cells, C), of any C."""
        channels, height, width = x.shape
        cell = self.cell
        rows, columns = height // cell, width // cell
        blocks = x.reshape(channels, rows, cell, columns, cell).permute(0, 1, 3, 2, 4)
        blocks = self.cosine @ blocks @ self.cosine.T
        return blocks.permute(3, 4, 1, 2, 0).reshape(cell * cell, rows * columns, channels)
