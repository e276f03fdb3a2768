"""Whom a model is compared with. A new way is a `Contestant`, named in `OTHERS`."""

from __future__ import annotations

from collections.abc import Callable

from iiccli.benchmarking.contestants.base import Back, Contestant, Job, Plain
from iiccli.benchmarking.contestants.coded import av1, avif, h265
from iiccli.benchmarking.contestants.method import Method
from iiccli.benchmarking.contestants.naive import Bicubic, LowBits, Mosaic, PlainGray
from iiccli.benchmarking.contestants.network import NAME as NETWORK
from iiccli.benchmarking.contestants.network import Network
from iiccli.tasks.models import Loader
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card

__all__ = ["NETWORK", "OTHERS", "Back", "Contestant", "Job", "Plain", "contestants", "others"]

OTHERS: tuple[Callable[[Loader], Contestant], ...] = (
    Method,
    lambda loader: avif(),
    lambda loader: av1(),
    lambda loader: h265(),
    lambda loader: LowBits(),
    lambda loader: Mosaic(),
    lambda loader: Bicubic(),
    lambda loader: PlainGray(),
)
"""All but our models, in the order in which tables show them."""


def contestants(entry: Entry, card: Card, loader: Loader) -> list[Contestant]:
    """The model, first, and all that can do the same."""
    every = others(loader)
    return [Network(entry, loader), *(other for other in every if other.takes(card))]


def others(loader: Loader) -> list[Contestant]:
    """All but the model, whatever they take."""
    return [make(loader) for make in OTHERS]
