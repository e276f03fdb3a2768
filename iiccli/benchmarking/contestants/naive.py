"""What one does without any tool: high bits in low bits, small copies, plain enlarging."""

from __future__ import annotations

import math

import numpy as np

from iiccli.benchmarking.contestants.base import Job, Plain, in_order
from iiccli.evaluation.metrics import Pixels
from iiccli.media.resize import resize
from iiccli.zoo.modelfile import Card

_BITS = 4


class LowBits(Plain):
    """The highest bits of the others in the four lowest of the cover, shared out among them."""

    name = "4-bit LSB"
    words = "the others' highest bits in the cover's four lowest"
    fair = False

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return card.scale == 1 and 1 < card.pictures <= _BITS + 1

    def carrier(self, job: Job) -> Pixels:
        """See `Plain.carrier`."""
        bits = _BITS // len(job.others)
        low = np.zeros_like(job.cover)
        for place, other in enumerate(job.others):
            low += (other >> (8 - bits)) << (bits * place)
        width = bits * len(job.others)
        return ((job.cover >> width << width) | low).astype(np.uint8)

    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """See `Plain.pictures`; what is not known is taken for the middle."""
        count = len(job.pictures) - 1
        bits = _BITS // count
        half = 1 << (7 - bits)
        parts = [(carrier >> (bits * i) & ((1 << bits) - 1)) << (8 - bits) for i in range(count)]
        return in_order(job, carrier, [(part | half).astype(np.uint8) for part in parts])


class Mosaic(Plain):
    """All pictures side by side, small, in one of the same size; enlarged again by Lanczos."""

    name = "mosaic"
    words = "all shrunk side by side, enlarged by Lanczos (looks like no cover)"
    fair = False

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return card.pictures > 1

    def carrier(self, job: Job) -> Pixels:
        """See `Plain.carrier`."""
        canvas = np.zeros_like(job.cover)
        for picture, (rows, columns) in zip(job.pictures, self._cells(job), strict=True):
            size = (columns.stop - columns.start, rows.stop - rows.start)
            canvas[rows, columns] = resize(picture, size, method="lanczos")
        return canvas

    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """See `Plain.pictures`."""
        parts = [np.ascontiguousarray(carrier[cell]) for cell in self._cells(job)]
        return [resize(part, job.size, method="lanczos") for part in parts]

    def _cells(self, job: Job) -> list[tuple[slice, slice]]:
        count = len(job.pictures)
        columns = math.ceil(math.sqrt(count))
        rows = math.ceil(count / columns)
        height, width = job.cover.shape[0] // rows, job.cover.shape[1] // columns
        places = [divmod(i, columns) for i in range(count)]
        return [
            (slice(r * height, (r + 1) * height), slice(c * width, (c + 1) * width))
            for r, c in places
        ]


class Bicubic(Plain):
    """The cover as it is, enlarged."""

    name = "bicubic"
    words = "the cover as it is, enlarged"
    fair = False

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return card.task == "rescale"

    def carrier(self, job: Job) -> Pixels:
        """See `Plain.carrier`."""
        return job.cover

    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """See `Plain.pictures`."""
        return [resize(carrier, job.size, method="bicubic")]


class PlainGray(Plain):
    """The gray cover as it is, and no colour."""

    name = "gray"
    words = "the gray cover as it is"
    fair = False

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return card.task == "gray"

    def carrier(self, job: Job) -> Pixels:
        """See `Plain.carrier`."""
        return job.cover

    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """See `Plain.pictures`."""
        return [np.repeat(carrier[..., None], 3, axis=2)]
