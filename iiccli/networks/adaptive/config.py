"""What shape an adaptive network has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from iiccli.networks.adaptive.links import Link, followers, links

Kind = Literal["pictures", "layers", "gray"]
Prediction = Literal["none", "cover", "zoom"]

MOST_MODES = 32


@dataclass(frozen=True)
class AdaptiveConfig:
    """Hyper-parameters of an `AdaptiveNet`.

    Attributes:
        pictures: how many pictures go in and come back, the first of them the cover.
        kind: what is coded beside the cover. `pictures`: the others, and the first too where the
            carrier is smaller; `layers`: of a composite, its background and alpha; `gray`: the
            colour of a carrier in gray.
        scale: the carrier is this many times smaller than the pictures: 1, 2 or 4.
        prediction: what the cover tells of the others: nothing; itself; or, of the second
            picture, its own centre, magnified.
        motion: spacing in pixels of the vectors that move the prediction; 0 leaves it in place.
        modes: ways to weigh what predicts a picture, of which each cell names one. With any, a
            picture is predicted from the one before it in `sequence` too, as that is decoded; 0:
            from the cover alone, taken as it is.
        cell: side of a transform cell in pixels; a power of two.
        moduli: per carrier quality, the modulus of each channel of the carrier.
        joint: whether the enhancer sees all pictures at once, or each by itself.
        width: channels of the enhancer.
        depth: residual blocks of the enhancer.
    """

    pictures: int
    kind: Kind = "pictures"
    scale: int = 1
    prediction: Prediction = "cover"
    motion: int = 0
    modes: int = 0
    cell: int = 16
    moduli: tuple[tuple[int, ...], ...] = ((3, 3, 3), (4, 4, 4), (8, 8, 8))
    joint: bool = True
    width: int = 64
    depth: int = 5

    def __post_init__(self) -> None:
        """Refuse what no network can be built from."""
        if self.kind not in get_args(Kind) or self.prediction not in get_args(Prediction):
            raise ValueError(f"no such kind or prediction: {self.kind}, {self.prediction}")
        wanted = {"layers": 3, "gray": 1}.get(self.kind, self.pictures)
        if self.pictures != wanted or not 1 <= self.pictures <= 85:
            raise ValueError(f"{self.pictures} pictures do not fit the kind {self.kind}")
        if self.scale not in (1, 2, 4) or (self.scale > 1 and self.kind != "pictures"):
            raise ValueError(f"no scale {self.scale} for {self.kind}")
        if self.ranks < 1:
            raise ValueError("one picture alone leaves nothing to code")
        if self.cell not in (8, 16, 32) or (self.motion and self.cell % self.motion):
            raise ValueError("the cell is 8, 16 or 32, and a multiple of the vectors' spacing")
        if self.motion and (self.motion % 2 or self.kind != "pictures"):
            raise ValueError("motion is for pictures, with vectors at even distances")
        if self.modes and (self.kind != "pictures" or self.prediction == "none"):
            raise ValueError("modes are for pictures that a cover predicts")
        if not 0 <= self.modes <= MOST_MODES:
            raise ValueError(f"modes are in 0..{MOST_MODES}")
        channels = {len(row) for row in self.moduli}
        if channels != {self.cover_channels} or not 1 <= len(self.moduli) <= 16:
            raise ValueError("a quality has one modulus for each channel of the carrier")
        if not all(2 <= q <= 64 for row in self.moduli for q in row):
            raise ValueError("moduli are in 2..64")
        if not self.joint and (self.kind != "pictures" or self.scale > 1):
            raise ValueError("only pictures of the carrier's size can be enhanced one by one")
        if self.width < 1 or self.depth < 0:
            raise ValueError("the enhancer has a width and no negative depth")

    @property
    def cover_channels(self) -> int:
        """Channels of the carrier."""
        return 1 if self.kind == "gray" else 3

    @property
    def ranks(self) -> int:
        """Planes that are coded, and principal components at each frequency."""
        if self.kind == "layers":
            return 4
        if self.kind == "gray":
            return 2
        return 3 * (self.pictures - (self.scale == 1))

    @property
    def fields(self) -> int:
        """Fields of motion vectors: each picture's against the cover, and the one before it."""
        if not self.motion:
            return 0
        return self.ranks // 3 + (len(followers(self.sequence)) if self.modes else 0)

    @property
    def sequence(self) -> tuple[Link, ...]:
        """The order in which pictures are coded, with modes."""
        return links(self.ranks // 3, covered=self.scale > 1)

    @property
    def channels(self) -> int:
        """Planes that are decoded: the cover's and the coded ones."""
        return self.cover_channels + self.ranks
