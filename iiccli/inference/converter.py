"""What every network, and the codec, looks like from outside: pictures in, one carrier out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from iiccli.errors import ModelError
from iiccli.inference.covers import cover_of
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.networks.registry import NETWORKS, build
from iiccli.zoo.modelfile import Card

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB, or (H, W) gray."""
Mask = npt.NDArray[np.bool_]
Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0..1."""


def no_progress(share: float) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Restored:
    """Pictures out of a carrier.

    Attributes:
        pictures: each (H, W, 3) uint8, in the order in which they were embedded.
        damaged: share of the picture's area whose message was found broken, 0..1; None where
            the network cannot tell.
        notes: remarks for the user, each the end of a sentence.
    """

    pictures: list[Pixels]
    damaged: float | None
    notes: tuple[str, ...] = ()


class Converter(ABC):
    """A loaded model, ready to run.

    Attributes:
        card: the model's description.
        qualities: how many carrier qualities there are.
        scale: the carrier is this many times smaller than the pictures.
        channels: of the carrier, 3 or 1 (gray).
    """

    card: Card
    qualities: int
    scale: int
    channels: int = 3

    def carrier_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the carrier of pictures of that size."""
        return -(-width // self.scale), -(-height // self.scale)

    def cover(self, picture: Pixels) -> Pixels:
        """What the carrier of these pictures should look like, given the first of them.

        Args:
            picture: (H, W, 3) uint8.

        Returns:
            (h, w, 3) uint8, or (h, w) for a gray carrier; see `covers.cover_of`.
        """
        return cover_of(picture, self.scale, self.channels)

    def filler(self, cover: Pixels) -> Pixels:
        """What fills up too few pictures: it should take as little room as may be.

        Args:
            cover: the picture that the carrier looks like, (H, W, 3) uint8.
        """
        return cover

    @abstractmethod
    def embed(
        self,
        pictures: Sequence[Pixels],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Pixels:
        """Turn pictures into one carrier.

        Args:
            pictures: as many as the model takes, (H, W, 3) uint8 each, the reference first.
            quality: 0 .. qualities - 1; 0 is closest to the cover.
            free: (h, w, 3) or (h, w), samples of the carrier that may carry message.
            progress: told how far it is.
            zoom: how many times nearer the second picture sees the centre of the first;
                networks that predict nothing from that leave it aside.
            pad: (h, w, c) in 0..q-1, added to the digits, mod q, of all free samples, so that
                none tells whether it carries any; only where there are `moduli`.

        Returns:
            (h, w, 3) uint8, or (h, w) for a gray carrier.
        """

    @abstractmethod
    def restore(
        self,
        carrier: Pixels,
        size: tuple[int, int],
        quality: int,
        free: Mask,
        progress: Progress = no_progress,
        *,
        zoom: float = 1.0,
        pad: Pixels | None = None,
    ) -> Restored:
        """Restore the pictures of `size` (width, height) from a carrier made by `embed`.

        All else has to be what it was then.
        """

    def holds(self, carrier: Pixels, quality: int, free: Mask) -> bool:
        """Tell, without restoring, whether some of a carrier's message can be read.

        Where a network's messages have nothing that tells it, every picture is taken to hold one.
        """
        return True

    def moduli(self, quality: int) -> tuple[int, ...] | None:
        """Of the carrier's channels; None where it is no modulo carrier, and cannot be locked."""
        return None


def make_converter(
    card: Card,
    state: dict[str, torch.Tensor],
    device: torch.device,
    tile: int = DEFAULT_TILE,
    *,
    frugal: bool = True,
) -> Converter:
    """Build the network that `card` describes, fill it, and wrap it.

    Where a graphics card's memory does not suffice, it takes smaller tiles, then the CPU, unless
    `frugal` is false.

    Raises:
        ModelError: an unknown network, or weights that do not fit it.
    """
    if card.network not in NETWORKS:
        raise ModelError(
            f"The model {card.name} is for a network that this iic does not know: "
            f"{card.network!r}.",
            "Upgrade iic.",
        )
    unfit = ModelError(
        f"The weights of {card.name} do not fit the network it names.", "Get the file again."
    )
    try:
        with torch.device("meta"):  # takes no memory for what the description claims
            network: Any = build(card.network, card.config)
        claimed = network.state_dict()
        if {k: v.shape for k, v in claimed.items()} != {k: v.shape for k, v in state.items()}:
            raise unfit
        if not all(bool(torch.isfinite(weight).all()) for weight in state.values()):
            raise ModelError(
                f"The weights of {card.name} are damaged: some are no numbers.",
                "Get the file again.",
            )
        if any(buffer.is_meta for name, buffer in network.named_buffers() if name not in claimed):
            network = build(card.network, card.config)  # it makes tables that no file holds
        # The file's own pages take the place of weights that were only claimed.
        network.load_state_dict(
            {name: weight.to(claimed[name].dtype) for name, weight in state.items()}, assign=True
        )
        if device.type == "cpu" or not frugal:
            return _wrapped(card, network, device, tile)
        from iiccli.inference.frugal import FrugalConverter

        def make(on_device: bool, side: int) -> Converter:
            place = device if on_device else torch.device("cpu")
            return _wrapped(card, network.to("cpu"), place, side)

        return FrugalConverter(make, device, tile)
    except (TypeError, ValueError, KeyError, RuntimeError, ArithmeticError) as error:
        raise unfit from error


def _wrapped(card: Card, network: Any, device: torch.device, tile: int) -> Converter:
    """The converter for a network of that kind.

    Raises:
        ValueError: its tables are of no use.
    """
    network.eval().requires_grad_(False)
    if device.type == "cuda":
        # TF32 keeps ten bits: an inverse would no longer undo its forward, nor match the CPU's.
        torch.backends.cudnn.allow_tf32 = False
    if card.network == "adaptive":
        from iiccli.inference.adaptive import AdaptiveConverter

        return AdaptiveConverter(card, network, device, tile)
    if card.network == "transform":
        from iiccli.inference.transform import TransformConverter

        return TransformConverter(card, network, device, tile)
    from iiccli.inference.dense import DenseConverter

    return DenseConverter(card, network, device, tile)
