"""The objective that teaches the enhancer."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from iiccli.errors import TrainingError
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.training.repair import Repair, spread
from iiccli.training.samples import FIXED, Example, Sample, analysed, examples
from tests.adaptive_models import calibrated, converter_of, pictures_of
from tests.training.conftest import recipe_of


def numbered(height: int, width: int, cell: int = 8) -> Example:
    """An example whose every pixel says where it is, and whose side planes say so too."""
    place = torch.arange(height * width).view(1, height, width)
    values = torch.cat((place // 256, place % 256, place // 256)).to(torch.int16)
    rows, columns = -(-height // cell), -(-width // cell)
    side = torch.arange(rows * columns).view(1, rows, columns).half()
    return Example(values, values.clone(), side)


def objective_of(
    items, crop: int, validation=(), kind: str = "hide", seed: int = 0, **changes: object
) -> Repair:
    net = copy.deepcopy(calibrated(kind)).requires_grad_(True)
    recipe = recipe_of(
        kind, **{"data": {"crop": crop}, "loop__batch": 4, "loop__seed": seed, **changes}
    )
    return Repair(net, recipe, items, validation)


def crops(objective: Repair, count: int):
    """Crops one by one: decoded, original, side."""
    batches = (objective.batch(number, range(1)) for number in range(count))
    return [tuple(part[0] for part in batch) for batch in batches]


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


def test_crops_repeat_with_the_seed():
    first, again, other = (
        crops(objective_of([numbered(64, 64)], 16, seed=seed), 3) for seed in (5, 5, 6)
    )
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


def test_a_batch_is_shared_out_without_changing_it():
    objective = objective_of([numbered(64, 64), numbered(64, 80)], 16)
    whole = objective.batch(7, range(4))
    assert [tuple(part.shape) for part in whole] == [(4, 3, 16, 16)] * 2 + [(4, 1, 8, 8)]
    assert whole[0].is_contiguous(memory_format=torch.channels_last)
    for share in (range(2), range(2, 4)):
        part = objective.batch(7, share)
        assert all(
            torch.equal(a[share.start : share.stop], b) for a, b in zip(whole, part, strict=True)
        )
    seen = {
        tuple(x.flatten().tolist()) for step in range(6) for x in objective.batch(step, range(4))[0]
    }
    assert len(seen) == 24


def test_crops_come_from_all_examples():
    items = [numbered(32, 32), numbered(32, 48), numbered(64, 64)]
    for number, item in enumerate(items):
        item.side.fill_(number)
    objective = objective_of(items, 16)
    assert {float(side.max()) for _, _, side in crops(objective, 40)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("turns", "ways"), [("none", 1), ("vertical", 2), ("flips", 4), ("all", 8)]
)
def test_crops_are_turned_as_the_recipe_says(turns, ways):
    objective = objective_of([numbered(16, 16)], 16, data={"crop": 16, "turns": turns})
    assert len({tuple(c[0].flatten().tolist()) for c in crops(objective, 80)}) == ways


@pytest.mark.parametrize(
    ("sizes", "crop", "size", "left"),
    [
        ([(32, 96), (96, 96), (64, 48)], 64, 64, 1),  # a small one does not end the training
        ([(32, 96), (48, 48)], 64, 48, 1),
        ([(64, 64)], 34, 34, 1),
        ([(64, 64), (70, 80)], 32, 32, 2),
    ],
)
def test_crops_are_as_large_as_the_pictures_allow(sizes, crop, size, left):
    objective = objective_of([numbered(*s) for s in sizes], crop)
    assert len(objective.examples) == left
    assert {c[0].shape for c in crops(objective, 6)} == {(3, size, size)}


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
    objective = objective_of(decoded, 32, decoded)
    loss, figures = objective.loss(objective.module, objective.batch(0, range(4)))
    assert float(figures["gain"]) == pytest.approx(0, abs=1e-3)
    assert 35 < float(figures["restored_psnr"]) < 55
    # The floor makes good crops count for a little less than they are.
    after = float(figures["restored_psnr"])
    assert -after <= loss.item() < -after + 2
    validated = objective.validate(objective.module)
    assert validated["gain"] == pytest.approx(0, abs=1e-4)
    assert objective_of(decoded, 32).validate(objective.module) == {}


def test_the_loss_is_the_recipe_s(decoded):
    terms = [
        {"of": "restored", "kind": "l1", "weight": 2},
        {"of": "others", "kind": "l2", "reduction": "sum"},
    ]
    objective = objective_of(decoded, 32, loss=terms)
    batch = objective.batch(0, range(4))
    off = batch[0] - batch[1]
    expected = 2 * off.abs().mean() + off.square().sum((1, 2, 3)).mean()
    loss, _ = objective.loss(objective.module, batch)
    assert loss.item() == pytest.approx(float(expected), rel=1e-4)


def test_the_carrier_is_not_learned(decoded):
    terms = [{"of": "restored", "kind": "psnr"}, {"of": "embedding", "kind": "l2"}]
    with pytest.raises(TrainingError, match="is not learned") as caught:
        objective_of(decoded, 32, loss=terms)
    assert "restored" in caught.value.hint


def test_no_examples_are_an_error():
    with pytest.raises(TrainingError, match="None of the samples fits"):
        objective_of([], 32)


def test_validation_measures_whole_pictures(decoded):
    shifted = [dataclasses.replace(e, original=e.original + FIXED // 64) for e in decoded]
    objective = objective_of(decoded, 32, shifted)
    wanted = [
        -10 * ((e.decoded - e.original).float() / FIXED).square().mean().log10() for e in shifted
    ]
    found = objective.validate(objective.module)
    assert found["restored_psnr"] == pytest.approx(float(torch.stack(wanted).mean()), abs=0.01)

    class Undone(torch.nn.Module):
        def forward(self, decoded, side):
            return decoded + 1 / 64

    found = objective.validate(Undone())
    plain = objective_of(decoded, 32, decoded).validate(objective.module)
    assert found["restored_psnr"] == pytest.approx(plain["restored_psnr"], abs=0.01)
    assert found["gain"] == pytest.approx(
        plain["restored_psnr"] - float(torch.stack(wanted).mean()), abs=0.02
    )


def test_an_error_that_is_always_the_same_is_learned(decoded):
    shifted = [dataclasses.replace(e, decoded=e.decoded + FIXED // 64) for e in decoded]
    objective = objective_of(shifted, 32, shifted)
    optimiser = torch.optim.Adam(objective.module.parameters(), lr=1e-3)
    for step in range(60):
        loss, figures = objective.loss(objective.module, objective.batch(step, range(4)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(figures["gain"]) > 3
    assert objective.validate(objective.module)["gain"] > 3


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
    measured = Repair(net, recipe_of("half"), [example], [example])
    assert measured.validate(net.enhancer)["restored_psnr"] == pytest.approx(90)
    _, figures = measured.loss(net.enhancer, measured.batch(0, range(1)))
    assert float(figures["restored_psnr"]) == pytest.approx(90)


@pytest.mark.parametrize("kind", ["hide", "gray", "layers", "half"])
def test_a_sheet_shows_originals_and_what_came_back(kind):
    converter = converter_of(kind)
    item = analysed(converter, Sample(tuple(pictures_of(kind, 64, 80, 5))), 0)
    made = examples(converter, item, np.random.default_rng(0))
    objective = objective_of(made, 32, made, kind=kind)
    sheet = objective.sheet(objective.module.eval())
    assert sheet is not None
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] > 64
    assert len(np.unique(sheet)) > 100
    assert objective_of(made, 32, kind=kind).sheet(objective.module) is None
