"""Cases out of the manifests that `iic data prepare` writes: the official splits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from iiccli.datasets.catalogue import find_layout
from iiccli.datasets.groups import Groups, groups_of
from iiccli.datasets.manifest import Heading, Manifest, read_manifest
from iiccli.datasets.preparing import FOLDER, request_for
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases.base import (
    Case,
    CaseOptions,
    Plan,
    Planned,
    crop_alike,
    crop_to_multiple,
)
from iiccli.tasks.dual_view import essentials_of
from iiccli.tasks.layer_pictures import COMPOSITE, roles_of
from iiccli.zoo.modelfile import Card


def manifest_in(root: Path, alias: str, split: str = "test", zoom: int = 2) -> Path:
    """The manifest of a data set below a folder of data sets.

    Args:
        root: as `iic data prepare --root`.
        alias: of the data set.
        split: `train`, `val` or `test`.
        zoom: of double views.

    Raises:
        UsageError: there is no such data set, split or zoom.
        InputError: there is no such manifest.
    """
    layout = find_layout(alias)
    zooms = (zoom,) if layout.task == "dual" else ()
    (stem,) = layout.stems(request_for(layout, root, only=(split,), zooms=zooms))
    path = root / FOLDER / f"{stem}.jsonl"
    if not path.is_file():
        raise InputError(
            f"There is no manifest {path}.", f"Make it with: iic data prepare {alias} --root {root}"
        )
    return path


def heading_of(path: Path) -> Heading:
    """What a manifest says of itself.

    Raises:
        InputError: it is none.
    """
    return read_manifest(path).heading


def manifest_cases(card: Card, path: Path, options: CaseOptions) -> Plan:
    """All groups of a manifest, as it orders them.

    Args:
        card: of the model; of clips, its number of pictures decides how long the windows are.
        path: of the manifest.
        options: `step` alone has an effect.

    Raises:
        InputError: it is no manifest, or its files are not there.
        ModelError: the model is for something else.
        UsageError: there are no windows of that step.
    """
    manifest = _fitting(card, read_manifest(path), options.step)
    groups = groups_of(manifest)
    cases = [Planned(groups.name(i), partial(_read, groups, i, card)) for i in range(len(groups))]
    if not cases:
        raise InputError(f"{path} holds nothing that can be measured.")
    return Plan(cases, words=_words(manifest.heading, card))


def _fitting(card: Card, manifest: Manifest, step: int | None) -> Manifest:
    """The manifest as far as it is for that model and step."""
    heading, name = manifest.heading, manifest.path.name
    if heading.task != card.task:
        raise ModelError(
            f"The model {card.name} is for {card.task}, but {name} is for {heading.task}.",
            "See `iic models` for those that fit.",
        )
    if step is not None and step not in heading.steps:
        known = ", ".join(map(str, heading.steps)) or "none"
        raise UsageError(f"{name} has no windows of step {step}.", f"Its steps: {known}.")
    if heading.task == "video":
        steps = heading.steps if step is None else (step,)
        return replace(manifest, heading=replace(heading, pictures=card.pictures, steps=steps))
    takes = card.pictures
    if heading.task == "layers":
        takes = min(len(roles_of(card)), 3)  # with alpha a group knows all that any model takes
    fits = heading.pictures >= takes if heading.task == "layers" else heading.pictures == takes
    if not fits:
        raise ModelError(
            f"The model {card.name} takes {card.pictures} pictures, but a group of {name} has "
            f"{heading.pictures}.",
            "Choose a model that fits, or prepare the data with another --pictures.",
        )
    return manifest


def _read(groups: Groups, number: int, card: Card) -> Case:
    group = groups.read(number)
    pictures = list(group.pictures)
    header: dict[str, Any] = {}
    if card.task == "dual":
        header["essentials"] = essentials_of(pictures[0], group.zoom, pictures[1])
    elif card.task == "hide":
        pictures = crop_alike(pictures)
    elif card.task == "rescale":
        pictures = [crop_to_multiple(picture, card.scale) for picture in pictures]
    elif card.task == "layers":
        pictures = pictures[: 2 if group.foreground is None else 3]
    if len({picture.shape for picture in pictures}) > 1:
        raise InputError(f"The pictures of {group.name} differ in size.")
    return Case(
        group.name,
        pictures,
        group.reference,
        group.zoom,
        header,
        premultiplied=group.foreground,
    )


def _words(heading: Heading, card: Card) -> str:
    """What the cases are."""
    text = f"the {heading.split} split of {heading.alias}"
    if heading.task == "video":
        steps = " and ".join(map(str, heading.steps or (1,)))
        return (
            f"{text}: windows of {card.pictures} frames that are {steps} apart, the middle one as "
            "reference"
        )
    if heading.task == "layers":
        return f"{text}: {', '.join(roles_of(card))}; the carrier looks like the {COMPOSITE}"
    if heading.task == "rescale":
        return (
            f"{text}, cropped to a multiple of {card.scale}; Y without a border of as many pixels"
        )
    return text
