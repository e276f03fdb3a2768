"""Our models, as every user has them."""

from __future__ import annotations

from pathlib import Path

from iiccli.benchmarking.contestants.base import Back, Contestant, Job
from iiccli.carrier import read_carrier, write_carrier
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import embed_pictures, restore_pictures
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card

NAME = "network"


class Network(Contestant):
    """The model itself, by the same two functions as every command."""

    name = NAME
    words = "our model"

    def __init__(self, entry: Entry, loader: Loader) -> None:
        """Take a model, which is loaded when it is needed."""
        self._entry = entry
        self._loader = loader

    def model(self, card: Card) -> LoadedModel:
        """What embeds; a card says for what."""
        return self._loader.load(self._entry)

    def takes(self, card: Card) -> bool:
        """See `Contestant.takes`."""
        return True

    def embed(self, job: Job, path: Path) -> None:
        """See `Contestant.embed`."""
        case = job.case
        pixels, header = embed_pictures(
            self.model(job.card),
            job.pictures,
            case.reference,
            job.quality,
            zoom=case.zoom,
            **case.header,
        )
        write_carrier(path, pixels, header, target=job.cover, force=True)

    def restore(self, job: Job, path: Path) -> Back:
        """See `Contestant.restore`."""
        carrier = read_carrier(path)
        return Back(carrier.pixels, carrier.header, restore_pictures(self._loader, carrier))
