"""From a model's name or hash to a network that runs, loaded once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from iiccli.errors import ModelError
from iiccli.inference.converter import Converter, make_converter
from iiccli.inference.device import choose
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.zoo.catalogue import Entry, find, find_by_hash, for_pictures
from iiccli.zoo.modelfile import load_model


@dataclass(frozen=True)
class LoadedModel:
    """A model that runs.

    Attributes:
        name: with its version, in letters that a carrier's header can hold.
        hash: SHA-256 of its file.
        converter: the network.
    """

    name: str
    hash: str
    converter: Converter


@dataclass
class Loader:
    """Loads models onto one device and keeps them.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels.
        override: name or path of a model to use whatever else is asked for.
    """

    device: str = "auto"
    tile: int = DEFAULT_TILE
    override: str | None = None
    _loaded: dict[str, LoadedModel] = field(default_factory=dict)

    def load(self, entry: Entry) -> LoadedModel:
        """Load a model.

        Raises:
            ModelError: it is damaged.
            DeviceError: the device is not there.
        """
        digest = entry.hash
        if digest not in self._loaded:
            card, state = load_model(entry.path)
            converter = make_converter(card, state, choose(self.device), self.tile)
            name = re.sub(r"[^A-Za-z0-9._-]", "-", card.name)[:64] or "unnamed"
            self._loaded[digest] = LoadedModel(name, digest, converter)
        return self._loaded[digest]

    def load_for_carrier(self, digest: str, name: str) -> LoadedModel:
        """Load the model that a carrier names.

        Raises:
            ModelError: it is not here.
        """
        if self.override is not None:
            return self.load(find(self.override))
        for model in self._loaded.values():
            if model.hash.startswith(digest):
                return model
        entry = find_by_hash(digest, name)
        if entry is None:
            called = name or "a model without a name"
            raise ModelError(
                f"The carrier was made by {called} (SHA-256 {digest[:16]}…), which is not here.",
                "Put its file into the folder that `iic models` names, or give it with --model.",
            )
        return self.load(entry)


def choose_entry(
    task: str,
    pictures: int,
    name: str | None = None,
    scale: int = 1,
    *,
    noun: str = "pictures",
    besides: int = 0,
) -> Entry:
    """The model named, or the smallest that takes so many pictures.

    Args:
        task: the conversion.
        pictures: how many there are.
        name: name or path of a model.
        scale: how many times smaller than the pictures the carrier is to be.
        noun: what the user calls them.
        besides: how many of them the user does not count.

    Raises:
        ModelError: there is none, or the one named is for something else.
    """
    if name is None:
        return for_pictures(task, pictures, scale)
    entry = find(name)
    card = entry.card
    if card.task != task:
        raise ModelError(
            f"The model {entry.name} is for {card.task}, not for {task}.",
            "See `iic models` for those that fit.",
        )
    if card.scale != scale:
        raise ModelError(
            f"The model {entry.name} makes carriers {_smaller(card.scale)}, not {_smaller(scale)}.",
            "See `iic models` for those that fit.",
        )
    if card.pictures < pictures:
        raise ModelError(
            f"The model {entry.name} takes {card.pictures - besides} {noun}, "
            f"not {pictures - besides}.",
            f"Leave out --model, or give fewer {noun}.",
        )
    return entry


def _smaller(scale: int) -> str:
    return "of the pictures' size" if scale == 1 else f"{scale} times smaller"
