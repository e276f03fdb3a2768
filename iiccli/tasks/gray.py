"""Colour in gray: the carrier is the picture's luma, one channel; the colours come back."""

from __future__ import annotations

from pathlib import Path

from iiccli.carrier import Header
from iiccli.inference.converter import Progress, no_progress
from iiccli.tasks.conversion import Conversion, Made, Output
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pictures import RestoredPictures
from iiccli.tasks.single import embed_single, single_output
from iiccli.tasks.stills import Note, silent

TASK = "gray"
NAME = "colour"


def embed_gray(
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
    """Make the gray carrier of a colour picture; see `embed_single`."""
    return embed_single(
        *(source, target, model, NAME, quality),
        strip=strip,
        force=force,
        progress=progress,
        note=note,
    )


def outputs(header: Header, restored: RestoredPictures) -> list[Output]:
    """The picture in colour."""
    return single_output(NAME, header, restored)


CONVERSION = Conversion(TASK, outputs, names=lambda header: [NAME], transparent=NAME)
