"""What the enhancer learns from, and the objective that teaches it."""

import copy
import dataclasses

import pytest
import torch

from iiccli.networks.transform import side_planes
from iiccli.networks.transform.fixed import FIXED_POINT
from iiccli.training.enhancement import Enhancement
from iiccli.training.examples import Crops, Example, make_examples
from tests.conftest import as_group, moving_clip


@pytest.fixture(scope="module")
def examples(tiny_net) -> list[Example]:
    groups = [as_group(moving_clip(70, 83, seed=80)), as_group(moving_clip(64, 64, seed=81))]
    return make_examples(tiny_net, groups)


def test_every_group_is_seen_at_every_quality(tiny_net, examples):
    assert len(examples) == 2 * len(tiny_net.config.moduli)
    large = examples[0]
    assert large.decoded.shape == large.original.shape == (9, 64, 80)  # multiples of the cell
    assert large.levels.shape == (tiny_net.config.groups, 4, 5)
    assert large.decoded.dtype == torch.int16
    assert large.original.dtype == torch.uint8
    for number, example in enumerate(examples):
        steps = tiny_net.step_sizes(number % 3)
        assert torch.equal(example.steps, steps)


def test_the_original_is_the_clip_the_reference_first(examples):
    reference, others = as_group(moving_clip(70, 83, seed=80))
    wanted = torch.cat((reference, others.flatten(0, 1)))[:, :64, :80]
    assert torch.equal(examples[0].original, (wanted * 255).round().to(torch.uint8))


def test_what_is_decoded_is_near_and_has_the_carriers_own_noise(tiny_net, examples):
    for number, example in enumerate(examples):
        error = example.decoded.float() / FIXED_POINT * 255 - example.original.float()
        for channel, q in enumerate(tiny_net.config.moduli[number % 3]):
            noise = error[channel]
            assert (noise.abs() <= q / 2 + 0.05).float().mean() > 0.999  # not near 0 and 255
            assert noise.std() == pytest.approx((q**2 / 12) ** 0.5, rel=0.15)
        assert 0.3 < error[3:].std() < 4


def test_the_same_examples_every_time(tiny_net, examples):
    again = make_examples(tiny_net, [as_group(moving_clip(70, 83, seed=80))])
    for a, b in zip(again, examples, strict=False):
        assert torch.equal(a.decoded, b.decoded)
        assert torch.equal(a.levels, b.levels)


def numbered(height: int, width: int, cell: int = 16) -> Example:
    """An example whose every pixel says where it is, and whose levels say so too."""
    place = torch.arange(height * width).view(1, height, width)
    values = torch.cat((place // 256, place % 256))
    rows, columns = height // cell, width // cell
    return Example(
        decoded=(values * FIXED_POINT / 255).round().to(torch.int16),
        original=values.to(torch.uint8),
        levels=torch.arange(rows * columns).view(1, rows, columns).half(),
        steps=torch.tensor([0.5, 0.25, 0.75]),
    )


def test_crops_are_aligned_in_all_their_parts():
    """Wherever a crop was taken and however it was turned, its parts show the same place."""
    height, width, size = 64, 96, 24
    crops = Crops([numbered(height, width)], size, 40, 16)
    decoded, original, planes = crops.draw(torch.Generator().manual_seed(0))
    assert decoded.shape == original.shape == (40, 2, size, size)
    assert planes.shape == (40, 4, size // 2, size // 2)
    assert torch.allclose(decoded, original, atol=1e-3)
    place = (original[:, 0] * 255 * 256 + original[:, 1] * 255).round().long()
    rows, columns = place // width, place % width
    # Each half-size sample's plane is that of the cell in which its four pixels lie.
    cells = rows // 16 * (width // 16) + columns // 16
    assert torch.equal(cells[:, ::2, ::2], planes[:, 0].long())
    assert torch.equal(cells[:, 1::2, 1::2], planes[:, 0].long())
    assert (planes[:, 1:] == torch.tensor([0.5, 0.25, 0.75]).view(1, 3, 1, 1)).all()
    # All eight ways to turn a square occur, and so do many places.
    turns = {
        (bool(p[0, 0] < p[-1, 0]), bool(p[0, 0] < p[0, -1]), int(p[0, 1] - p[0, 0]) in (1, -1))
        for p in place
    }
    assert len(turns) == 8
    assert len(set(rows.amin((1, 2)).tolist())) > 5


def test_crop_planes_equal_side_planes_of_the_same_window():
    example = numbered(64, 64)
    crops = Crops([example], 64, 16, 16)
    _, original, planes = crops.draw(torch.Generator().manual_seed(3))
    whole = side_planes(example.levels, example.steps, (0, 64, 0, 64), 16)
    picture = example.original.float() / 255
    seen = 0
    for one, plane in zip(original, planes, strict=True):
        for turn in (
            lambda x: x,
            lambda x: x.flip(-1),
            lambda x: x.flip(-2),
            lambda x: x.mT,
            lambda x: x.flip(-1).mT,
        ):
            if torch.equal(turn(picture), one):
                assert torch.equal(turn(whole), plane)
                seen += 1
    assert seen > 5


def test_pictures_smaller_than_a_crop_may_stand_beside_larger_ones():
    """One small clip among the training data must not end the training."""
    crops = Crops([numbered(32, 96), numbered(96, 96), numbered(64, 48)], 64, 24, 16)
    decoded, original, planes = crops.draw(torch.Generator().manual_seed(0))
    assert decoded.shape == original.shape == (24, 2, 64, 64)
    assert planes.shape == (24, 4, 32, 32)


@pytest.mark.parametrize("crop", [64, 49])
def test_where_all_pictures_are_small_so_are_the_crops(crop):
    crops = Crops([numbered(32, 96), numbered(48, 48)], crop, 24, 16)
    decoded, _, planes = crops.draw(torch.Generator().manual_seed(0))
    assert decoded.shape[-2:] == (48, 48)
    assert planes.shape[-2:] == (24, 24)


def test_an_odd_crop_is_taken_as_the_even_one_below():
    crops = Crops([numbered(64, 64)], 33, 2, 16)
    assert crops.draw(torch.Generator().manual_seed(0))[0].shape[-2:] == (32, 32)


def test_crops_repeat_with_the_generator():
    crops = Crops([numbered(64, 64)], 16, 4, 16)
    first, again, other = (crops.draw(torch.Generator().manual_seed(s)) for s in (5, 5, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.fixture
def objective(tiny_net, examples) -> Enhancement:
    net = copy.deepcopy(tiny_net).requires_grad_(True)
    return Enhancement(net, examples, examples[:3], crop=32, batch=4)


def test_an_enhancer_that_does_nothing_gains_nothing(objective):
    loss, figures = objective.loss(torch.Generator().manual_seed(0))
    assert figures["gain"] == pytest.approx(0, abs=1e-4)
    assert 30 < figures["psnr"] < 50
    # The floor makes good crops count for a little less than they are.
    assert -figures["psnr"] < loss.item() < -figures["psnr"] + 2


def test_an_error_that_is_always_the_same_is_learned(tiny_net, examples):
    net = copy.deepcopy(tiny_net).requires_grad_(True)
    shifted = [dataclasses.replace(e, decoded=e.decoded + FIXED_POINT // 64) for e in examples]
    objective = Enhancement(net, shifted, shifted[:3], crop=32, batch=4)
    optimiser = torch.optim.Adam(objective.module.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    before = objective.validate(objective.module)
    assert before["reference"] == before["carrier"] < 36
    for _ in range(100):
        loss, figures = objective.loss(generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert figures["gain"] > 3
    after = objective.validate(objective.module)
    assert after["carrier"] == before["carrier"]
    assert after["others_decoded"] == before["others_decoded"]
    assert after["reference"] > before["reference"] + 3
    assert after["others"] > before["others"] + 3


def test_validation_measures_each_picture(objective, examples):
    figures = objective.validate(objective.module)
    wanted = []
    for example in examples[:3]:
        error = example.decoded.float() / FIXED_POINT - example.original.float() / 255
        wanted.append(-10 * error.view(3, 3, -1).square().mean((1, 2)).log10())
    mean = torch.stack(wanted).mean(0)
    assert figures["carrier"] == pytest.approx(float(mean[0]), abs=0.05)
    assert figures["others_decoded"] == pytest.approx(float(mean[1:].mean()), abs=0.05)
    assert figures["reference"] == pytest.approx(figures["carrier"])
    assert figures["others"] == pytest.approx(figures["others_decoded"])


def test_examples_are_frozen(examples):
    with pytest.raises(dataclasses.FrozenInstanceError):
        examples[0].steps = torch.zeros(3)
