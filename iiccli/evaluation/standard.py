"""The test sets by which the models that ship are measured, and the measuring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from iiccli.errors import InputError, ModelError
from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.protocol import evaluate_plan, means, protocol_of
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import QUALITIES, quality_index


@dataclass(frozen=True)
class StandardSet:
    """A test set.

    Attributes:
        name: as it is called in cards and tables.
        folder: below the folder of all test sets.
        options: what is taken from it; `backgrounds` is below that folder too.
        words: what it is.
    """

    name: str
    folder: str
    options: CaseOptions = field(default_factory=CaseOptions)
    words: str = ""


_DIV2K = StandardSet(
    "DIV2K_valid_crop256",
    "DIV2K_valid_crop256",
    words="one crop of 256×256 pixels of each of the 100 DIV2K validation pictures: figures are "
    "near, but not equal to those on whole pictures",
)
_KODAK = StandardSet("Kodak24", "Kodak24", words="the 24 Kodak pictures, 768×512")


def _zoomed(zoom: int) -> StandardSet:
    return replace(
        _KODAK,
        name=f"Kodak24 ×{zoom}",
        options=CaseOptions(zoom=zoom),
        words=f"the 24 Kodak pictures with a zoom of {zoom}",
    )


SETS: Mapping[str, tuple[StandardSet, ...]] = {
    "video": (
        StandardSet(
            "DAVIS",
            "video",
            CaseOptions(exclude=("vid4-*",)),
            "ten DAVIS clips, 854×480, from frame number 4 on",
        ),
    ),
    "mono": (StandardSet("stereo", "stereo", words="ten pairs, most of them Middlebury"),),
    "dual": (_zoomed(2), _zoomed(4), _zoomed(8)),
    "hide": (_DIV2K, _KODAK),
    "layers": (
        StandardSet(
            "matting on Kodak24",
            "matting",
            CaseOptions(backgrounds=Path("Kodak24")),
            "five cut-outs on the first Kodak pictures",
        ),
    ),
    "gray": (_KODAK, _DIV2K),
    "rescale": (
        StandardSet("Set5", "Set5", words="the usual five pictures"),
        StandardSet("Set14", "Set14", words="the usual fourteen pictures"),
        _KODAK,
        _DIV2K,
    ),
}
"""By task."""


def check_sets(task: str, root: Path) -> None:
    """Refuse to begin where a test set is missing.

    Raises:
        InputError: it is.
        ModelError: there is no standard for the task.
    """
    if task not in SETS:
        raise ModelError(f"There are no test sets for {task!r}.")
    for test_set in SETS[task]:
        for folder in (test_set.folder, test_set.options.backgrounds):
            if folder is not None and not (root / folder).is_dir():
                raise InputError(
                    f"The test set {root / folder} is not there.", "Name the folder of all sets."
                )


def measure(
    model: LoadedModel,
    loader: Loader,
    root: Path,
    *,
    limit: int | None = None,
    report: Callable[[str], None] = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any] | None:
    """Measure a model on all test sets of its task, at each quality that it has.

    Args:
        model: to embed with.
        loader: to restore with.
        root: the folder of all test sets.
        limit: measure the first so many cases of each set only.
        report: told the means.
        stop: asked after every set and quality; true ends it without a result.

    Returns:
        What the model's card keeps: `protocol`; `sets`: name of the set to quality to figure;
        `cases`: how many of each set were measured; `cut_from`: how many there are of those that
        `limit` has cut, if any. None if it was stopped.

    Raises:
        InputError: a set is missing, or a picture of it cannot be read.
        ModelError: there is no standard for the model's task.
    """
    card = model.converter.card
    check_sets(card.task, root)
    sets: dict[str, dict[str, dict[str, float]]] = {}
    cases: dict[str, int] = {}
    cut_from: dict[str, int] = {}
    for test_set in SETS[card.task]:
        options = test_set.options
        if options.backgrounds is not None:
            options = replace(options, backgrounds=root / options.backgrounds)
        plan = plan_cases(card, root / test_set.folder, options)
        if limit is not None and limit < len(plan.cases):
            cut_from[test_set.name] = len(plan.cases)
            plan = replace(plan, cases=plan.cases[:limit])
        cases[test_set.name] = len(plan.cases)
        rows = sets.setdefault(test_set.name, {})
        for quality in distinct_qualities(model.converter.qualities):
            results = evaluate_plan(plan, model, loader, quality)
            rows[quality] = {column: round(v, 4) for column, v in means(results).items()}
            report(f"{test_set.name}, {quality}: {rows[quality]}")
            if stop():
                return None
    figures = {"protocol": protocol_of(card.task), "sets": sets, "cases": cases}
    return figures | ({"cut_from": cut_from} if cut_from else {})


def distinct_qualities(qualities: int) -> list[str]:
    """Names of the qualities that differ in a model of so many; the default's name wins."""
    names: dict[int, str] = {}
    for name in ("balanced", *QUALITIES):
        names.setdefault(quality_index(name, qualities), name)
    return [name for name in QUALITIES if name in names.values()]
