"""The protocol: what is embedded, written, read back, restored and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from iiccli.carrier import Header, read_carrier, write_carrier
from iiccli.errors import InputError, ModelError
from iiccli.evaluation.cases import RULES, Case, CaseOptions, Plan, plan_cases
from iiccli.evaluation.metrics import Pixels, psnr, ssim, y_psnr
from iiccli.tasks.conversion import conversion
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import RestoredPictures, embed_pictures, restore_pictures

IDENTICAL = 100.0
"""What the PSNR of equal pictures counts as in a mean over cases, in dB."""

PROTOCOL = (
    "RGB PSNR (dB) and SSIM per picture on the 8-bit carrier, header included, written to disk "
    "and read back; whole pictures; mean over the other pictures of a case, then over cases; "
    f"equal pictures count as {IDENTICAL:.0f} dB; Y: PSNR of BT.601 luma, 16..235"
)
"""What all figures have in common; `protocol_of` a task says the rest."""

Progress = Callable[[int, int, float], None]
"""Told: cases done, cases in all, share of the present one."""
Failed = Callable[[str, InputError], None]
"""Told: name of a case that cannot be read, and why."""


def protocol_of(task: str) -> str:
    """How a task is measured, in words."""
    return f"{PROTOCOL}. Cases: {RULES[task]}" if task in RULES else PROTOCOL


@dataclass(frozen=True)
class Result:
    """Figures of one case.

    PSNR is in dB, and infinite where nothing differs.

    Attributes:
        name: of the case.
        cover_psnr: of the carrier against what it should look like.
        reference_psnr: of the restored reference.
        others_psnr: mean over the other pictures; of the reference where there are none.
        others_y_psnr: the same of luma alone.
        cover_ssim: as `cover_psnr`.
        reference_ssim: as `reference_psnr`.
        others_ssim: as `others_psnr`.
        background_psnr: of `layers`, one of its others.
        foreground_psnr: of `layers`, the other one: the foreground times its alpha.
        alpha_error: of `layers`, mean absolute error of alpha in 0..1.
    """

    name: str
    cover_psnr: float
    reference_psnr: float
    others_psnr: float
    others_y_psnr: float
    cover_ssim: float
    reference_ssim: float
    others_ssim: float
    background_psnr: float | None = None
    foreground_psnr: float | None = None
    alpha_error: float | None = None

    @property
    def figures(self) -> dict[str, float]:
        """All figures that this case has, by their names above."""
        return {k: v for k, v in asdict(self).items() if k != "name" and v is not None}


def means(results: Sequence[Result]) -> dict[str, float]:
    """The mean of every figure over cases; equal pictures count as `IDENTICAL`.

    Raises:
        ValueError: no results.
    """
    if not results:
        raise ValueError("there is nothing to average")
    rows = [result.figures for result in results]
    return {
        column: mean(min(row[column], IDENTICAL) for row in rows if column in row)
        for column in rows[0]
    }


def evaluate_plan(
    plan: Plan,
    model: LoadedModel,
    loader: Loader,
    quality: str,
    *,
    progress: Progress = lambda done, total, share: None,
    failed: Failed | None = None,
) -> list[Result]:
    """Evaluate one case after the other.

    Args:
        plan: the cases.
        model: to embed with.
        loader: to restore with.
        quality: of the carrier.
        progress: told how far it is.
        failed: told of cases whose files cannot be read; without it they end everything.

    Raises:
        InputError: a case cannot be read and `failed` is not given, or none could be read.
    """
    results = []
    total = len(plan.cases)
    for done, planned in enumerate(plan.cases):
        progress(done, total, 0.0)
        try:
            case = planned.read()
        except InputError as error:
            if failed is None:
                raise
            failed(planned.name, error)
            continue
        results.append(evaluate_case(case, model, loader, quality))
    progress(total, total, 0.0)
    if not results:
        raise InputError("None of the pictures can be measured.")
    return results


def evaluate_case(case: Case, model: LoadedModel, loader: Loader, quality: str) -> Result:
    """Embed, write, read, restore and compare one case."""
    pixels, header = embed_pictures(
        model, case.pictures, case.reference, quality, zoom=case.zoom, **case.header
    )
    cover = model.converter.cover(case.pictures[case.reference])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        write_carrier(path, pixels, header, target=cover)
        carrier = read_carrier(path)
        back = restore_pictures(loader, carrier)
    reference = (back.pictures[case.reference], case.pictures[case.reference])
    special: dict[str, float] = {}
    if case.foreground is not None:
        others, special = _layers(case, case.foreground, carrier.header, back)
    else:
        pairs = list(zip(back.pictures, case.pictures, strict=True))
        others = [pair for i, pair in enumerate(pairs) if i != case.reference] or [reference]
    scale = model.converter.scale
    border = scale if model.converter.card.task == "rescale" else 0
    return Result(
        name=case.name,
        cover_psnr=psnr(carrier.pixels, cover),
        reference_psnr=psnr(*reference),
        others_psnr=mean(psnr(a, b) for a, b in others),
        others_y_psnr=mean(y_psnr(a, b, border) for a, b in others),
        cover_ssim=ssim(carrier.pixels, cover),
        reference_ssim=ssim(*reference),
        others_ssim=mean(ssim(a, b) for a, b in others),
        **special,
    )


def evaluate_group(
    name: str,
    pictures: Sequence[Pixels],
    reference: int,
    model: LoadedModel,
    loader: Loader,
    quality: str,
) -> Result:
    """Embed, write, read, restore and compare one group of pictures."""
    return evaluate_case(Case(name, list(pictures), reference), model, loader, quality)


def evaluate_video(
    folder: Path,
    model: LoadedModel,
    loader: Loader,
    quality: str,
    *,
    first: int = 3,
    exclude: Sequence[str] = (),
    progress: Progress = lambda done, total, share: None,
) -> list[Result]:
    """Evaluate on consecutive frames of every clip below `folder`.

    Args:
        folder: one sub-folder of frames, or one video, per clip.
        model: to embed with; for `video`.
        loader: to restore with.
        quality: of the carrier.
        first: number of the first frame taken, from 0; earlier if the clip is too short.
        exclude: patterns (`vid4-*`) of names to leave out.
        progress: told how far it is.

    Raises:
        InputError: there is no clip, or one cannot be read.
        ModelError: the model is for another task.
    """
    card = model.converter.card
    if card.task != "video":
        raise ModelError(f"The model {model.name} is for {card.task}, not for video.")
    plan = plan_cases(card, folder, CaseOptions(first=first, exclude=tuple(exclude)))
    return evaluate_plan(plan, model, loader, quality, progress=progress)


def _layers(
    case: Case, foreground: Pixels, header: Header, back: RestoredPictures
) -> tuple[list[tuple[Pixels, Pixels]], dict[str, float]]:
    """The layers as a user gets them, each with what it should be, and figures of their own.

    Colours are compared where they show: a foreground times its alpha.
    """
    outputs = {output.name: output for output in conversion("layers").outputs(header, back)}
    alpha = case.pictures[-1][..., 0]
    found = outputs["foreground"].alpha
    shape = np.full_like(alpha, 255) if found is None else found
    others = [
        (outputs["background"].pixels, case.pictures[1]),
        (_premultiplied(outputs["foreground"].pixels, shape), _premultiplied(foreground, alpha)),
    ]
    special = {
        "background_psnr": psnr(*others[0]),
        "foreground_psnr": psnr(*others[1]),
        "alpha_error": float(np.abs(shape.astype(np.float64) - alpha).mean() / 255),
    }
    return others, special


def _premultiplied(pixels: Pixels, alpha: Pixels) -> Pixels:
    return np.rint(pixels * (alpha[..., None] / 255)).astype(np.uint8)
