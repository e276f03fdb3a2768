"""Vectors that are worth their bits.

A search for motion takes what is most alike, by however little. Here bits of vectors are weighed
against what they leave to code: each vector may be as its neighbours say (rate-distortion
optimisation by coordinate descent: G. Sullivan, T. Wiegand, IEEE Signal Processing Magazine 1998).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iiccli.coding.bits import Ints
from iiccli.coding.prices import Lattice, VectorPrices, Vectors, lattices
from iiccli.coding.vectors import LARGEST, Small
from iiccli.inference.adaptive.matching import Matching

_PASSES = 2
_NEIGHBOURS = ((0, -1), (-1, 0), (0, 1), (1, 0), (1, 1))

Bits = npt.NDArray[np.float32]


def refined(vectors: Small, matching: Matching, prices: VectorPrices, price: float = 1.0) -> Small:
    """Choose vectors anew.

    Args:
        vectors: (2, rows, columns) in quarter pixels, as alike as can be.
        matching: what they leave.
        prices: what they take.
        price: of a bit that they take, in bits that are left.

    Returns:
        Likewise.
    """
    found = vectors.astype(np.int32)
    size = found.shape[1:]
    places = np.arange(size[0] * size[1]).reshape(size)
    left = matching.bits(found.reshape(2, -1), places.ravel()).reshape(size)
    for _ in range(_PASSES):
        rice, _ = prices.rice(found)
        for lattice in lattices():
            _choose(found, left, places, lattice, matching, prices, rice, price)
    _still(found, left, matching, prices, price)
    return found.astype(np.int16)


def _choose(
    found: Vectors,
    left: Bits,
    places: Ints,
    lattice: Lattice,
    matching: Matching,
    prices: VectorPrices,
    rice: Ints,
    price: float,
) -> None:
    """Choose the vectors of a lattice anew, in place, and what is left with them."""
    own = slice(lattice[0], None, 2), slice(lattice[1], None, 2)
    candidates = _candidates(found, prices)[(..., *own)]
    bits = prices.around(found, candidates, lattice, rice) * np.float32(price)
    costs = np.full(bits.shape, np.inf, np.float32)
    costs[0] = left[own]
    # Nothing leaves less than nothing to code: whose bits are too many is not looked at.
    number, row, column = np.nonzero(
        _first_of_their_kind(candidates) & (bits < bits[0] + left[own])
    )
    chosen = candidates[number, :, row, column].T
    costs[number, row, column] = matching.bits(chosen, places[own][row, column])
    best = (costs + bits).argmin(0)[None]
    left[own] = np.take_along_axis(costs, best, 0)[0]
    found[(..., *own)] = np.take_along_axis(candidates, best[:, None], 0)[0]


def _candidates(found: Vectors, prices: VectorPrices) -> Vectors:
    """What vectors may become, (K, 2, rows, columns); the first is what they are."""
    guess = prices.guesses(found)
    around = np.pad(found, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows, columns = found.shape[1:]
    neighbours = [around[:, 1 + y :, 1 + x :][:, :rows, :columns] for y, x in _NEIGHBOURS]
    mixed = np.stack((guess[0], found[1])), np.stack((found[0], guess[1]))
    nearer = guess + np.clip(found - guess, -1, 1)
    coarse = np.clip((found + 2) // 4 * 4, -LARGEST, LARGEST)
    parts = (found, guess, *mixed, nearer, *neighbours, coarse, np.zeros_like(found))
    return np.stack(parts)


def _first_of_their_kind(candidates: Vectors) -> npt.NDArray[np.bool_]:
    """Tell which candidates (K, 2, ...) are none of those before: (K, ...), the first is not."""
    joined = candidates[:, 0] * np.int32(2 * LARGEST + 1) + candidates[:, 1]
    new = np.ones(joined.shape, bool)
    new[0] = False
    for number in range(1, len(joined)):
        new[number] = (joined[:number] != joined[number]).all(0)
    return new


def _still(
    found: Vectors, left: Bits, matching: Matching, prices: VectorPrices, price: float
) -> None:
    """Let blocks be still, in place, whose vectors take more than they spare."""
    _, bits = prices.rice(found)
    nothing = np.zeros_like(found)
    _, least = prices.rice(nothing)
    places = np.arange(left.size)
    still = matching.bits(nothing.reshape(2, -1), places).reshape(left.shape)
    worse = prices.sums(left) + price * bits >= prices.sums(still) + price * least
    found[:, prices.over(worse)] = 0
