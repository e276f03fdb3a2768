"""How many bits each coefficient gets: whole-number arithmetic, the same on every device.

A coefficient's expected amplitude is its table value times its cell's gain, both kept as whole
numbers on a log scale. Reverse water-filling (Cover & Thomas, Elements of Information Theory,
10.3.3) with the real quantisers' distortions: a bit is spent wherever it lowers the squared error
by more than the water level says.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iiccli.networks.transform.config import (
    GAIN_MAX,
    GAIN_MIN,
    GAIN_STEP,
    MAX_BITS,
    UNIT,
    TransformConfig,
)

WATER_MIN, WATER_MAX = -1024, 1023
"""Range of the water level: eleven bits."""


class Allocation(nn.Module):
    """The tables behind the bits.

    Buffers:
        scales: (coefficients,) int32, log amplitude at gain 0, in `UNIT`s.
        thresholds: (MAX_BITS,) int32, ascending: a coefficient at level L above the water gets
            as many bits as thresholds are <= L.
        group: (coefficients,) int64, which of the cell's gains applies (not stored: it follows
            from the configuration).
    """

    scales: Tensor
    thresholds: Tensor
    group: Tensor

    def __init__(self, config: TransformConfig) -> None:
        super().__init__()
        self.groups = config.groups
        self.register_buffer("scales", torch.zeros(config.coefficients, dtype=torch.int32))
        self.register_buffer("thresholds", UNIT * torch.arange(MAX_BITS, dtype=torch.int32))
        self.register_buffer("group", coefficient_groups(config), persistent=False)

    def gains(self, z: Tensor) -> Tensor:
        """Measure each cell's gains: (cells, coefficients) to (cells, groups) int16.

        A group without coefficients (fewer pictures than `ranks` foresees) has gain 0.
        """
        energy = (z / self.amplitude(z.dtype)).square()
        sums = z.new_zeros(z.shape[0], self.groups).index_add_(1, self.group, energy)
        counts = torch.bincount(self.group, minlength=self.groups)
        mean = torch.where(counts > 0, sums / counts.clamp(min=1), 1.0).clamp(min=1e-12)
        return mean.log2().round().clamp(GAIN_MIN, GAIN_MAX).to(torch.int16)

    def amplitude(self, dtype: torch.dtype) -> Tensor:
        """The table as amplitudes at gain 0, (coefficients,)."""
        return torch.exp2(self.scales.to(dtype) / UNIT)

    def steps(self, gains: Tensor) -> Tensor:
        """Log amplitude of every coefficient, (cells, coefficients) int32, in `UNIT`s."""
        return self.scales + GAIN_STEP * gains.to(torch.int32)[:, self.group]

    def bits(self, steps: Tensor, water: int | Tensor) -> Tensor:
        """Bits of every coefficient for `steps` above the level `water`; same shape, int64."""
        return torch.bucketize(steps - water, self.thresholds, right=True)

    def water(self, gains: Tensor, capacity: int) -> int:
        """The lowest water level at which all coefficients fit into `capacity` bits."""
        low, high = WATER_MIN, WATER_MAX
        histogram = self._histogram(gains)
        while low < high:
            middle = (low + high) // 2
            if self._total(histogram, middle) <= capacity:
                high = middle
            else:
                low = middle + 1
        return low

    def cell_bits(self, gains: Tensor, per_gain: Tensor) -> Tensor:
        """Bits that each cell takes, (cells,) int64; `per_gain` is `bits_per_gain` of the level."""
        index = (gains.long() - GAIN_MIN).T
        return torch.stack([per_gain[g][index[g]] for g in range(self.groups)]).sum(0)

    def bits_per_gain(self, water: int) -> Tensor:
        """Bits of a whole group at each possible gain, (groups, gains) int64."""
        gains = torch.arange(GAIN_MIN, GAIN_MAX + 1, device=self.scales.device)
        steps = self.scales[None, :] + GAIN_STEP * gains[:, None]
        bits = self.bits(steps, water)
        result = bits.new_zeros(self.groups, len(gains))
        return result.index_add_(0, self.group, bits.T)

    def _histogram(self, gains: Tensor) -> Tensor:
        index = (gains.long() - GAIN_MIN).T
        size = GAIN_MAX - GAIN_MIN + 1
        return torch.stack([torch.bincount(g, minlength=size) for g in index])

    def _total(self, histogram: Tensor, water: int) -> int:
        return int((self.bits_per_gain(water) * histogram).sum())


def coefficient_groups(config: TransformConfig) -> Tensor:
    """Which gain applies to each coefficient of a cell, (coefficients,) int64."""
    frequency = torch.arange(config.cell)
    radius = (frequency[:, None] + frequency[None, :]).reshape(-1, 1)
    rank = torch.arange(config.others)[None, :]
    band = torch.bucketize(radius, torch.tensor(config.bands, dtype=torch.int64), right=True)
    part = torch.bucketize(rank, torch.tensor(config.ranks, dtype=torch.int64), right=True)
    return (band * (len(config.ranks) + 1) + part).reshape(-1)
