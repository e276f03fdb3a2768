"""Training pictures in memory: decoded once, as uint8, on the device, as many as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

GIGABYTE = 1 << 30

_SHARE = 0.5
"""Pictures take this part of the memory that is free at the start."""


@dataclass(frozen=True)
class Entry:
    """A picture that can be decoded.

    Attributes:
        name: for messages.
        shape: (channels, height, width); 4 channels with transparency.
        read: decodes it to a uint8 tensor of that shape.
    """

    name: str
    shape: tuple[int, int, int]
    read: Callable[[], Tensor]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        channels, height, width = self.shape
        return channels * height * width


class Shelf(Sequence[Tensor]):
    """Pictures by number: kept where there is room, decoded anew where there is none.

    What is kept never changes. All pictures are drawn equally often, so that nothing is won by
    exchanging some for others.

    Attributes:
        whole: whether all are kept.
    """

    def __init__(
        self, entries: Iterable[Entry], room: int, device: torch.device | None = None
    ) -> None:
        """Decode what fits.

        Args:
            entries: the pictures.
            room: bytes.
            device: where they are kept.
        """
        self.device = device or torch.device("cpu")
        self._entries = list(entries)
        fitting = []
        for i, entry in enumerate(self._entries):
            room -= entry.size
            if room < 0:
                break
            fitting.append(i)
        with ThreadPoolExecutor() as pool:
            decoded = pool.map(lambda i: self._entries[i].read(), fitting)
            self._kept = [picture.to(self.device) for picture in decoded]
        for i in fitting:  # what is on a GPU need not stay in memory too
            self._entries[i] = replace(self._entries[i], read=partial(self._kept.__getitem__, i))
        self.whole = len(self._kept) == len(self._entries)

    @classmethod
    def of(cls, pictures: Iterable[Tensor], device: torch.device | None = None) -> Shelf:
        """Pictures that are in memory already, (C, H, W) uint8."""
        entries = [Entry("", _shape(p), lambda p=p: p) for p in pictures]  # type: ignore[misc]
        return cls(entries, sum(e.size for e in entries), device)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> Tensor:  # type: ignore[override]
        """A picture, (C, H, W) uint8, on the device."""
        if number < len(self._kept):
            return self._kept[number]
        return self._entries[number].read().to(self.device, non_blocking=True)

    def side(self, number: int) -> int:
        """The smaller side of a picture, without decoding it."""
        return min(self._entries[number].shape[1:])

    def shape(self, number: int) -> tuple[int, int, int]:
        """Channels, height and width, without decoding it."""
        return self._entries[number].shape

    def name(self, number: int) -> str:
        """What messages call it."""
        return self._entries[number].name


def room_on(device: torch.device) -> int:
    """Bytes that training pictures may take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(_SHARE * free)
    import psutil

    return int(_SHARE * psutil.virtual_memory().available)


def _shape(picture: Tensor) -> tuple[int, int, int]:
    channels, height, width = picture.shape
    return channels, height, width
