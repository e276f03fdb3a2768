"""From a model's name or hash to a network that runs, loaded once; or the codec."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from iiccli.carrier import CODEC, CODEC_VERSION, NO_MODEL, Header
from iiccli.errors import ModelError, UsageError
from iiccli.inference.codec import MODULI, CodecConverter
from iiccli.inference.converter import Converter, make_converter
from iiccli.inference.device import choose
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.locking import Phrase
from iiccli.zoo.catalogue import Entry, check_published, find, find_by_hash, for_pictures
from iiccli.zoo.modelfile import Card, load_model

USUAL_PICTURES = {"video": 5, "layers": 3}
"""How many pictures the codec is measured with, where nobody says it; else two."""

METHODS = ("network", CODEC)
"""What can take the place of which: a model's network, or a codec."""


@dataclass(frozen=True)
class LoadedModel:
    """A model that runs, or the codec in its place.

    Attributes:
        name: with its version, in letters that a carrier's header can hold; `codec`.
        hash: SHA-256 of its file; `NO_MODEL` for the codec.
        converter: the network, or the codec.
        phrase: locks the carriers that it makes; None leaves them open.
    """

    name: str
    hash: str
    converter: Converter
    phrase: Phrase | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What a carrier's header says of it."""
        named: dict[str, Any] = {"model": self.name, "model_hash": self.hash}
        return named if self.hash != NO_MODEL else {**named, "version": CODEC_VERSION}


@dataclass(frozen=True)
class Codec:
    """The codec in place of a model file: what a verb chooses with `--method codec`.

    Attributes:
        task: the conversion.
        pictures: how many there are, with the one that the carrier looks like.
        scale: how many times smaller than the pictures the carrier is.

    Raises:
        ModelError: the codec does not do that.
    """

    task: str
    pictures: int
    scale: int = 1

    name: ClassVar[str] = CODEC
    path: ClassVar[str] = CODEC
    """What `Loader.override` names it by."""
    hash: ClassVar[str] = NO_MODEL

    def __post_init__(self) -> None:
        """Check that there is such a thing."""
        if (self.task, self.scale) not in MODULI:
            smaller = f" {_smaller(self.scale)}" if self.scale > 1 else ""
            raise ModelError(
                f"The codec makes no carriers{smaller} for {self.task or 'an unnamed conversion'}.",
                "Use a model; see `iic models`.",
            )

    @property
    def converter(self) -> Converter:
        """What does it."""
        return CodecConverter(self.task, self.pictures, self.scale)

    @property
    def card(self) -> Card:
        """What it says about itself, as a model does."""
        return self.converter.card


@dataclass
class Loader:
    """What carriers are made and restored with: models, loaded once, and the pass phrase.

    Attributes:
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile: side of the tiles in pixels.
        override: name or path of a model to use whatever else is asked for; `codec` is the
            codec.
        phrase: locks the carriers that are made, and opens those that are locked.
    """

    device: str = "auto"
    tile: int = DEFAULT_TILE
    override: str | None = None
    phrase: Phrase | None = None
    _loaded: dict[str, LoadedModel] = field(default_factory=dict)

    def load(self, entry: Entry | Codec) -> LoadedModel:
        """Load a model, or take the codec.

        Raises:
            ModelError: it is damaged.
            DeviceError: the device is not there.
        """
        if isinstance(entry, Codec):
            return LoadedModel(entry.name, entry.hash, entry.converter, self.phrase)
        digest = entry.hash
        if digest not in self._loaded:
            check_published(entry, digest)
            card, state = load_model(entry.path)
            converter = make_converter(card, state, choose(self.device), self.tile)
            name = re.sub(r"[^A-Za-z0-9._-]", "-", card.name)[:64] or "unnamed"
            self._loaded[digest] = LoadedModel(name, digest, converter, self.phrase)
        return self._loaded[digest]

    def load_for_carrier(self, header: Header) -> LoadedModel:
        """Load the model that a carrier names, or take the codec.

        Raises:
            ModelError: it is not here, or the codec does not do what the header says.
        """
        digest, name = header.model_hash, header.model
        if self.override == CODEC or (self.override is None and header.method == CODEC):
            return self.load(Codec(header.task, header.pictures, scale_of(header)))
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


def scale_of(header: Header) -> int:
    """How many times smaller than its pictures the carrier is that a codec made."""
    said = header.essentials[:8]
    sides = int.from_bytes(said[:4], "big"), int.from_bytes(said[4:], "big")
    half = all(-(-a // 2) == b for a, b in zip(sides, header.size, strict=True))
    return 2 if header.task == "video" and half and sides != header.size else 1


def check_method(method: str, model: str | None) -> None:
    """Refuse an unknown method, and a model for the codec.

    Raises:
        UsageError: it is.
    """
    if method not in METHODS:
        raise UsageError(f"There is no method {method!r}.", f"Choose one of: {', '.join(METHODS)}.")
    if method == CODEC and model is not None:
        raise UsageError(
            "A codec needs no model: --model and --method codec do not go together.",
            "Leave out one of them.",
        )


def choose_entry(
    task: str,
    pictures: int,
    name: str | None = None,
    scale: int = 1,
    *,
    noun: str = "pictures",
    besides: int = 0,
    method: str = "network",
) -> Entry | Codec:
    """The model named, or the smallest that takes so many pictures; or the codec.

    Args:
        task: the conversion.
        pictures: how many there are.
        name: name or path of a model.
        scale: how many times smaller than the pictures the carrier is to be.
        noun: what the user calls them.
        besides: how many of them the user does not count.
        method: one of `METHODS`.

    Raises:
        UsageError: see `check_method`.
        ModelError: there is none, or the one named is for something else.
    """
    check_method(method, name)
    if method == CODEC:
        return Codec(task, pictures, scale)
    if name is None:
        return for_pictures(task, pictures, scale)
    if name == CODEC:
        raise ModelError("The codec is no model.", "Choose it with --method codec.")
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
