"""The protocol: what is embedded, written, read back, restored and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import mean

from iiccli.carrier import Header, read_carrier, write_carrier
from iiccli.errors import InputError, ModelError
from iiccli.evaluation.cases import RULES, Case, CaseOptions, Plan, plan_cases
from iiccli.evaluation.comparing import compared, taken
from iiccli.evaluation.crew import ALONE, Crew
from iiccli.evaluation.likeness import IDENTICAL, Likeness, likeness, mean_likeness
from iiccli.evaluation.metrics import Pixels
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.tasks.pictures import RestoredPictures, embed_pictures, restore_pictures
from iiccli.zoo.modelfile import Card

__all__ = [
    *("IDENTICAL", "PROTOCOL", "Likeness", "Result", "evaluate_case", "evaluate_group"),
    *("evaluate_plan", "evaluate_video", "judged", "means", "protocol_of"),
]

PROTOCOL = (
    "RGB PSNR (dB) and SSIM (11×11 Gaussian window of sigma 1.5, inside the picture, mean over "
    "channels) per picture on the 8-bit carrier, header included, written to disk and read back; "
    "whole pictures; restored: mean over all pictures of a case; others: without the reference; "
    f"then mean over cases; equal pictures count as {IDENTICAL:.0f} dB; Y: the same of BT.601 "
    "luma, 16..235"
)
"""What all figures have in common; `protocol_of` a task says the rest."""

Progress = Callable[[int, int, float], None]
"""Told: cases done, cases in all, share of the present one."""
Failed = Callable[[str, InputError], None]
"""Told: name of a case that cannot be read, and why."""


def protocol_of(task: str, cases: str = "") -> str:
    """How a task is measured, in words.

    Args:
        task: the conversion.
        cases: what is measured, where it is not what `RULES` say of a folder.
    """
    cases = cases or RULES.get(task, "")
    return f"{PROTOCOL}. Cases: {cases}" if cases else PROTOCOL


@dataclass(frozen=True)
class Result:
    """Figures of one case.

    PSNR is in dB, and infinite where nothing differs; `y_` figures are of luma alone.

    Attributes:
        name: of the case.
        cover_psnr: of the carrier against what it should look like; likewise the next three.
        restored_psnr: mean over all pictures that come back; likewise the next three.
        reference_psnr: of the restored reference alone.
        reference_ssim: likewise.
        others_psnr: mean over all but the reference, of which it is where there are no others;
            likewise the next three.
        background_psnr: of `layers`, one of its others.
        foreground_psnr: of `layers`, the other one: the foreground times its alpha.
        alpha_error: of `layers`, mean absolute error of alpha in 0..1.
        pictures: of each picture that comes back, in the case's order.
    """

    name: str
    cover_psnr: float
    cover_ssim: float
    cover_y_psnr: float
    cover_y_ssim: float
    restored_psnr: float
    restored_ssim: float
    restored_y_psnr: float
    restored_y_ssim: float
    reference_psnr: float
    reference_ssim: float
    others_psnr: float
    others_ssim: float
    others_y_psnr: float
    others_y_ssim: float
    background_psnr: float | None = None
    foreground_psnr: float | None = None
    alpha_error: float | None = None
    pictures: tuple[Likeness, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """All figures that this case has, by their names above; those of each picture apart."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {key: value for key, value in named.items() if isinstance(value, float)}


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
    crew: Crew = ALONE,
) -> list[Result]:
    """Evaluate one case after the other; several processes share them.

    Args:
        plan: the cases.
        model: to embed with.
        loader: to restore with.
        quality: of the carrier.
        progress: told how far it is; of several processes, with the share of this one.
        failed: told in the end of cases whose files cannot be read, in order; without it they
            end everything.
        crew: the processes that take part, each of which calls this.

    Returns:
        The results of all processes, in the order of the plan.

    Raises:
        InputError: a case cannot be read and `failed` is not given, or none could be read.
        SystemExit: in place of an error, in all but the main process; see `Crew.together`.
    """
    own = crew.share(len(plan.cases))

    def evaluated() -> list[tuple[int, Result | InputError]]:
        found: list[tuple[int, Result | InputError]] = []
        for done, number in enumerate(own):
            progress(done, len(own), 0.0)
            try:
                case = plan.cases[number].read()
            except InputError as error:
                if failed is None:
                    raise
                found.append((number, error))
                continue
            found.append((number, evaluate_case(case, model, loader, quality)))
        progress(len(own), len(own), 0.0)
        return found

    results = []
    outcomes = crew.gathered(crew.together(evaluated))
    for number, outcome in sorted(outcomes, key=lambda pair: pair[0]):
        if isinstance(outcome, Result):
            results.append(outcome)
        elif failed is not None:
            failed(plan.cases[number].name, outcome)
    if not results:
        crew.refuse(InputError("None of the pictures can be measured."))
    return results


def evaluate_case(case: Case, model: LoadedModel, loader: Loader, quality: str) -> Result:
    """Embed, write, read, restore and compare one case.

    Raises:
        ModelError: the model takes other pictures than the case has.
    """
    card = model.converter.card
    pictures = taken(card, case)
    pixels, header = embed_pictures(
        model, pictures, case.reference, quality, zoom=case.zoom, **case.header
    )
    cover = model.converter.cover(pictures[case.reference])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "carrier.png"
        write_carrier(path, pixels, header, target=cover)
        carrier = read_carrier(path)
        back = restore_pictures(loader, carrier)
    return judged(case, card, cover, carrier.pixels, carrier.header, back)


def judged(
    case: Case,
    card: Card,
    cover: Pixels,
    carrier: Pixels,
    header: Header,
    back: RestoredPictures,
) -> Result:
    """Compare a carrier, and what came back from it, with what they should be.

    Args:
        case: what went in.
        card: of the model that made it, or of one that does the same.
        cover: what the carrier should look like.
        carrier: as it was read back, of the same shape.
        header: the carrier's.
        back: what came back, in the case's order.
    """
    found = compared(card, case, header, back)
    border = card.scale if card.task == "rescale" else 0
    each = [likeness(a, b, border) for a, b in found.pairs]
    reference = each[found.reference]
    embedded = likeness(carrier, cover)
    restored = mean_likeness(each)
    others = mean_likeness(
        [one for i, one in enumerate(each) if i != found.reference] or [reference]
    )
    return Result(
        name=case.name,
        cover_psnr=embedded.psnr,
        cover_ssim=embedded.ssim,
        cover_y_psnr=embedded.y_psnr,
        cover_y_ssim=embedded.y_ssim,
        restored_psnr=restored.psnr,
        restored_ssim=restored.ssim,
        restored_y_psnr=restored.y_psnr,
        restored_y_ssim=restored.y_ssim,
        reference_psnr=reference.psnr,
        reference_ssim=reference.ssim,
        others_psnr=others.psnr,
        others_ssim=others.ssim,
        others_y_psnr=others.y_psnr,
        others_y_ssim=others.y_ssim,
        **found.special,
        pictures=tuple(each),
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
