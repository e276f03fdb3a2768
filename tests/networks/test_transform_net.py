"""The transform network as a whole, its enhancer, and the side information's planes."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from iiccli.networks.registry import build
from iiccli.networks.transform import TransformConfig, TransformNet, side_planes
from iiccli.networks.transform.enhancer import Enhancer
from tests.conftest import TINY, as_group, moving_clip, texture


def random_enhancer(depth: int, width: int = 4) -> Enhancer:
    enhancer = Enhancer(6, 3, width, depth)
    for parameter in enhancer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return enhancer.double().requires_grad_(False)


def test_the_enhancer_starts_as_the_identity():
    enhancer = Enhancer(9, 5, 8, 2)
    x, planes = torch.rand(2, 9, 12, 16), torch.rand(2, 5, 6, 8)
    assert torch.equal(enhancer(x, planes), x)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_enhancer_sees_as_far_as_its_reach_and_no_farther(depth):
    enhancer = random_enhancer(depth)
    reach = enhancer.reach
    side = 2 * reach + 12
    x = torch.rand(1, 6, side, side, dtype=torch.float64)
    planes = torch.rand(1, 3, side // 2, side // 2, dtype=torch.float64)
    before = enhancer(x, planes)
    farthest = 0
    for place in (side // 2, side // 2 + 1):
        other = x.clone()
        other[0, 0, place, place] += 1
        changed = (enhancer(other, planes) != before).any(1)[0].nonzero()
        farthest = max(farthest, int((changed - place).abs().max()))
    # True, and tight: not more than the two pixels that halving may cost are given away.
    assert reach - 2 <= farthest <= reach


def test_the_reach_holds_for_the_planes_too():
    enhancer = random_enhancer(1)
    reach = enhancer.reach
    side = 2 * reach + 12
    x = torch.rand(1, 6, side, side, dtype=torch.float64)
    planes = torch.rand(1, 3, side // 2, side // 2, dtype=torch.float64)
    other = planes.clone()
    other[0, 1, side // 4, side // 4] += 1
    changed = (enhancer(x, other) != enhancer(x, planes)).any(1)[0].nonzero()
    assert len(changed) > 4
    top, bottom = side // 4 * 2, side // 4 * 2 + 1
    assert top - reach <= changed.min()
    assert changed.max() <= bottom + reach


@given(st.data(), st.sampled_from([4, 8, 16]), st.integers(1, 5), st.integers(1, 5))
def test_planes_of_a_window_are_a_part_of_the_whole(data, cell, rows, columns):
    levels = torch.randn(3, rows, columns)
    steps = torch.rand(3)
    height, width = rows * cell, columns * cell
    whole = side_planes(levels, steps, (0, height, 0, width), cell)
    assert whole.shape == (6, height // 2, width // 2)
    top = 2 * data.draw(st.integers(0, height // 2 - 1))
    bottom = 2 * data.draw(st.integers(top // 2 + 1, height // 2))
    left = 2 * data.draw(st.integers(0, width // 2 - 1))
    right = 2 * data.draw(st.integers(left // 2 + 1, width // 2))
    part = side_planes(levels, steps, (top, bottom, left, right), cell)
    assert torch.equal(part, whole[:, top // 2 : bottom // 2, left // 2 : right // 2])
    half = cell // 2
    assert torch.equal(whole[:3, ::half, ::half], levels)
    assert torch.equal(whole[3:, 0, 0], steps)
    assert torch.equal(whole[3:, -1, -1], steps)


def test_level_map_rises_with_the_gain_and_falls_with_the_water():
    net = TransformNet(TINY)
    gains = torch.tensor([[0, 3] * (TINY.groups // 2)] * 6, dtype=torch.int16)
    waters = torch.tensor([0, 0, 0, 64, 64, 64], dtype=torch.int32)
    levels = net.level_map(gains, waters, 2, 3)
    assert levels.shape == (TINY.groups, 2, 3)
    assert (levels[1] > levels[0]).all()
    assert (levels[:, 0] - levels[:, 1] == 1).all()


def test_step_sizes_tell_the_qualities_apart():
    net = TransformNet(TINY)
    steps = torch.stack([net.step_sizes(i) for i in range(len(TINY.moduli))])
    assert steps.shape == (3, 3)
    assert len(steps.unique(dim=0)) == 3
    assert (steps[0] <= steps[2]).all()


@pytest.mark.parametrize("motion", [0, 8])
def test_coefficients_give_back_the_pictures_on_the_same_cover(motion):
    net = TransformNet(dataclasses.replace(TINY, motion=motion)).requires_grad_(False)
    reference, others = as_group(moving_clip(48, 64))
    coefficients = net.analyse(reference, others)
    assert coefficients.z.shape == (12, TINY.coefficients)
    assert coefficients.gains.shape == (12, TINY.groups)
    assert (coefficients.vectors is None) == (motion == 0)
    back = net.synthesise(coefficients.z, coefficients.vectors, reference)
    assert torch.allclose(back, others, atol=1e-5)


def test_motion_leaves_less_to_transform():
    reference, others = as_group(moving_clip(96, 96, speed=(4, -3)))
    energies: list[Tensor] = []
    for motion in (0, 8):
        net = TransformNet(dataclasses.replace(TINY, motion=motion)).requires_grad_(False)
        energies.append(net.analyse(reference, others).z.square().sum())
    assert energies[1] < 0.3 * energies[0]


def test_the_reach_and_multiple_are_the_parts_own():
    net = TransformNet(TINY)
    assert net.reach == net.enhancer.reach
    assert net.multiple == TINY.cell


def test_a_configuration_survives_json():
    """Tuples become lists in a model file; the network must not mind."""
    import json

    config = json.loads(json.dumps(dataclasses.asdict(TINY)))
    net = build("transform", config)
    assert isinstance(net, TransformNet)
    assert net.config == TINY


@pytest.mark.parametrize(
    ("network", "config"), [("iicnet", {"blocks": 1}), ("fast", {"width": 4, "blocks": 1})]
)
def test_the_registry_builds_every_network(network, config):
    assert build(network, {"pictures": 3, **config}).config.pictures == 3


def test_an_unknown_network_is_a_key_error():
    with pytest.raises(KeyError):
        build("telepathy", {})


def test_a_flat_clip_needs_next_to_nothing():
    net = TransformNet(TransformConfig(3, width=4, depth=1)).requires_grad_(False)
    flat = texture(32, 32)
    coefficients = net.analyse(flat, flat.expand(2, -1, -1, -1))
    assert coefficients.z.abs().max() < 1e-4
    assert (coefficients.gains < -18).all()
