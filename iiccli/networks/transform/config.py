"""What shape a transform network has."""

from __future__ import annotations

from dataclasses import dataclass

UNIT = 16
"""Integer log-scale: this many steps to one factor of two in amplitude (one bit)."""

GAIN_STEP = UNIT // 2
"""A cell's gain is coded in steps of a factor of sqrt(2)."""

GAIN_MIN, GAIN_MAX = -20, 11
"""Range of a coded gain, in steps of sqrt(2): five bits."""

MAX_BITS = 8
"""Most bits that one coefficient gets."""


@dataclass(frozen=True)
class TransformConfig:
    """Hyper-parameters of a `TransformNet`.

    Attributes:
        pictures: how many pictures come back, the reference among them.
        cell: side of a transform cell in pixels; a power of two.
        bands: a coefficient of horizontal and vertical frequency (u, v) is in the first band
            whose limit exceeds u + v; each band has its own gain per cell.
        ranks: the same for the coefficient's rank among the principal components of its
            frequency, over pictures and colours.
        motion: spacing of the motion vectors in pixels; 0 predicts from the cover unmoved.
        moduli: per carrier quality, the modulus of the red, green and blue samples; powers
            of two.
        width: channels of the enhancer.
        depth: residual blocks of the enhancer.
    """

    pictures: int
    cell: int = 16
    bands: tuple[int, ...] = (3, 6, 12)
    ranks: tuple[int, ...] = ()
    motion: int = 8
    moduli: tuple[tuple[int, int, int], ...] = ((4, 4, 4), (4, 4, 8), (8, 8, 8))
    width: int = 64
    depth: int = 5

    def __post_init__(self) -> None:
        """Refuse what no network can be built from."""
        powers = (1 << i for i in range(1, 9))
        if not 2 <= self.pictures <= 255:
            raise ValueError("a carrier holds 2 to 255 pictures")
        if self.cell not in (2, 4, 8, 16, 32, 64):
            raise ValueError("the cell is a power of two from 2 to 64")
        if self.motion and (self.motion % 2 or self.cell % self.motion):
            raise ValueError("the spacing of motion vectors is even and divides the cell")
        if not self.moduli or {q for row in self.moduli for q in row} - set(powers):
            raise ValueError("moduli are powers of two up to 256")
        if self.width < 1 or self.depth < 0:
            raise ValueError("the enhancer has a width and no negative depth")

    @property
    def others(self) -> int:
        """Channels that the message carries: three for each picture but the reference."""
        return 3 * (self.pictures - 1)

    @property
    def coefficients(self) -> int:
        """Transform coefficients in a cell."""
        return self.cell * self.cell * self.others

    @property
    def groups(self) -> int:
        """Gains in a cell."""
        return (len(self.bands) + 1) * (len(self.ranks) + 1)
