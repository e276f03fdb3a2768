"""Options that several verbs share."""

from __future__ import annotations

import os
import warnings
from enum import StrEnum
from typing import Annotated

import typer

from iiccli.errors import IicWarning, UsageError
from iiccli.limits import DEFAULT_MAX_PIXELS, VARIABLE


class Quality(StrEnum):
    """Balance between cover and content; see `iiccli.tasks.pictures.QUALITIES`."""

    cover = "cover"
    balanced = "balanced"
    content = "content"


class FitRule(StrEnum):
    """How a picture is brought to another's size; see `iiccli.media.fitting.Rule`."""

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


def _allow(context: typer.Context, pixels: int | None) -> int | None:
    """Set the limit for as long as the command runs; child processes heed it, too."""
    if pixels is not None and not context.resilient_parsing:
        before = os.environ.get(VARIABLE)

        def put_back() -> None:
            if before is None:
                os.environ.pop(VARIABLE, None)
            else:
                os.environ[VARIABLE] = before

        context.call_on_close(put_back)
        os.environ[VARIABLE] = str(pixels)
    return pixels


def _hush(quiet: bool) -> bool:
    if quiet:
        warnings.simplefilter("ignore", IicWarning)
    return quiet


StripOption = Annotated[
    bool,
    typer.Option(
        "--strip",
        help="Leave out EXIF (with the place) and XMP. The colour profile stays: without it "
        "colours would change.",
    ),
]
MaxPixelsOption = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        min=1,
        callback=_allow,
        help=f"Refuse larger pictures and frames; else {VARIABLE} in the environment, or "
        f"{DEFAULT_MAX_PIXELS:,}.",
        rich_help_panel="Running",
    ),
]
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
    bool,
    typer.Option("--quiet", "-q", callback=_hush, help="No progress and no remarks on stderr."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")]
