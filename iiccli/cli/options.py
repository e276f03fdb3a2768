"""Options that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from iiccli.errors import UsageError


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


class Method(StrEnum):
    """What takes the pictures in; see `iiccli.tasks.models.METHODS`."""

    network = "network"
    codec = "codec"


def refuse_codec(method: Method) -> None:
    """Refuse the codec for a verb that knows none.

    Raises:
        UsageError: it was asked for.
    """
    if method is Method.codec:
        raise UsageError(
            "This verb has no --method codec.",
            "embed-video, hide, mononize, dual-view and compose have it.",
        )


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
MethodOption = Annotated[
    Method,
    typer.Option(
        "--method",
        help="network: damage loses the damaged place alone. codec: AV1 and error correction, no "
        "model; what comes back is closest, but all of it is lost where much is damaged.",
        rich_help_panel="Running",
    ),
]
NoMethodOption = Annotated[Method, typer.Option("--method", hidden=True)]
"""For verbs that know no codec; see `refuse_codec`."""
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no remarks on stderr.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")]
