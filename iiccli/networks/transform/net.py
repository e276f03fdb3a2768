"""The transform network: analysis, quantisation, synthesis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iiccli.networks.transform.allocation import Allocation
from iiccli.networks.transform.blocks import BlockTransform
from iiccli.networks.transform.config import GAIN_STEP, UNIT, TransformConfig
from iiccli.networks.transform.enhancer import Enhancer
from iiccli.networks.transform.motion import compensate, estimate
from iiccli.networks.transform.quantiser import Quantiser

Window = tuple[int, int, int, int]
"""Top, bottom, left and right of a rectangle of pixels, half open."""


@dataclass(frozen=True)
class Coefficients:
    """What the analysis of one clip gives, before bits are dealt out.

    Attributes:
        z: (cells, coefficients) float32.
        gains: (cells, groups) int16, in steps of a factor of sqrt(2).
        vectors: (pictures - 1, 2, rows, columns) int16 quarter pixels, or None.
    """

    z: Tensor
    gains: Tensor
    vectors: Tensor | None


class TransformNet(nn.Module):
    """Pictures to coefficients and back, given a cover.

    Shapes: pictures are (3, H, W) each, RGB in 0..1, H and W multiples of the cell. Turning
    coefficients into a carrier's whole numbers is the task of `iiccli.inference.message`.
    """

    scale = 1

    def __init__(self, config: TransformConfig) -> None:
        super().__init__()
        self.config = config
        self.transform = BlockTransform(config.others, config.cell)
        self.allocation = Allocation(config)
        self.quantiser = Quantiser()
        self.enhancer = Enhancer(3 * config.pictures, config.groups + 3, config.width, config.depth)

    @property
    def multiple(self) -> int:
        """Heights and widths are padded to a multiple of this."""
        return self.config.cell

    @property
    def reach(self) -> int:
        """How many pixels away a decoded sample can matter to the enhancer."""
        return self.enhancer.reach

    def analyse(self, reference: Tensor, others: Tensor) -> Coefficients:
        """Predict `others` (P, 3, H, W) from `reference` (3, H, W), transform the error."""
        vectors = None
        if self.config.motion:
            vectors = self.estimate(reference.expand_as(others), others)
        error = others - self.predict(reference, vectors)
        z = self.transform(error.flatten(0, 1))
        return Coefficients(z, self.allocation.gains(z), vectors)

    def estimate(self, reference: Tensor, others: Tensor) -> Tensor:
        """Motion of each of `others` against `reference`, both (P, 3, H, W); see `motion`."""
        return estimate(reference, others, self.config.motion)

    def predict(self, cover: Tensor, vectors: Tensor | None) -> Tensor:
        """The other pictures as far as the cover (3, H, W) shows them: (P, 3, H, W)."""
        copies = cover.expand(self.config.pictures - 1, *cover.shape)
        if vectors is None:
            return copies
        return compensate(copies, vectors, self.config.motion)

    def quantise(self, z: Tensor, gains: Tensor, water: int | Tensor) -> tuple[Tensor, Tensor]:
        """Round coefficients: ((cells, coefficients) int16 indices, their bits int64).

        `water` is one level for all, or (cells, 1) int32.
        """
        steps = self.allocation.steps(gains)
        bits = self.allocation.bits(steps, water)
        return self.quantiser.quantise(z * torch.exp2(-steps / UNIT), bits), bits

    def dequantise(self, index: Tensor, bits: Tensor, gains: Tensor) -> Tensor:
        """Undo `quantise`: (cells, coefficients) float32; 0 for what got no bits."""
        steps = self.allocation.steps(gains)
        return self.quantiser.dequantise(index, bits) * torch.exp2(steps / UNIT)

    def synthesise(self, z: Tensor, vectors: Tensor | None, carrier: Tensor) -> Tensor:
        """Decode, not yet enhanced: (P, 3, H, W) from coefficients and carrier (3, H, W)."""
        height, width = carrier.shape[-2:]
        error = self.transform.inverse(z, height, width)
        return self.predict(carrier, vectors) + error.view(-1, 3, height, width)

    def level_map(self, gains: Tensor, waters: Tensor, rows: int, columns: int) -> Tensor:
        """How far each cell's gains stand above its water level, for the enhancer.

        Args:
            gains: (rows · columns, groups) int16.
            waters: (rows · columns,) int32, the water level that each cell was coded at.
            rows: of cells.
            columns: of cells.

        Returns:
            (groups, rows, columns) float32, of order one.
        """
        level = (GAIN_STEP * gains.float() - waters.float()[:, None]) / (4 * UNIT)
        return level.clamp(-4, 8).T.reshape(-1, rows, columns)

    def step_sizes(self, quality: int) -> Tensor:
        """The carrier's error per colour, for the enhancer: (3,), of order one."""
        return torch.tensor([math.log2(q) / 4 for q in self.config.moduli[quality]])


def side_planes(levels: Tensor, steps: Tensor, window: Window, cell: int) -> Tensor:
    """The enhancer's side information over a window of the picture.

    Args:
        levels: (groups, rows, columns) of `TransformNet.level_map`.
        steps: (3,) of `TransformNet.step_sizes`.
        window: (top, bottom, left, right) in pixels, all even.
        cell: side of a cell in pixels.

    Returns:
        (groups + 3, height / 2, width / 2).
    """
    top, bottom, left, right = window
    rows = torch.arange(top, bottom, 2, device=levels.device) // cell
    columns = torch.arange(left, right, 2, device=levels.device) // cell
    maps = levels[:, rows][:, :, columns].float()
    flat = steps.to(maps).view(-1, 1, 1).expand(-1, *maps.shape[-2:])
    return torch.cat((maps, flat))
