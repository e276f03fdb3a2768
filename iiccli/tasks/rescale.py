"""Rescaling: the carrier is the picture at a half or a quarter of its size; all of it comes back.

The essentials are the picture's own width and height, 4 bytes each, so that it comes back at
exactly its size where that is no multiple of the scale.
"""

from __future__ import annotations

from pathlib import Path

from iiccli.carrier import Header
from iiccli.inference.converter import Progress, no_progress
from iiccli.tasks.conversion import Conversion, Made, Output
from iiccli.tasks.models import Codec, LoadedModel, choose_entry
from iiccli.tasks.pictures import RestoredPictures
from iiccli.tasks.single import embed_single, single_output
from iiccli.tasks.stills import Note, silent
from iiccli.zoo.catalogue import Entry, find

TASK = "rescale"
NAME = "full"
DEFAULT_SCALE = 2


def model_for(scale: int | None, name: str | None) -> Entry | Codec:
    """The model for a scale, or the one named.

    Args:
        scale: how many times smaller the carrier is to be; None leaves that to the model named.
        name: name or path of a model.

    Raises:
        ModelError: there is none.
    """
    if scale is None:
        scale = DEFAULT_SCALE if name is None else find(name).card.scale
    return choose_entry(TASK, 1, name, scale)


def embed_rescale(
    source: Path,
    target: Path,
    model: LoadedModel,
    quality: str = "balanced",
    *,
    strip: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
    note: Note = silent,
) -> Made:
    """Make the small carrier of a large picture; see `embed_single`."""
    return embed_single(
        *(source, target, model, NAME, quality),
        strip=strip,
        force=force,
        progress=progress,
        note=note,
    )


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """The picture at its own size."""
    return single_output(NAME, header, restored)


CONVERSION = Conversion(TASK, outputs, names=lambda header: [NAME], transparent=NAME)
