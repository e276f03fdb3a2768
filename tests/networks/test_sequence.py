"""The modes in which pictures are predicted."""

import copy

import pytest
import torch

from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.sequence import Weighing
from tests.adaptive_models import calibrated
from tests.conftest import texture


def weighing(place: int = 1) -> tuple[Weighing, AdaptiveNet]:
    net = copy.deepcopy(calibrated("sequence"))
    net.gains[1, 0], net.gains[1, 1] = 0, 1
    net.gains[2] = 0
    return Weighing(net, place), net


def test_a_spectrum_is_undone_and_gray_is_nothing():
    own, _ = weighing()
    picture = texture(32, 48, 1)
    spectrum = own.spectrum(picture)
    assert spectrum.shape == (64, 3, 24)
    assert torch.allclose(own.planes(spectrum, 32, 48), picture, atol=1e-6)
    assert own.spectrum(torch.full((3, 32, 48), 0.5)).abs().max() == 0


def test_each_cell_takes_the_prediction_that_it_names():
    own, _ = weighing()
    cover, before = (own.spectrum(texture(32, 48, seed)) for seed in (1, 2))
    modes = torch.arange(24) % 3
    found = own.predicted(cover, before, modes)
    assert torch.equal(found[..., modes == 0], cover[..., modes == 0])
    assert torch.equal(found[..., modes == 1], before[..., modes == 1])
    assert (found[..., modes == 2] == 0).all()


def test_the_cheapest_mode_is_chosen_in_each_cell():
    own, _ = weighing()
    cover, before = (own.spectrum(texture(32, 48, seed)) for seed in (1, 2))
    wanted = own.predicted(cover, before, torch.arange(24) % 3)
    wanted += 0.001 * torch.randn(wanted.shape, generator=torch.Generator().manual_seed(0))
    chosen = own.choose(0.01, wanted, cover, before)
    assert torch.equal(chosen, torch.arange(24) % 3)


def test_weights_apply_at_their_own_frequency_and_colour():
    own, net = weighing()
    net.gains[1] = torch.rand(net.gains[1].shape, generator=torch.Generator().manual_seed(0))
    cover, before = (own.spectrum(texture(32, 48, seed)) for seed in (1, 2))
    found = own.predicted(cover, before, torch.ones(24, dtype=torch.int64))
    a, b = net.gains[1, 0, 9, 2], net.gains[1, 1, 9, 2]
    assert torch.allclose(found[9, 2], a * cover[9, 2] + b * before[9, 2], atol=1e-6)


def test_components_mix_the_colours_of_one_picture_and_are_undone():
    for place in range(3):
        own, net = weighing(place)
        spectrum = own.spectrum(texture(32, 48, 3))
        mixed = own.mixed(spectrum)
        assert torch.allclose(own.unmixed(mixed), spectrum, atol=1e-5)
        energy = spectrum.square().sum().item()
        assert mixed.square().sum().item() == pytest.approx(energy, rel=1e-4)
        matrix = net.transform.mixes[5]
        outside = matrix.clone()
        outside[3 * place : 3 * place + 3, 3 * place : 3 * place + 3] = 0
        assert (outside[3 * place : 3 * place + 3] == 0).all()
