"""The objective that teaches the enhancer."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from iiccli.networks.adaptive import AdaptiveNet
from iiccli.training.repair import Repair, _turned, spread
from iiccli.training.samples import FIXED, Example, Sample, analysed, examples
from tests.adaptive_models import calibrated, converter_of, pictures_of


def numbered(height: int, width: int, cell: int = 8) -> Example:
    """An example whose every pixel says where it is, and whose side planes say so too."""
    place = torch.arange(height * width).view(1, height, width)
    values = torch.cat((place // 256, place % 256, place // 256)).to(torch.int16)
    rows, columns = -(-height // cell), -(-width // cell)
    side = torch.arange(rows * columns).view(1, rows, columns).half()
    return Example(values, values.clone(), side)


def objective_of(items, crop: int, validation=(), batch: int = 4, kind: str = "hide") -> Repair:
    net = copy.deepcopy(calibrated(kind)).requires_grad_(True)
    return Repair(net, items, validation, crop=crop, batch=batch)


def crops(objective: Repair, count: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return [objective._crop(generator) for _ in range(count)]


def test_crops_are_aligned_in_all_their_parts():
    """Wherever a crop was taken and however it was turned, its parts show the same place."""
    width = 96
    objective = objective_of([numbered(64, width)], 24)
    turns, tops = set(), set()
    for decoded, original, side in crops(objective, 40):
        assert decoded.shape == original.shape == (3, 24, 24)
        assert side.shape == (1, 12, 12)
        assert torch.equal(decoded, original)
        place = (original[0] * FIXED * 256 + original[1] * FIXED).round().long()
        rows, columns = place // width, place % width
        # Each half-size sample's plane is that of the cell in which its four pixels lie.
        cells = rows // 8 * (width // 8) + columns // 8
        assert torch.equal(cells[::2, ::2], side[0].long())
        assert torch.equal(cells[1::2, 1::2], side[0].long())
        beside = int(place[0, 1] - place[0, 0]) in (1, -1)
        turns.add((bool(place[0, 0] < place[-1, 0]), bool(place[0, 0] < place[0, -1]), beside))
        tops.add(int(rows.min()))
    assert len(turns) == 8
    assert len(tops) > 5


def test_crops_repeat_with_the_generator():
    objective = objective_of([numbered(64, 64)], 16)
    first, again, other = (crops(objective, 3, seed) for seed in (5, 5, 6))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("sizes", "crop", "size", "left"),
    [
        ([(32, 96), (96, 96), (64, 48)], 64, 64, 1),  # a small one does not end the training
        ([(32, 96), (48, 48)], 64, 48, 1),
        ([(64, 64)], 33, 32, 1),
        ([(64, 64), (70, 80)], 32, 32, 2),
    ],
)
def test_crops_are_as_large_as_the_pictures_allow(sizes, crop, size, left):
    objective = objective_of([numbered(*s) for s in sizes], crop)
    assert len(objective.examples) == left
    assert {c[0].shape for c in crops(objective, 6)} == {(3, size, size)}


def test_turning_is_all_eight_ways():
    x = torch.arange(4).view(1, 2, 2)
    ways = {
        tuple(_turned(x, (a, b, c)).flatten().tolist())
        for a in (0, 1)
        for b in (0, 1)
        for c in (0, 1)
    }
    assert len(ways) == 8


def test_side_planes_stand_for_whole_cells():
    side = torch.arange(12).view(1, 3, 4).half()
    found = spread(side, (0, 24, 0, 32), 8)
    assert found.shape == (1, 12, 16)
    assert torch.equal(found[:, ::4, ::4], side.float())
    part = spread(side, (6, 20, 10, 32), 8)
    assert torch.equal(part, found[:, 3:10, 5:16])


@pytest.fixture(scope="module")
def decoded() -> list[Example]:
    converter = converter_of("hide")
    item = analysed(converter, Sample(tuple(pictures_of("hide", 64, 80, 5))), 0)
    return examples(converter, item, np.random.default_rng(0))


def test_an_enhancer_that_does_nothing_gains_nothing(decoded):
    objective = objective_of(decoded, 32)
    loss, figures = objective.loss(torch.Generator().manual_seed(0))
    assert float(figures["gain"]) == pytest.approx(0, abs=1e-3)
    assert 35 < float(figures["psnr"]) < 55
    # The floor makes good crops count for a little less than they are.
    assert -float(figures["psnr"]) <= loss.item() < -float(figures["psnr"]) + 2
    validated = objective_of(decoded, 32, decoded).validate(objective.module)
    assert validated["decoded"] == pytest.approx(validated["enhanced"])
    assert objective.validate(objective.module) == {}


def test_validation_measures_whole_pictures(decoded):
    objective = objective_of(decoded, 32, decoded)
    wanted = [
        -10 * ((e.decoded - e.original).float() / FIXED).square().mean().log10() for e in decoded
    ]
    found = objective.validate(objective.module)
    assert found["decoded"] == pytest.approx(float(torch.stack(wanted).mean()), abs=0.01)


def test_an_error_that_is_always_the_same_is_learned(decoded):
    shifted = [dataclasses.replace(e, decoded=e.decoded + FIXED // 64) for e in decoded]
    objective = objective_of(shifted, 32, shifted)
    optimiser = torch.optim.Adam(objective.module.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        loss, figures = objective.loss(generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(figures["gain"]) > 3
    after = objective.validate(objective.module)
    assert after["enhanced"] > after["decoded"] + 3


def test_what_is_made_smaller_is_no_picture_that_counts():
    """The enhancer sees the enlarged carrier; nobody wants it back."""
    objective = objective_of([numbered(32, 32)], 16, kind="half")
    assert objective.first == 3
    assert objective_of([numbered(32, 32)], 16, kind="video").first == 0
    net = AdaptiveNet(calibrated("half").config)
    example = Example(
        torch.zeros(12, 32, 32, dtype=torch.int16),
        torch.zeros(12, 32, 32, dtype=torch.int16),
        torch.zeros(net.enhancer.head.in_channels - 48, 4, 4).half(),
    )
    example.original[:3] = 9999
    measured = Repair(net, [example], [example], crop=32, batch=1)
    assert measured.validate(net.enhancer)["decoded"] == pytest.approx(90)
