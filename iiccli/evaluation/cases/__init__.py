"""What is measured: from a folder, for each task, the pictures that go into one carrier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from iiccli.errors import ModelError
from iiccli.evaluation.cases.base import Case, CaseOptions, Plan, Planned
from iiccli.evaluation.cases.clips import clips
from iiccli.evaluation.cases.layers import FILLED, composites
from iiccli.evaluation.cases.manifests import manifest_cases
from iiccli.evaluation.cases.pairs import pairs
from iiccli.evaluation.cases.photographs import (
    MIN_SIDE,
    colours,
    dual_views,
    groups,
    high_resolution,
)
from iiccli.zoo.modelfile import Card

__all__ = ["RULES", "Case", "CaseOptions", "Plan", "Planned", "plan_cases"]

RULES = {
    "video": "consecutive frames of each clip, the middle one as reference",
    "mono": "left and right view, the left one as cover",
    "dual": "a picture cropped around its middle to a multiple of twice the zoom; wide view: its "
    "bicubic low resolution; near view: its centre at full resolution, of the same size; the wide "
    f"one as cover; pictures whose wide view would have a side under {MIN_SIDE} pixels left out",
    "hide": "each picture is the cover of the next ones in name order, after the last comes the "
    "first; a secret in the other orientation is turned by 90°, then all are cropped around their "
    "middle to one size",
    "layers": f"each cut-out in the middle of a photograph, scaled to {FILLED:.0%} of its height "
    "or width; the others are the background and the foreground times its alpha",
    "gray": "each picture; the cover is its BT.601 luma, the other is the picture itself",
    "rescale": "each picture, cropped to a multiple of the scale; the cover is its bicubic low "
    "resolution, the other is the picture itself; Y without a border of as many pixels as the "
    "scale",
}
"""What the cases of each task are, in words."""


def plan_cases(card: Card, folder: Path, options: CaseOptions) -> Plan:
    """The cases that a folder or a manifest holds for a model.

    Args:
        card: of the model; its task, number of pictures and scale decide.
        folder: of clips for `video`, of pairs for `mono`, of cut-outs for `layers`, of any
            photographs for the others; or a manifest of any.
        options: see there.

    Raises:
        InputError: the folder or manifest gives none.
        UsageError: an option is missing or makes no sense.
        ModelError: the model is for a task of which nothing is known.
    """
    if folder.is_file():
        plan = manifest_cases(card, folder, options)
    elif card.task == "video":
        plan = clips(folder, card.pictures, options)
    elif card.task == "mono":
        plan = pairs(folder)
    elif card.task == "dual":
        plan = dual_views(folder, options.zoom)
    elif card.task == "hide":
        plan = groups(folder, card.pictures - 1)
    elif card.task == "layers":
        plan = composites(folder, options.backgrounds)
    elif card.task == "gray":
        plan = colours(folder)
    elif card.task == "rescale":
        plan = high_resolution(folder, card.scale)
    else:
        raise ModelError(f"This iic knows no conversion {card.task!r}.", "Upgrade iic.")
    return replace(plan, cases=plan.cases[: options.limit])
