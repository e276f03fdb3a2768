"""Where the last mix starts: a task's best linear guess of the carrier and of what to keep.

Each matrix maps the pictures' channels, at the carrier's size, to the carrier's c channels, then
what matters most besides (the modulo message), then the rest. A good start beat every other
change that was tried on this network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from iiccli.networks.fast.config import FastConfig
from iiccli.networks.invertible import haar_matrix
from iiccli.networks.invertible.order import COLOURS

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, of red, green and blue


def start_matrix(config: FastConfig) -> Tensor:
    """The (C', C') matrix of a configuration, with C' = `config.carrier_channels`.

    - video: the reference, then the differences to it, rotated in time: the signed time slope
      first, then what is orthogonal to it, smooth members first;
    - stereo (also two views of unlike things, and layers): the reference, then the differences;
    - gray: luma, blue minus luma, red minus luma;
    - rescale: the mean of every cell, then the Haar details;
    - hide, identity: the pictures as they are.
    """
    match config.start:
        case "video":
            return _over_colours(_differences(config.pictures, time_basis(config.pictures)))
        case "stereo":
            return _over_colours(_differences(config.pictures, torch.eye(config.pictures - 1)))
        case "gray":
            red, green, blue = _LUMA
            return torch.tensor(
                [[red, green, blue], [-red, -green, 1 - blue], [1 - red, -green, -blue]]
            )
        case "rescale":
            gain = torch.ones(config.carrier_channels, 1)
            gain[: config.in_channels] /= config.scale  # the means at their own brightness
            return gain * haar_matrix(config.in_channels, config.levels)
        case "hide" | "identity":
            return torch.eye(config.carrier_channels)


def message_range(config: FastConfig) -> tuple[float, float]:
    """Where the message channels' values lie at the start: their centre and their spread."""
    return (0.5, 0.18) if config.start in ("hide", "identity") else (0.0, 0.1)


def time_basis(pictures: int) -> Tensor:
    """An orthonormal (N−1, N−1) basis over the pictures other than the middle one.

    Row k is a polynomial in time of degree k + 1 that vanishes at the middle picture, where
    differences do; the first row rises with time.
    """
    middle = pictures // 2
    times = torch.tensor([float(t - middle) for t in range(pictures) if t != middle])
    times = times.double() / max(1, middle)
    powers = torch.stack([times**degree for degree in range(1, pictures)], dim=1)
    basis, triangle = torch.linalg.qr(powers)
    signed: Tensor = basis * triangle.diagonal().sign()
    return signed.T.float()


def _differences(pictures: int, basis: Tensor) -> Tensor:
    """(N, N): the reference, then `basis` applied to the differences to it."""
    matrix = torch.eye(pictures)
    matrix[1:, 1:] = basis
    matrix[1:, 0] = -basis.sum(dim=1)
    return matrix


def _over_colours(matrix: Tensor) -> Tensor:
    """(N, N) over pictures to (3N, 3N) over their channels, the same for each colour."""
    return torch.kron(matrix, torch.eye(COLOURS))
