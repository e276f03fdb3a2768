"""Plain ways to embed, to hold the detector and iic against. The message is random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from iiccli.evaluation.metrics import Pixels


def matched(cover: Pixels, rate: float, draw: np.random.Generator) -> Pixels:
    """LSB matching: a lowest bit that is wrong is put right by ±1, whichever comes up.

    Args:
        cover: uint8, any shape.
        rate: bits a sample, 0..1: so many samples carry one, in random places.
        draw: gives message, places and signs.
    """
    wrong = (draw.random(cover.shape) < rate) & (draw.random(cover.shape) < 0.5)
    sign = draw.integers(2, size=cover.shape, dtype=np.int16) * 2 - 1
    sign[cover == 0] = 1
    sign[cover == 255] = -1
    return (cover + wrong * sign).astype(np.uint8)


def replaced(cover: Pixels, rate: float, draw: np.random.Generator) -> Pixels:
    """LSB replacement: as `matched`, but a wrong lowest bit is flipped, so 2k and 2k + 1 swap."""
    wrong = (draw.random(cover.shape) < rate) & (draw.random(cover.shape) < 0.5)
    return np.asarray(cover ^ wrong.astype(np.uint8), np.uint8)


def remainders(cover: Pixels, moduli: Sequence[int], draw: np.random.Generator) -> Pixels:
    """Each sample becomes the nearest number that has a random remainder, as iic's carriers do.

    Args:
        cover: (H, W, C) uint8.
        moduli: of each channel, 2 or more.
        draw: gives remainders, and which of two numbers equally near is taken.
    """
    q = np.array(moduli, np.int16)
    up = (draw.integers(0, q, size=cover.shape, dtype=np.int16) - cover) % q
    down = (2 * up > q) | ((2 * up == q) & (draw.random(cover.shape) < 0.5))
    moved = cover + up - q * down
    moved += q * (moved < 0)
    moved -= q * (moved > 255)
    return np.asarray(moved, np.uint8)
