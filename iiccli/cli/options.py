"""Options that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Quality(StrEnum):
    """Balance between cover and content; see `iiccli.tasks.pictures.QUALITIES`."""

    cover = "cover"
    balanced = "balanced"
    content = "content"


class FitRule(StrEnum):
    """How a secret is brought to the cover's size; see `iiccli.media.fitting.Rule`."""

    stretch = "stretch"
    crop = "crop"
    pad = "pad"


DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda or mps.", rich_help_panel="Running")
]
TileOption = Annotated[
    int,
    typer.Option(
        "--tile",
        min=64,
        help="Side of the tiles in pixels: smaller needs less memory.",
        rich_help_panel="Running",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="Name or file of a model.", rich_help_panel="Running"),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no remarks on stderr.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")]
