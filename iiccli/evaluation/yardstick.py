"""What a classical codec makes of the same capacity: a yardstick for the networks.

A carrier whose samples are free modulo q holds log2 q bits a sample. Here these bits are an AVIF
(4:4:4) of the other pictures, so that cover and capacity are exactly those of such a network, and
only the coding differs. What the pixels' header takes is neglected.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
import torch
from PIL import Image

from iiccli.evaluation.cases import Case
from iiccli.evaluation.metrics import Pixels, psnr
from iiccli.inference.covers import cover_of
from iiccli.media.resize import resize
from iiccli.networks.invertible.quantise import embed_modulo

SPEED = 8
"""Of the encoder, 0 is slowest, 10 fastest: 6 takes three times as long for files of one size."""

_MIDDLE = 128


@dataclass(frozen=True)
class Mark:
    """What the codec reaches on one case.

    Attributes:
        cover_psnr: of the carrier against the cover, in dB.
        alone_psnr: of the pictures coded as they are: mean over them.
        residual_psnr: of the pictures coded as their difference from what the carrier shows of
            them; None where it shows nothing of them.
        filled: share of the capacity that the better of the two uses, 0..1.
    """

    cover_psnr: float
    alone_psnr: float
    residual_psnr: float | None
    filled: float

    @property
    def best_psnr(self) -> float:
        """The better of the two ways."""
        return max(self.alone_psnr, self.residual_psnr or 0.0)


def yardstick(
    case: Case, q: int, coder: Coder, *, scale: int = 1, channels: int = 3, seed: int = 0
) -> Mark:
    """Fill the capacity of a case's cover with AVIF.

    Args:
        case: the others are coded; where there are none, the picture itself.
        q: the modulus of every sample of the carrier.
        coder: codes.
        scale: the carrier is this many times smaller.
        channels: of the carrier: 3, or 1 for gray.
        seed: of the digits that stand for the bits.
    """
    picture = case.pictures[case.reference]
    cover = cover_of(picture, scale, channels)
    carrier = carrier_of(cover, q, seed)
    capacity = math.floor(cover.size * math.log2(q) / 8)
    others = [p for i, p in enumerate(case.pictures) if i != case.reference]
    if others:
        back, size = coder.coded(others, capacity)
        alone = _mean_psnr(back, others)
        return Mark(psnr(carrier, cover), alone, None, size / capacity)
    back, size = coder.coded([picture], capacity)
    alone = psnr(back[0], picture)
    shown = _as_picture(carrier, (picture.shape[1], picture.shape[0]))
    apart = picture.astype(np.int16) - shown + _MIDDLE
    back, other_size = coder.coded([apart.clip(0, 255).astype(np.uint8)], capacity)
    restored = (back[0].astype(np.int16) - _MIDDLE + shown).clip(0, 255).astype(np.uint8)
    residual = psnr(restored, picture)
    used = size if alone > residual else other_size
    return Mark(psnr(carrier, cover), alone, residual, used / capacity)


def carrier_of(cover: Pixels, q: int, seed: int = 0) -> Pixels:
    """The cover with digits mod q in all samples, each moved as little as it takes."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.from_numpy(np.ascontiguousarray(cover)).float()
    digits = torch.randint(0, q, values.shape, generator=generator).float()
    result: Pixels = embed_modulo(values, digits, q).round().to(torch.uint8).numpy()
    return result


class Coder:
    """Codes pictures as AVIF 4:4:4, and keeps what it has coded: secrets come several times."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, int], bytes] = {}

    def coded(self, pictures: Sequence[Pixels], limit: int) -> tuple[list[Pixels], int]:
        """Code pictures, all at the one quality at which they just fit.

        Args:
            pictures: (H, W, 3) uint8 each.
            limit: bytes for all of them together.

        Returns:
            The pictures as decoded, and how many bytes they took: more than `limit` where even
            the lowest quality does not fit.
        """
        low, high = 0, 100
        while low < high:
            middle = (low + high + 1) // 2
            if sum(len(self._encoded(picture, middle)) for picture in pictures) <= limit:
                low = middle
            else:
                high = middle - 1
        files = [self._encoded(picture, low) for picture in pictures]
        return [_decoded(file) for file in files], sum(map(len, files))

    def _encoded(self, picture: Pixels, quality: int) -> bytes:
        key = (
            hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest(),
            quality,
        )
        if key not in self._files:
            file = io.BytesIO()
            options = {"quality": quality, "subsampling": "4:4:4", "speed": SPEED}
            Image.fromarray(np.ascontiguousarray(picture)).save(file, "AVIF", **options)
            self._files[key] = file.getvalue()
        return self._files[key]


def _decoded(file: bytes) -> Pixels:
    return np.array(Image.open(io.BytesIO(file)).convert("RGB"))


def _mean_psnr(back: Sequence[Pixels], originals: Sequence[Pixels]) -> float:
    return mean(psnr(a, b) for a, b in zip(back, originals, strict=True))


def _as_picture(carrier: Pixels, size: tuple[int, int]) -> Pixels:
    """What the carrier shows of the picture: enlarged, and gray in all three channels."""
    if carrier.ndim == 2:
        carrier = np.repeat(carrier[..., None], 3, axis=2)
    return resize(carrier, size, method="bicubic")
