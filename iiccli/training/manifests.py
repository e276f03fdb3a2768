"""Training pictures from a manifest that `iic data prepare` has written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from iiccli.datasets.manifest import Box, Item, Manifest, Picture, read_manifest
from iiccli.errors import InputError, TrainingError
from iiccli.training.folders import read_tensor
from iiccli.training.footage import Findings, View
from iiccli.training.shelf import Entry

_HINT = "Run `iic data prepare` again."


def find(path: Path) -> Findings:
    """List the pictures of a manifest, without decoding them.

    Raises:
        TrainingError: it cannot be read, a file that it names is not there, or an item is not
            what its task needs.
    """
    try:
        manifest = read_manifest(path)
    except InputError as error:
        raise TrainingError(error.message, error.hint) from error
    pictures = {p.path: p for item in manifest.items for p in item.pictures}
    missing = [p for p in map(manifest.file_of, pictures.values()) if not p.is_file()]
    if missing:
        raise TrainingError(
            f"{missing[0]}, which {path} names, is not there"
            f"{f', nor are {len(missing) - 1} others' if len(missing) > 1 else ''}.",
            _HINT,
        )
    return _Reader(manifest).findings


class _Reader:
    """Makes findings of a manifest's items, each file once."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.findings = Findings()
        self._numbers: dict[tuple[tuple[str, Box | None], ...], int] = {}
        sorter: dict[str, Callable[[Item], None]] = {
            "video": self._clip,
            "mono": self._pair,
            "dual": self._view,
            "layers": self._composite,
            "hide": self._group,
        }
        put = sorter.get(manifest.heading.task, self._still)
        if manifest.heading.steps:
            index = replace(self.findings.index, steps=manifest.heading.steps)
            self.findings.index = index
        self._lists: dict[str, list[object]] = {}
        for item in manifest.items:
            put(item)
        self.findings.index = replace(
            self.findings.index,
            **{name: tuple(items) for name, items in self._lists.items()},  # type: ignore[arg-type]
        )

    def _append(self, name: str, item: object) -> None:
        self._lists.setdefault(name, []).append(item)

    def _clip(self, item: Item) -> None:
        self._append("clips", self._alike(item, len(item.pictures)))

    def _pair(self, item: Item) -> None:
        self._append("pairs", self._alike(item, 2))

    def _view(self, item: Item) -> None:
        wide, near = self._alike(item, 2)
        self._append("views", View(wide, near, item.zoom))

    def _composite(self, item: Item) -> None:
        roles = {picture.role: picture for picture in item.pictures}
        if roles.keys() == {"composite", "background"}:
            self._append("groups", self._alike(item, 2))
        elif roles.keys() == {"foreground", "alpha", "background"}:
            cutout = self._cutout(item, roles["foreground"], roles["alpha"])
            self._append("composites", (cutout, self._number(roles["background"])))
        else:
            raise self._odd(item, "needs a foreground, an alpha and a background")

    def _group(self, item: Item) -> None:
        self._append("groups", tuple(map(self._number, item.pictures)))

    def _still(self, item: Item) -> None:
        self._append("stills", self._number(item.pictures[-1]))

    def _alike(self, item: Item, count: int) -> tuple[int, ...]:
        """Numbers of so many pictures of one size."""
        if len(item.pictures) != count:
            raise self._odd(item, f"has {len(item.pictures)} pictures, not {count}")
        numbers = tuple(map(self._number, item.pictures))
        if len({self.findings.entries[n].shape for n in numbers}) > 1:
            raise self._odd(item, "has pictures of several sizes")
        return numbers

    def _odd(self, item: Item, what: str) -> TrainingError:
        return TrainingError(f"{item.name} in {self.manifest.path} {what}.", _HINT)

    def _number(self, picture: Picture) -> int:
        left, top, right, bottom = picture.box or (0, 0, picture.width, picture.height)
        path = self.manifest.file_of(picture)
        shape = (3, bottom - top, right - left)
        return self._put((picture,), shape, partial(_opaque, path, picture))

    def _cutout(self, item: Item, foreground: Picture, alpha: Picture) -> int:
        shape = (4, foreground.height, foreground.width)
        if (alpha.height, alpha.width) != shape[1:]:
            raise self._odd(item, "has a foreground and an alpha of different sizes")
        colours, mask = (self.manifest.file_of(p) for p in (foreground, alpha))
        return self._put((foreground, alpha), shape, partial(_joined, colours, mask, foreground))

    def _put(
        self, key: Sequence[Picture], shape: tuple[int, int, int], read: Callable[[], Tensor]
    ) -> int:
        place = tuple((picture.path, picture.box) for picture in key)
        if place not in self._numbers:
            name = str(self.manifest.file_of(key[0]))
            self._numbers[place] = self.findings.add(Entry(name, shape, read))
        return self._numbers[place]


def _opaque(path: Path, picture: Picture) -> Tensor:
    """A picture, or the part of it that is meant, without transparency."""
    left, top, right, bottom = picture.box or (0, 0, picture.width, picture.height)
    return _as_listed(path, picture)[:3, top:bottom, left:right].contiguous()


def _joined(foreground: Path, alpha: Path, picture: Picture) -> Tensor:
    """Colours of one file, transparency of another."""
    return torch.cat((_as_listed(foreground, picture)[:3], _as_listed(alpha, picture)[:1]))


def _as_listed(path: Path, picture: Picture) -> Tensor:
    """A file's picture.

    Raises:
        TrainingError: it cannot be read, or has another size than in the manifest.
    """
    try:
        tensor = read_tensor(path)
    except InputError as error:
        raise TrainingError(error.message, _HINT) from error
    height, width = tensor.shape[-2:]
    if (width, height) != (picture.width, picture.height):
        raise TrainingError(
            f"{path} is {width}×{height}, not {picture.width}×{picture.height} as in its manifest.",
            _HINT,
        )
    return tensor
