"""Whom a model is compared with. A new way is a `Contestant`, named in `OTHERS`."""

from __future__ import annotations

from collections.abc import Callable

from iiccli.benchmarking.contestants.base import Back, Contestant, Job, Plain
from iiccli.benchmarking.contestants.coded import av1, avif, h265
from iiccli.benchmarking.contestants.naive import Bicubic, LowBits, Mosaic, PlainGray
from iiccli.benchmarking.contestants.network import NAME as NETWORK
from iiccli.benchmarking.contestants.network import Network
from iiccli.tasks.models import Loader
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card

__all__ = ["NETWORK", "OTHERS", "Back", "Contestant", "Job", "Plain", "contestants"]

OTHERS: tuple[Callable[[], Contestant], ...] = (
    avif,
    av1,
    h265,
    LowBits,
    Mosaic,
    Bicubic,
    PlainGray,
)
"""All but our models, in the order in which tables show them."""


def contestants(entry: Entry, card: Card, loader: Loader) -> list[Contestant]:
    """The model, first, and all that can do the same."""
    others = [make() for make in OTHERS]
    return [Network(entry, loader), *(other for other in others if other.takes(card))]
