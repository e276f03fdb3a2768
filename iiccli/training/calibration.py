"""Fitting an adaptive network's tables to training pictures: no gradients, only statistics.

In order: the principal components at every spatial frequency; then, some rounds: the level at
which each sample fits its carrier, the weights that predict a magnitude from those around it
(least squares of the relative error), and how often each symbol occurs in each class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from iiccli.coding.coefficients import SHIFTS, SYMBOLS
from iiccli.coding.contexts import (
    CLASSES,
    FEATURES,
    ONE,
    UNIT,
    Grid,
    Magnitudes,
    Surroundings,
    class_centre,
    class_of,
    exp2,
    steps,
)
from iiccli.coding.rans import TOTAL
from iiccli.inference.adaptive import AdaptiveConverter, tables_of
from iiccli.inference.adaptive.quantising import quantise
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.net import CENTRES
from iiccli.training.samples import Analysed

Floats = npt.NDArray[np.float64]

_ROUNDS = 2
_FLOOR = 0.03
"""Expected magnitudes below this count alike in the fit."""


def calibrate(
    converter: AdaptiveConverter,
    items: Sequence[Analysed],
    report: Callable[[str], None] = lambda _: None,
) -> list[Analysed]:
    """Fit the tables of `converter`'s network, in place.

    Args:
        converter: its network's transform has not been fitted yet.
        items: samples, analysed by it.
        report: called with what is going on.

    Returns:
        The samples, analysed by the fitted network.
    """
    net = converter.net
    report("principal components")
    fit_components(net, items)
    mixes = net.transform.mixes.detach().cpu().numpy()
    items = [replace(i, z=_mixed(i.z, mixes)) for i in items]
    begin_tables(converter, sum(np.abs(i.z).mean(-1) for i in items) / len(items))
    levels: list[int | None] = [None] * len(items)
    for turn in range(_ROUNDS):
        report(f"levels, round {turn + 1} of {_ROUNDS}")
        for n, item in enumerate(items):
            levels[n] = item.message(converter).level(item.z, item.vectors, levels[n])
        fitting = [
            rounded_at(converter, i, lv)
            for i, lv in zip(items, levels, strict=True)
            if lv is not None
        ]
        report(f"weights and frequencies, round {turn + 1} of {_ROUNDS}")
        fit_tables(converter, fitting, first=turn == 0)
    return items


@dataclass(frozen=True)
class Rounded:
    """Coefficients of a sample at a level, all (cell², ranks, cells).

    Attributes:
        level: log2 of the step in 1/256.
        grid: of the cells.
        magnitudes: in whole steps.
        sizes: absolute values in steps before they were rounded.
    """

    level: int
    grid: Grid
    magnitudes: Magnitudes
    sizes: npt.NDArray[np.float32]


def rounded_at(converter: AdaptiveConverter, item: Analysed, level: int) -> Rounded:
    """A sample's coefficients at a level."""
    sizes = np.abs(item.z) * np.float32(2.0 ** (-level / UNIT))
    magnitudes = np.abs(quantise(item.z, level))
    return Rounded(level, item.message(converter).grid, magnitudes, sizes)


def fit_tables(converter: AdaptiveConverter, fitting: Sequence[Rounded], *, first: bool) -> None:
    """Fit weights, frequencies and centres, in place; `first`: there are no weights yet."""
    net = converter.net
    net.weights.copy_(torch.from_numpy(fit_weights(converter, fitting, first=first)))
    converter.tables = tables_of(net)
    counts, centres = count_symbols(converter, fitting)
    net.frequencies.copy_(torch.from_numpy(smoothed(counts).astype(np.int32)))
    net.centres.copy_(torch.from_numpy(centres.astype(np.float32)))
    converter.tables = tables_of(net)


def begin_tables(converter: AdaptiveConverter, magnitude: npt.NDArray[np.floating]) -> None:
    """Tables to begin with: scales of (cell², ranks) mean magnitudes, even distributions."""
    net = converter.net
    scales = np.rint(UNIT * np.log2(magnitude + 1e-7)).astype(np.int32)
    net.scales.copy_(torch.from_numpy(scales))
    net.frequencies.copy_(torch.from_numpy(first_frequencies().astype(np.int32)))
    converter.tables = tables_of(net)


@torch.no_grad()
def fit_components(net: AdaptiveNet, items: Sequence[Analysed]) -> None:
    """Principal components over the planes, at each frequency; of pictures apart if so wanted.

    Where nothing is predicted from the cover the pictures have nothing in common, and only the
    three planes of each are mixed.
    """
    size, ranks = net.scales.shape
    covariance = torch.zeros(size, ranks, ranks, dtype=torch.float64)
    for item in items:
        z = torch.from_numpy(item.z)
        # Busy cells would decide alone; the square root keeps them first but not the only ones.
        energy = z.square().mean((0, 1), keepdim=True) + 1e-6
        weighted = z / energy.sqrt().sqrt()
        covariance += (weighted @ weighted.transpose(1, 2)).double()
    mixes = torch.zeros(size, ranks, ranks, dtype=torch.float64)
    if net.config.kind == "layers":
        # Background and alpha have nothing in common either.
        parts = [slice(0, 3), slice(3, 4)]
    elif net.config.prediction == "none":
        parts = [slice(i, i + 3) for i in range(0, ranks, 3)]
        mean = torch.stack([covariance[:, p, p] for p in parts]).mean(0)
        for p in parts:
            covariance[:, p, p] = mean
    else:
        parts = [slice(0, ranks)]
    for p in parts:
        mixes[:, p, p] = torch.linalg.eigh(covariance[:, p, p])[1].flip(-1)
    net.transform.mixes.copy_(mixes.float())


def _mixed(z: npt.NDArray[np.float32], mixes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Apply the mixes to a spectrum (cell², planes, cells)."""
    mixed: npt.NDArray[np.float32] = np.matmul(mixes.transpose(0, 2, 1), z)
    return mixed


def first_frequencies() -> npt.NDArray[np.uint32]:
    """Geometric distributions, from which the fit starts."""
    counts = np.zeros((CLASSES, SYMBOLS))
    for number in range(CLASSES):
        mean = class_centre(number) / 2.0 ** SHIFTS[number]
        counts[number] = (mean / (1 + mean)) ** np.arange(SYMBOLS)
    return smoothed(1000 * counts / counts.sum(1, keepdims=True))


def smoothed(counts: Floats) -> npt.NDArray[np.uint32]:
    """Frequencies of at least 1 that add up to `TOTAL`, from counts of symbols.

    Each class is helped by a geometric distribution, weighing as much as a few counts.
    """
    numbers = np.arange(SYMBOLS)
    result = np.zeros((CLASSES, SYMBOLS), np.uint32)
    for number, row in enumerate(counts):
        mean = class_centre(number) / 2.0 ** SHIFTS[number]
        prior = (mean / (1 + mean)) ** numbers / (1 + mean)
        share = (row + 20 * prior) / (row.sum() + 20 * prior.sum())
        whole = np.maximum(1, np.floor(share * (TOTAL - SYMBOLS))).astype(np.int64)
        whole[int(whole.argmax())] += TOTAL - whole.sum()
        result[number] = whole
    return result


def fit_weights(
    converter: AdaptiveConverter, items: Sequence[Rounded], *, first: bool
) -> npt.NDArray[np.int32]:
    """Weights of `Surroundings.expected`, none negative, by weighted least squares."""
    tables = converter.tables
    shape = tables.weights.shape
    gram = np.zeros((*shape, FEATURES))
    right = np.zeros(shape)
    for item in items:
        grid = item.grid
        around = Surroundings(grid, tables.cell, exp2(tables.scales - item.level))
        for step in steps(tables.cell, tables.ranks):
            own = item.magnitudes[step.frequencies[:, None], step.rank, grid.colours[step.colour]]
            x = np.stack([f.ravel() for f in around.features(step)], 1).astype(np.float64)
            x[:, -1] /= ONE
            place = (step.layer, step.rank, step.colour)
            if first:
                expected = (x[:, -1] + 0.2 * (x[:, 0] + x[:, 3])) / 2
            else:
                expected = x @ (tables.weights[place] / ONE)
            weighted = x * (1 / (expected + _FLOOR) ** 2)[:, None]
            gram[place] += weighted.T @ x
            right[place] += weighted.T @ own.ravel()
            around.put(step, own)
    weights = np.zeros(shape, np.int32)
    for place in np.ndindex(shape[:-1]):
        ridge = 1e-3 * np.trace(gram[place]) / FEATURES + 1e-9
        solved = _non_negative(gram[place] + ridge * np.eye(FEATURES), right[place])
        weights[place] = np.clip(np.rint(ONE * solved), 0, 4 * ONE)
    return weights


def _non_negative(gram: Floats, right: Floats) -> Floats:
    """Least squares without negative weights, by coordinate descent."""
    x = np.zeros(len(right))
    for _ in range(200):
        before = x.copy()
        for k in range(len(x)):
            x[k] = max(0.0, x[k] + (right[k] - gram[k] @ x) / gram[k, k])
        if np.abs(x - before).max() < 1e-5:
            break
    return x


def count_symbols(converter: AdaptiveConverter, items: Sequence[Rounded]) -> tuple[Floats, Floats]:
    """How often each symbol occurs in each class, and where magnitudes lie within their steps."""
    tables = converter.tables
    counts = np.zeros(CLASSES * SYMBOLS)
    sums, numbers = np.zeros(CLASSES * CENTRES), np.full(CLASSES * CENTRES, 50.0)
    for item in items:
        grid = item.grid
        around = Surroundings(grid, tables.cell, exp2(tables.scales - item.level))
        for step in steps(tables.cell, tables.ranks):
            place = (step.frequencies[:, None], step.rank, grid.colours[step.colour])
            own = item.magnitudes[place]
            classes = class_of(around.expected(step, tables.weights)).astype(np.int64)
            symbol = np.minimum(own >> SHIFTS[classes], SYMBOLS - 1)
            counts += np.bincount((classes * SYMBOLS + symbol).ravel(), minlength=CLASSES * SYMBOLS)
            which = (classes * CENTRES + np.minimum(own, CENTRES - 1)).ravel()
            off = (item.sizes[place] - own).ravel()
            sums += np.bincount(which, weights=off, minlength=CLASSES * CENTRES)
            numbers += np.bincount(which, minlength=CLASSES * CENTRES)
            around.put(step, own)
    centres = (sums / numbers).reshape(CLASSES, CENTRES)
    return counts.reshape(CLASSES, SYMBOLS), np.clip(centres, -0.5, 0.5)
