"""The classical way: code the other pictures, put the bits into the cover's lowest bits.

The message is a length, a byte that says what was coded, and the codec's own bytes. No error
correction: what is measured without damage then is an upper bound of what such a tool reaches.
"""

from __future__ import annotations

import math

import numpy as np

from iiccli.benchmarking.coders import Avif, Clip, Coder
from iiccli.benchmarking.contestants.base import Job, Plain, in_order
from iiccli.benchmarking.room import Room
from iiccli.errors import DamagedCarrierError, OutputError
from iiccli.evaluation.metrics import Pixels, psnr
from iiccli.media.resize import resize
from iiccli.tasks.layer_pictures import ALPHA, roles_of
from iiccli.zoo.modelfile import Card

_MIDDLE = 128
_ALONE, _RESIDUE = 0, 1
_ROOMIEST = 100.0
"""A carrier of a higher PSNR, in dB, holds nothing."""


class Coded(Plain):
    """A codec's bytes in the lowest bits, at the PSNR that the model's carrier has."""

    def __init__(self, name: str, words: str, coder: Coder, *, clips: bool) -> None:
        """Take a coder, for clips or for all else."""
        self.name, self.words = name, words
        self._coder = coder
        self._clips = clips

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return (card.task == "video") == self._clips

    def carrier(self, job: Job) -> Pixels:
        """See `Plain.carrier`."""
        room = Room(job.cover.shape, min(job.psnr, _ROOMIEST))
        best: tuple[float, bytes] | None = None
        for way in self._ways(job):
            data = self._coder.fitted(self._coded(job, way), room.bytes - 1)
            if data is None:
                continue
            near = self._shown(job, job.cover) if way == _RESIDUE else None
            back = self._decoded(job, data, near)
            error = float(
                np.mean([_squares(a, b) for a, b in zip(back, _wanted(job), strict=True)])
            )
            if best is None or error < best[0]:
                best = (error, bytes([way]) + data)
        if best is None:
            raise OutputError(
                f"Even the coarsest {self.name} does not fit into the {room.bytes} bytes that the "
                "cover holds."
            )
        return room.put(job.cover, best[1])

    def pictures(self, job: Job, carrier: Pixels) -> list[Pixels]:
        """See `Plain.pictures`."""
        message = Room(job.cover.shape, min(job.psnr, _ROOMIEST)).take(carrier)
        if not message or message[0] not in (_ALONE, _RESIDUE):
            raise DamagedCarrierError("The message does not begin as one: it is damaged.")
        near = self._shown(job, carrier) if message[0] == _RESIDUE else None
        back = self._decoded(job, message[1:], near)
        return back if _all_are_coded(job) else in_order(job, carrier, back)

    def _ways(self, job: Job) -> tuple[int, ...]:
        """A single picture may be coded as its difference from what the carrier shows of it."""
        return (_ALONE, _RESIDUE) if len(job.pictures) == 1 else (_ALONE,)

    def _coded(self, job: Job, way: int) -> list[Pixels]:
        """What the coder is given; alpha in one channel."""
        if way == _ALONE:
            planes = _gray_ones(job)
            return [p[..., 0] if gray else p for p, gray in zip(_wanted(job), planes, strict=True)]
        apart = job.pictures[0].astype(np.int16) - self._shown(job, job.cover) + _MIDDLE
        return [apart.clip(0, 255).astype(np.uint8)]

    def _decoded(self, job: Job, data: bytes, near: Pixels | None) -> list[Pixels]:
        """What the coder gives back, on top of what the carrier shows where that is given."""
        back = self._coder.decode(data, len(_gray_ones(job)), job.size)
        if near is None:
            return back
        return [(b.astype(np.int16) - _MIDDLE + near).clip(0, 255).astype(np.uint8) for b in back]

    def _shown(self, job: Job, carrier: Pixels) -> Pixels:
        """What a carrier shows of the picture: enlarged, and gray in all three channels."""
        whole = np.repeat(carrier[..., None], 3, axis=2) if carrier.ndim == 2 else carrier
        return resize(whole, job.size, method="bicubic")


def _all_are_coded(job: Job) -> bool:
    """Whether the carrier is no picture of the reference's size to take it from."""
    return job.card.scale > 1 or len(job.pictures) == 1


def _wanted(job: Job) -> list[Pixels]:
    return list(job.pictures) if _all_are_coded(job) else job.others


def _gray_ones(job: Job) -> list[bool]:
    """Which of the coded pictures have one channel, three times."""
    if job.card.task != "layers":
        return [False] * (len(job.pictures) if _all_are_coded(job) else len(job.pictures) - 1)
    return [role == ALPHA for role in roles_of(job.card)[1:]]


def _squares(a: Pixels, b: Pixels) -> float:
    value = psnr(a, b)
    return 0.0 if math.isinf(value) else 255**2 / 10 ** (value / 10)


def avif() -> Coded:
    """AVIF for stills."""
    return Coded("avif", "AVIF 4:4:4 in the lowest bits", Avif(), clips=False)


def av1() -> Coded:
    """AV1 for clips."""
    return Coded("av1", "AV1 4:4:4 in the lowest bits", Clip("av1"), clips=True)


def h265() -> Coded:
    """H.265 for clips."""
    return Coded("h265", "H.265 4:4:4 in the lowest bits", Clip("h265"), clips=True)
