"""Where a graphics card has too little memory: smaller tiles, then the CPU."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from iiccli.errors import IicWarning
from iiccli.inference.converter import (
    Converter,
    Mask,
    Pixels,
    Progress,
    Restored,
    no_progress,
)
from iiccli.inference.device import is_out_of_memory

SMALLEST = 64
"""Side of the smallest tile that is tried."""

Result = TypeVar("Result")


class FrugalConverter(Converter):
    """A converter that begins anew with less where memory does not suffice.

    Whatever it had done is thrown away, so that a carrier never comes from two devices. What
    sufficed once is kept for what follows; the user is told once, by an `IicWarning`.

    Args:
        make: makes the converter on the graphics card (true) or on the CPU, with tiles of a size.
        device: the graphics card, for what is said.
        tile: side of the tiles in pixels to begin with.
    """

    def __init__(
        self, make: Callable[[bool, int], Converter], device: torch.device, tile: int
    ) -> None:
        self._make = make
        self._device = device
        self._asked = self._tile = tile
        self._on_device = True
        self._told = (True, tile)
        self._inner = self._made()
        self.card = self._inner.card
        self.qualities = self._inner.qualities
        self.scale = self._inner.scale
        self.channels = self._inner.channels

    def filler(self, cover: Pixels) -> Pixels:
        """See `Converter.filler`."""
        return self._inner.filler(cover)

    def moduli(self, quality: int) -> tuple[int, ...] | None:
        """See `Converter.moduli`."""
        return self._inner.moduli(quality)

    def holds(self, carrier: Pixels, quality: int, free: Mask) -> bool:
        """See `Converter.holds`."""
        return self._inner.holds(carrier, quality, free)

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
        """See `Converter.embed`."""
        return self._with_less(
            lambda inner: inner.embed(pictures, quality, free, progress, zoom=zoom, pad=pad)
        )

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
        """See `Converter.restore`."""
        return self._with_less(
            lambda inner: inner.restore(carrier, size, quality, free, progress, zoom=zoom, pad=pad)
        )

    def _with_less(self, work: Callable[[Converter], Result]) -> Result:
        while True:
            try:
                result = work(self._inner)
            except (RuntimeError, MemoryError) as error:
                if not self._on_device or not is_out_of_memory(error):
                    raise
            else:
                break
            # Outside of the clause: its error holds on to all tensors of the failed try.
            self._take_less()
        if (self._on_device, self._tile) != self._told:
            self._told = (self._on_device, self._tile)
            warnings.warn(self._note(), IicWarning, stacklevel=3)
        return result

    def _take_less(self) -> None:
        if self._tile > SMALLEST:
            self._tile = max(SMALLEST, self._tile // 2)
        else:
            self._on_device, self._tile = False, self._asked
        del self._inner  # before the next one takes memory
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        elif self._device.type == "mps":
            torch.mps.empty_cache()
        self._inner = self._made()

    def _made(self) -> Converter:
        try:
            return self._make(self._on_device, self._tile)
        except (RuntimeError, MemoryError) as error:
            if not self._on_device or not is_out_of_memory(error):
                raise
        self._on_device, self._tile = False, self._asked  # not even the weights fit
        return self._make(False, self._tile)

    def _note(self) -> str:
        little = f"{self._device.type} has too little memory"
        if self._on_device:
            return f"{little}; going on with tiles of {self._tile} pixels"
        return f"{little}; going on with the CPU, which takes longer"
