"""Modules with an exact inverse, and the quantisers that stand between the two directions."""

from iiccli.networks.invertible.base import Invertible, Reverse, Sequence
from iiccli.networks.invertible.coupling import (
    AffineCoupling,
    SeparateAffineCoupling,
    SharedAffineCoupling,
)
from iiccli.networks.invertible.mix import Mix
from iiccli.networks.invertible.order import Order
from iiccli.networks.invertible.reshape import Haar, Squeeze, haar_matrix

__all__ = [
    "AffineCoupling",
    "Haar",
    "Invertible",
    "Mix",
    "Order",
    "Reverse",
    "SeparateAffineCoupling",
    "Sequence",
    "SharedAffineCoupling",
    "Squeeze",
    "haar_matrix",
]
