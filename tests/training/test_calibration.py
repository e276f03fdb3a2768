"""Tables fitted to pictures: better than none, and consistent."""

import copy

import pytest
import torch

from iiccli.networks.transform import TransformNet
from iiccli.networks.transform.config import MAX_BITS
from iiccli.training.calibration import Group, calibrate, capacity
from tests.conftest import TINY, as_group, moving_clip


def squared_error(net: TransformNet, group: Group, bits_per_pixel: float = 6) -> float:
    """Mean squared error of the others at a given rate, with an unchanged cover."""
    reference, others = group
    with torch.no_grad():
        found = net.analyse(reference, others)
        room = int(reference.shape[-1] * reference.shape[-2] * bits_per_pixel)
        water = net.allocation.water(found.gains, room)
        index, bits = net.quantise(found.z, found.gains, water)
        assert int(bits.sum()) <= room
        z = net.dequantise(index, bits, found.gains)
        return float((net.synthesise(z, found.vectors, reference) - others).square().mean())


@pytest.fixture(scope="module")
def unseen() -> Group:
    return as_group(moving_clip(96, 112, speed=(-2, 4), seed=70))


def test_calibration_lowers_the_error_on_pictures_it_never_saw(tiny_net, unseen):
    fresh = TransformNet(TINY)
    # Even a fair start, all coefficients alike at the right overall size, is far worse.
    with torch.no_grad():
        size = fresh.analyse(*unseen).z.square().mean()
    fresh.allocation.scales.fill_(int(8 * size.log2()))
    assert squared_error(tiny_net, unseen) < 0.5 * squared_error(fresh, unseen)


def test_every_part_of_the_calibration_helps(tiny_net, unseen):
    whole = squared_error(tiny_net, unseen, 3)
    fresh = TransformNet(TINY)
    for part in ("transform.mixes", "allocation.scales", "quantiser.codebooks"):
        partly = copy.deepcopy(tiny_net)
        partly.load_state_dict({**tiny_net.state_dict(), part: fresh.state_dict()[part]})
        assert whole < 0.9 * squared_error(partly, unseen, 3)


def test_the_mixes_are_orthogonal_and_order_by_variance(tiny_net, training_groups):
    mixes = tiny_net.transform.mixes
    eye = torch.eye(TINY.others).expand_as(mixes)
    assert torch.allclose(mixes @ mixes.mT, eye, atol=1e-4)
    z = torch.cat([tiny_net.analyse(*group).z for group in training_groups])
    variance = z.square().mean(0).view(-1, TINY.others)
    assert (variance[:, 0] > variance[:, -1]).float().mean() > 0.95


def test_gains_are_centred_by_the_table(tiny_net, training_groups):
    gains = torch.cat([tiny_net.analyse(*group).gains for group in training_groups]).float()
    assert gains.mean(0).abs().max() < 2
    assert gains.std() > 0.3


def test_codebooks_and_thresholds_ascend(tiny_net):
    for bits in range(1, MAX_BITS + 1):
        assert (tiny_net.quantiser.codebook(bits).diff() >= 0).all()
    assert (tiny_net.allocation.thresholds.diff() >= 0).all()
    fresh = TransformNet(TINY)
    assert not torch.equal(tiny_net.quantiser.codebook(1), fresh.quantiser.codebook(1))


def test_a_fitted_codebook_has_the_least_error_of_its_size(tiny_net):
    """One bit on a symmetric source: the codebook is ± the mean magnitude."""
    low, high = tiny_net.quantiser.codebook(1).tolist()
    assert low == pytest.approx(-high, rel=1e-3)
    assert 0.6 < high < 1.2  # 0.71 for a Laplacian of unit variance, 0.8 for a Gaussian


def test_calibrating_twice_gives_the_same(tiny_net, training_groups):
    again = TransformNet(TINY)
    stages: list[str] = []
    calibrate(again, training_groups, stages.append)
    for name, value in again.state_dict().items():
        if not name.startswith("enhancer"):
            assert torch.equal(value, tiny_net.state_dict()[name]), name
    assert stages[0] == "predicting"
    assert len(stages) == 6


def test_pictures_that_are_no_multiple_of_the_cell_are_cut():
    net = TransformNet(TINY)
    calibrate(net, [as_group(moving_clip(37, 50))])
    assert net.transform.mixes.isfinite().all()


@pytest.mark.parametrize(("moduli", "bits"), [((4, 4, 4), 6), ((4, 4, 8), 7), ((8, 8, 8), 9)])
def test_capacity_counts_bits_per_pixel(moduli, bits):
    assert capacity(moduli) == bits
