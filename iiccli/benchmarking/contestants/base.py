"""What all ways to put several pictures into one look like to a benchmark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.carrier import Header
from iiccli.errors import DamagedCarrierError
from iiccli.evaluation.cases import Case
from iiccli.evaluation.metrics import Pixels
from iiccli.tasks.pictures import RestoredPictures
from iiccli.zoo.modelfile import Card


@dataclass(frozen=True)
class Job:
    """A case, ready for all contestants.

    Attributes:
        case: what is measured.
        card: of the model that all are compared with.
        quality: of its carrier.
        pictures: what goes in, in the case's order, (H, W, 3) uint8 each.
        cover: what the carrier should look like.
        psnr: what the model's carrier has against the cover, in dB: contestants that can be set
            to a PSNR are set to this one. Infinite before the model was measured.
    """

    case: Case
    card: Card
    quality: str
    pictures: Sequence[Pixels]
    cover: Pixels
    psnr: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        height, width = self.pictures[0].shape[:2]
        return width, height

    @property
    def reference(self) -> Pixels:
        """The picture that the carrier looks like."""
        return self.pictures[self.case.reference]

    @property
    def others(self) -> list[Pixels]:
        """All but the reference."""
        return [p for i, p in enumerate(self.pictures) if i != self.case.reference]


@dataclass(frozen=True)
class Back:
    """What a contestant takes out of a carrier.

    Attributes:
        carrier: as it was read.
        header: what it says about itself, or would.
        restored: the pictures, in the case's order.
    """

    carrier: Pixels
    header: Header
    restored: RestoredPictures


class Contestant(ABC):
    """One way to do what a model does.

    Attributes:
        name: short, as tables show it.
        words: what it is, one phrase.
        fair: whether its carrier is held to the PSNR of the model's; else it is as good or bad
            as it comes.
        version: counts changes that make earlier figures void.
    """

    name: str
    words: str
    fair: bool = True
    version: int = 1

    @abstractmethod
    def takes(self, card: Card) -> bool:
        """Whether it can do what a model of that kind does."""

    @abstractmethod
    def embed(self, job: Job, path: Path) -> None:
        """Write a carrier, a PNG.

        Raises:
            IicError: it cannot be done.
        """

    @abstractmethod
    def restore(self, job: Job, path: Path) -> Back:
        """Take the pictures out of a carrier, from its file alone but for sizes and settings.

        Args:
            job: of the pictures in it only number, size and reference may be looked at.
            path: what `embed` wrote, or what is left of it.

        Raises:
            IicError: nothing can be taken out.
        """


class Plain(Contestant):
    """A contestant whose file is a picture and nothing else: no header, no metadata."""

    @abstractmethod
    def carrier(self, job: Job) -> Pixels:
        """Make the carrier."""

    @abstractmethod
    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """What is in a carrier, in the case's order."""

    def embed(self, job: Job, path: Path) -> None:
        """See `Contestant.embed`."""
        Image.fromarray(self.carrier(job)).save(path, "PNG")

    def restore(self, job: Job, path: Path) -> Back:
        """See `Contestant.restore`."""
        with Image.open(path) as image:
            carrier = np.array(image.convert("L" if job.cover.ndim == 2 else "RGB"))
        if carrier.shape != job.cover.shape:
            height, width = job.cover.shape[:2]
            raise DamagedCarrierError(
                f"It is {carrier.shape[1]}×{carrier.shape[0]} and was {width}×{height}: nothing is "
                "where it was."
            )
        pictures = self.pictures(job, carrier)
        reference = job.case.reference
        count = len(pictures)
        header = Header(
            task=job.card.task,
            model="",
            model_hash="0" * 16,
            size=(carrier.shape[1], carrier.shape[0]),
            pictures=count,
            reference=reference,
            valid=count,
        )
        return Back(carrier, header, RestoredPictures(pictures, reference, None, (), job.card))


def in_order(job: Job, reference: Pixels, others: Sequence[Pixels]) -> list[Pixels]:
    """Put the reference between the others."""
    found = list(others)
    found.insert(job.case.reference, reference)
    return found
