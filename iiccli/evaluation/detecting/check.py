"""The steganalysis check: train detectors on some covers and carriers, try them on others."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from iiccli.errors import InputError
from iiccli.evaluation.detecting.ensemble import train
from iiccli.evaluation.detecting.features import LEAST_SIDE, features
from iiccli.evaluation.detecting.rating import Rating, best_threshold, rate
from iiccli.evaluation.detecting.specimens import Group, Manner, specimen
from iiccli.evaluation.detecting.statistics import chi_square, regular_singular, sample_pairs
from iiccli.evaluation.detecting.yardsticks import matched, remainders, replaced
from iiccli.evaluation.metrics import Pixels
from iiccli.tasks.models import LoadedModel
from iiccli.tasks.pictures import quality_index

Array = npt.NDArray[np.float64]

LEAST = 4
"""Pictures to train on, and to try on, without which nothing can be said."""

PROTOCOL = (
    "each picture is the cover of the next ones in name order; carriers as they are in the file; a "
    "cover and its carrier are both in training, or both in test; features: an ensemble of linear "
    "discriminants over co-occurrences of noise residuals, along and across colours; chi-square, "
    "sample pairs, RS: the statistics themselves; thresholds are those that are right most often "
    "in training; accuracy: covers and carriers weigh the same; missed: share of carriers that "
    "pass where at most 5 % of the covers of the test are accused"
)
"""What is measured, in words."""

CARRIER = "iic"
"""What the carriers are called among the ways to embed."""
COVER = "cover"

Progress = Callable[[int, int, float], None]
"""Told: pictures done, pictures in all, 0."""
Failed = Callable[[str, InputError], None]
"""Told: name of a picture of which no carrier can be made, and why."""


@dataclass(frozen=True)
class Verdict:
    """How well one detector sees one way to embed.

    Attributes:
        way: `CARRIER`, or a yardstick, see `ways`.
        detector: `features`, `chi-square`, `sample pairs` or `RS`.
        psnr: of what was embedded against the covers, mean over the test pictures, in dB.
        rating: on the test pictures.
    """

    way: str
    detector: str
    psnr: float
    rating: Rating


@dataclass(frozen=True)
class Check:
    """The result.

    Attributes:
        verdicts: carriers first, of each way the features first.
        trained: how many covers were trained on.
        tried: on how many it was tried.
    """

    verdicts: list[Verdict]
    trained: int
    tried: int


def ways(model: LoadedModel, quality: str) -> dict[str, Callable[..., Pixels]]:
    """The yardsticks: what makes of a cover and a source of random numbers a stego picture.

    A message of random numbers at the very rate of the carriers is among them where the model
    makes modulo carriers.
    """
    level = quality_index(quality, model.converter.qualities)
    moduli = model.converter.moduli(level)
    same: dict[str, Callable[..., Pixels]] = {}
    if moduli is not None:
        numbers = ", ".join(str(q) for q in sorted(set(moduli)))
        same = {f"random mod {numbers}": partial(_remainders, moduli=tuple(moduli))}
    return {
        **same,
        "±1, 1 bit a sample": partial(_matched, rate=1.0),
        "±1, 0.1 bits a sample": partial(_matched, rate=0.1),
        "±1, 0.01 bits a sample": partial(_matched, rate=0.01),
        "LSB, 0.1 bits a sample": partial(_replaced, rate=0.1),
    }


def check(
    training: Sequence[Group],
    test: Sequence[Group],
    model: LoadedModel,
    manner: Manner,
    *,
    seed: int = 0,
    progress: Progress = lambda done, total, share: None,
    failed: Failed | None = None,
) -> Check:
    """Train and try all detectors on carriers and yardsticks.

    One picture is in memory at a time; what is kept of each are some thousand numbers.

    Args:
        training: covers with their secrets to train on.
        test: others to try on.
        model: makes the carriers.
        manner: how.
        seed: of yardsticks and ensemble.
        progress: told how far it is.
        failed: told of a picture of which no carrier can be made; without it, it ends everything.

    Raises:
        InputError: such a picture, or fewer than `LEAST` of either kind remain.
    """
    plain = ways(model, manner.quality)
    total = len(training) + len(test)

    def gathered(groups: Sequence[Group], before: int) -> list[_Found]:
        found = []
        for number, group in enumerate(groups, start=before):
            progress(number, total, 0.0)
            try:
                found.append(_found(group, model, manner, plain, seed))
            except InputError as error:
                if failed is None:
                    raise
                failed(group[0].name, error)
        if len(found) < LEAST:
            raise InputError(
                f"{len(found)} covers are too few to train or try a detector on.",
                f"Give {LEAST} or more of each; a hundred say something.",
            )
        return found

    seen = gathered(training, 0)
    new = gathered(test, len(training))
    progress(total, total, 0.0)
    verdicts = [verdict for way in (CARRIER, *plain) for verdict in _verdicts(way, seen, new, seed)]
    return Check(verdicts, len(seen), len(new))


@dataclass(frozen=True)
class _Found:
    """Of one cover and all that was made of it: by way, evidence and PSNR."""

    evidence: Mapping[str, Mapping[str, Array]]
    psnr: Mapping[str, float]


def _found(
    group: Group,
    model: LoadedModel,
    manner: Manner,
    plain: Mapping[str, Callable[..., Pixels]],
    seed: int,
) -> _Found:
    cover, carrier = specimen(group, model, manner)
    if min(cover.shape[:2]) < LEAST_SIDE:
        raise InputError(f"{group[0].name} is too small to be judged.")

    def drawing(way: str) -> np.random.Generator:
        """Of this cover and way alone, so that other qualities have the same yardsticks."""
        text = f"{way} {group[0].name}".encode("utf-8", "surrogateescape")
        return np.random.default_rng((seed, zlib.crc32(text)))

    made = {CARRIER: carrier, **{way: embed(cover, drawing(way)) for way, embed in plain.items()}}
    return _Found(
        {way: _evidence(pixels) for way, pixels in {COVER: cover, **made}.items()},
        {way: _psnr(cover, pixels) for way, pixels in made.items()},
    )


def _evidence(pixels: Pixels) -> dict[str, Array]:
    """What each detector sees; single numbers are higher for carriers."""
    return {
        "features": features(pixels),
        "chi-square": np.array([-chi_square(pixels)]),
        "sample pairs": np.array([sample_pairs(pixels)]),
        "RS": np.array([regular_singular(pixels)]),
    }


def _verdicts(way: str, seen: Sequence[_Found], new: Sequence[_Found], seed: int) -> list[Verdict]:
    psnr = float(np.mean([found.psnr[way] for found in new]))
    verdicts = []
    for detector in new[0].evidence[way]:

        def stacked(some: Sequence[_Found], what: str, detector: str = detector) -> Array:
            return np.stack([found.evidence[what][detector] for found in some])

        covers, carriers = stacked(seen, COVER), stacked(seen, way)
        others, suspects = stacked(new, COVER), stacked(new, way)
        if covers.shape[1] == 1:
            scores = [each[:, 0] for each in (covers, carriers, others, suspects)]
        else:
            ensemble = train(covers, carriers, seed)
            scores = [
                *(ensemble.covers, ensemble.carriers),
                *(ensemble.scores(others), ensemble.scores(suspects)),
            ]
        threshold = best_threshold(scores[0], scores[1])
        verdicts.append(Verdict(way, detector, psnr, rate(scores[2], scores[3], threshold)))
    return verdicts


def _psnr(cover: Pixels, pixels: Pixels) -> float:
    error = float(((cover.astype(np.float64) - pixels) ** 2).mean())
    return 10 * float(np.log10(255**2 / error)) if error else 100.0


def _remainders(cover: Pixels, draw: np.random.Generator, *, moduli: tuple[int, ...]) -> Pixels:
    return remainders(cover, moduli, draw)


def _matched(cover: Pixels, draw: np.random.Generator, *, rate: float) -> Pixels:
    return matched(cover, rate, draw)


def _replaced(cover: Pixels, draw: np.random.Generator, *, rate: float) -> Pixels:
    return replaced(cover, rate, draw)
