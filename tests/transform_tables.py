"""Fitting a transform network's tables to pictures, for the tests.

Models of this network ship (video-3.v1, -5.v1, -9.v1) and must stay restorable, but none is
trained any more.

In order: the principal components at every spatial frequency, the expected amplitudes and what
is left of them once each cell's gains are taken out, the quantisers (Lloyd), and the thresholds
at which another bit pays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from iiccli.networks.transform import TransformNet
from iiccli.networks.transform.config import MAX_BITS, UNIT

Group = tuple[Tensor, Tensor]
"""A reference picture (3, H, W) and the others (P, 3, H, W), in 0..1."""

_ROUNDS = 3
_LLOYD_STEPS = 40
_LLOYD_SAMPLES = 1_000_000


@torch.no_grad()
def calibrate(
    net: TransformNet, groups: Sequence[Group], report: Callable[[str], None] = lambda _: None
) -> None:
    """Fit `net`'s transform, amplitudes, quantisers and thresholds to `groups`, in place."""
    report("predicting")
    errors = [_prediction_error(net, reference, others) for reference, others in groups]
    report("principal components")
    _fit_components(net, errors)
    coefficients = [net.transform(error) for error in errors]
    del errors
    report("amplitudes")
    _fit_amplitudes(net, coefficients)
    for turn in range(_ROUNDS):
        report(f"quantisers, round {turn + 1} of {_ROUNDS}")
        _fit_quantisers(net, coefficients)


def _prediction_error(net: TransformNet, reference: Tensor, others: Tensor) -> Tensor:
    cell = net.multiple
    height, width = (side // cell * cell for side in reference.shape[-2:])
    reference, others = reference[..., :height, :width], others[..., :height, :width]
    coefficients = net.analyse(reference, others)
    return (others - net.predict(reference, coefficients.vectors)).flatten(0, 1)


def _fit_components(net: TransformNet, errors: Sequence[Tensor]) -> None:
    transform = net.transform
    size = transform.cell**2
    covariance = transform.mixes.new_zeros(
        (size, transform.channels, transform.channels), dtype=torch.float64
    )
    for error in errors:
        spectrum = transform.spectrum(error)
        # Busy cells would decide alone; the square root keeps them first but not the only ones.
        energy = spectrum.square().mean((0, 2), keepdim=True) + 1e-6
        weighted = spectrum / energy.sqrt().sqrt()
        covariance += (weighted.transpose(1, 2) @ weighted).double()
    _, vectors = torch.linalg.eigh(covariance)
    transform.mixes.copy_(vectors.flip(-1).float())


def _fit_amplitudes(net: TransformNet, coefficients: Sequence[Tensor]) -> None:
    """Alternate between the gains, given the table, and the table, given the gains."""
    allocation = net.allocation
    energy = sum((z.square().mean(0) for z in coefficients), coefficients[0].new_zeros(()))
    energy = energy / len(coefficients)
    for _ in range(4):
        allocation.scales.copy_((UNIT / 2 * (energy + 1e-12).log2()).round().to(torch.int32))
        total, count = torch.zeros_like(energy), 0
        for z in coefficients:
            gains = allocation.gains(z).float()[:, allocation.group]
            total += (z.square() * torch.exp2(-gains)).sum(0)
            count += len(z)
        energy = total / count
    allocation.scales.copy_((UNIT / 2 * (energy + 1e-12).log2()).round().to(torch.int32))


def _fit_quantisers(net: TransformNet, coefficients: Sequence[Tensor]) -> None:
    generator = torch.Generator().manual_seed(1)
    pools: list[list[Tensor]] = [[] for _ in range(MAX_BITS + 1)]
    quota = _LLOYD_SAMPLES // len(coefficients)
    capacities = [capacity(moduli) for moduli in net.config.moduli]
    for i, z in enumerate(coefficients):
        gains = net.allocation.gains(z)
        pixels = len(z) * net.config.cell**2
        water = net.allocation.water(gains, int(pixels * capacities[i % len(capacities)]))
        steps = net.allocation.steps(gains)
        bits = net.allocation.bits(steps, water)
        normal = z * torch.exp2(-steps / UNIT)
        for b in range(MAX_BITS + 1):
            values = normal[bits == b]
            if len(values) > quota:
                values = values[torch.randint(len(values), (quota,), generator=generator)]
            pools[b].append(values)
    samples = [torch.cat(pool) for pool in pools]
    quantiser = net.quantiser
    for b in range(1, MAX_BITS + 1):
        if len(samples[b]) >= 200 * 2**b:
            values = samples[b]
            quantiser.codebooks[b - 1, : 2**b] = _lloyd(values, quantiser.codebook(b))
    thresholds: list[int] = []
    for b in range(MAX_BITS):
        pool = torch.cat((samples[b], samples[b + 1]))
        if len(pool) < 1000:
            thresholds.append(thresholds[-1] + UNIT if thresholds else 0)
            continue
        gain = _distortion(net, pool, b) - _distortion(net, pool, b + 1)
        thresholds.append(round(-UNIT / 2 * math.log2(max(gain, 1e-9))))
    ascending = torch.tensor(thresholds, dtype=torch.int32).cummax(0).values
    net.allocation.thresholds.copy_(ascending)


def capacity(moduli: tuple[int, int, int]) -> float:
    """Bits per pixel that a carrier of these moduli holds."""
    return sum(math.log2(q) for q in moduli)


def _distortion(net: TransformNet, values: Tensor, bits: int) -> float:
    if bits == 0:
        return float(values.square().mean())
    book = net.quantiser.codebook(bits)
    index = torch.bucketize(values, (book[1:] + book[:-1]) / 2)
    return float((values - book[index]).square().mean())


def _lloyd(values: Tensor, book: Tensor) -> Tensor:
    """Lloyd's iteration on one dimension, kept symmetric about zero."""
    values = torch.cat((values, -values)).double()
    book = book.double().clone()
    for _ in range(_LLOYD_STEPS):
        index = torch.bucketize(values, (book[1:] + book[:-1]) / 2)
        counts = torch.bincount(index, minlength=len(book))
        sums = torch.bincount(index, weights=values, minlength=len(book))
        book = torch.where(counts > 0, sums / counts.clamp(min=1), book).sort().values
    return book.float()


__all__ = ["Group", "calibrate", "capacity"]
