"""The tool's own codec: what `--method codec` makes, restored by the same `iic restore`."""

from __future__ import annotations

from iiccli.benchmarking.contestants.network import Network
from iiccli.inference.codec import MODULI
from iiccli.inference.codec import NAME as CODEC
from iiccli.tasks.models import Codec, LoadedModel, Loader
from iiccli.zoo.modelfile import Card

__all__ = ["CODEC", "Method"]


class Method(Network):
    """AV1 behind Reed-Solomon codes, in carriers of the same moduli as the models' own."""

    name = CODEC
    words = "iic's own `--method codec`: AV1 behind Reed-Solomon codes, header included"

    def __init__(self, loader: Loader) -> None:
        """It needs no model."""
        self._loader = loader

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return (card.task, card.scale) in MODULI

    def model(self, card: Card) -> LoadedModel:
        """See `Network.model`."""
        return self._loader.load(Codec(card.task, card.pictures, card.scale))
