"""The adaptive network: its shapes, its planes, and what it predicts."""

import dataclasses
import json

import pytest
import torch

from iiccli.coding import coefficients, contexts
from iiccli.networks.adaptive import AdaptiveConfig, AdaptiveNet
from iiccli.networks.adaptive.net import BANDS, CLASSES, FEATURES, SYMBOLS
from iiccli.networks.adaptive.planes import as_pictures, coded_planes, colour_basis
from iiccli.networks.registry import build
from tests.adaptive_models import KINDS
from tests.conftest import texture

LUMA = torch.tensor((0.299, 0.587, 0.114))

kinds = pytest.mark.parametrize("kind", KINDS)


def net_of(kind: str) -> AdaptiveNet:
    return AdaptiveNet(KINDS[kind].config).eval().requires_grad_(False)


def cover_and_pictures(config: AdaptiveConfig) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A cover at the pictures' size, and pictures (3, 32, 48) in 0..1."""
    pictures = [texture(32, 48, seed) for seed in range(config.pictures)]
    if config.kind == "layers":
        pictures[2] = pictures[2][:1].expand(3, -1, -1)
    if config.kind == "gray":
        return (pictures[0] * LUMA.view(3, 1, 1)).sum(0, keepdim=True), pictures
    return (pictures[0] if config.scale == 1 else texture(32, 48, 9)), pictures


@kinds
def test_planes_hold_all_that_the_cover_does_not(kind):
    config = KINDS[kind].config
    cover, pictures = cover_and_pictures(config)
    planes = coded_planes(config, pictures)
    assert planes.shape == (config.ranks, 32, 48)
    assert len(cover) == config.cover_channels
    back = as_pictures(config, torch.cat((cover, planes)))
    assert len(back) == config.pictures
    for a, b in zip(back, pictures, strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_the_colour_basis_is_orthonormal_and_has_no_luma():
    basis = colour_basis(torch.zeros(1, dtype=torch.float64))
    assert torch.allclose(basis @ basis.T, torch.eye(2, dtype=torch.float64), atol=1e-12)
    assert (basis @ torch.tensor((0.299, 0.587, 0.114), dtype=torch.float64)).abs().max() < 1e-12


def test_an_error_in_the_colour_is_one_of_equal_energy():
    config = KINDS["gray"].config
    cover, pictures = cover_and_pictures(config)
    planes = coded_planes(config, pictures)
    error = 0.01 * torch.randn(planes.shape)
    (back,) = as_pictures(config, torch.cat((cover, planes + error)))
    energy = (back - pictures[0]).square().sum()
    assert energy == pytest.approx(error.square().sum().item(), rel=1e-3)


@kinds
def test_sizes_follow_from_the_configuration(kind):
    config, net = KINDS[kind].config, net_of(kind)
    assert net.scales.shape == (config.cell**2, config.ranks)
    assert net.weights.shape == (2 * config.cell - 1, config.ranks, 2, FEATURES)
    assert net.frequencies.sum(1).tolist() == [2**14] * CLASSES
    channels = 4 * (config.channels if config.joint else 3)
    planes = config.cover_channels + 1 + len(BANDS) + 1
    assert net.enhancer.head.in_channels == channels + planes
    assert net.enhancer.tail.out_channels == channels
    assert net.reach == net.enhancer.reach > 0


def test_the_tables_sizes_are_those_of_the_coding():
    """Networks import nothing of the coding, so the numbers stand in both."""
    assert (CLASSES, FEATURES) == (contexts.CLASSES, contexts.FEATURES)
    assert SYMBOLS == coefficients.SYMBOLS


@kinds
def test_the_registry_builds_it_from_what_a_file_says(kind):
    """Tuples become lists in a model file; the network must not mind."""
    config = KINDS[kind].config
    built = build("adaptive", json.loads(json.dumps(dataclasses.asdict(config))))
    assert isinstance(built, AdaptiveNet)
    assert built.config == config


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "smell"},
        {"prediction": "past"},
        {"pictures": 0},
        {"pictures": 86},
        {"pictures": 1},
        {"kind": "layers", "pictures": 2},
        {"kind": "gray", "pictures": 3, "moduli": ((2,),)},
        {"kind": "gray", "pictures": 1},
        {"scale": 3},
        {"scale": 2, "kind": "layers"},
        {"cell": 12},
        {"cell": 64},
        {"cell": 16, "motion": 6},
        {"cell": 8, "motion": 16},
        {"motion": 1},
        {"motion": 8, "kind": "layers"},
        {"moduli": ()},
        {"moduli": ((4, 4),)},
        {"moduli": ((4, 4, 1),)},
        {"moduli": ((4, 4, 65),)},
        {"moduli": ((4, 4, 4),) * 17},
        {"joint": False, "scale": 2},
        {"joint": False, "kind": "layers"},
        {"modes": -1},
        {"modes": 33},
        {"modes": 4, "prediction": "none"},
        {"modes": 4, "kind": "layers"},
        {"width": 0},
        {"depth": -1},
    ],
)
def test_what_no_network_can_be_built_from_is_refused(values):
    with pytest.raises(ValueError, match=r"\w"):
        AdaptiveConfig(**{"pictures": 3, **values})


@kinds
def test_prediction_has_the_coded_planes_shape(kind):
    net = net_of(kind)
    config = net.config
    base, _ = cover_and_pictures(config)
    vectors = None
    if config.motion:
        shape = (config.ranks // 3, 2, 32 // config.motion, 48 // config.motion)
        vectors = torch.zeros(shape, dtype=torch.int16)
    planes = net.predict(base, vectors)
    assert planes.shape == (config.ranks, 32, 48)
    if kind == "gray":
        assert (planes == 0).all()
    elif kind == "hide":
        assert (planes == 0.5).all()
    else:
        copies = planes[: 3 * (config.ranks // 3)].reshape(-1, 3, 32, 48)
        assert torch.allclose(copies, base.expand_as(copies), atol=1e-5)
    if kind == "layers":
        assert (planes[3] == 0).all()


def test_motion_is_found_and_taken_off():
    net = net_of("video")
    world = texture(80, 96)
    base, moved = world[:, 8:72, 8:88], world[:, 5:69, 12:92]
    vectors = net.estimate(base, torch.stack((moved, base)))
    assert vectors.shape == (2, 2, 8, 10)
    assert vectors.dtype == torch.int16
    predicted = net.predict(base, vectors).reshape(2, 3, 64, 80)
    inner = (..., slice(8, -8), slice(8, -8))
    error = (predicted[0] - moved)[inner].square().mean()
    assert error < 0.1 * (base - moved)[inner].square().mean()
    assert (vectors[1] == 0).all()


@pytest.mark.parametrize("kind", ["half", "rescale-2", "rescale-4"])
def test_the_base_is_as_large_as_the_pictures(kind):
    net = net_of(kind)
    cover = texture(8, 12)
    assert net.base(cover).shape == (3, 8 * net.scale, 12 * net.scale)
    flat = torch.full((3, 8, 12), 0.3)
    assert torch.allclose(net.base(flat), torch.tensor(0.3), atol=1e-5)
    assert net_of("video").base(cover) is cover


def test_activity_rises_with_what_was_written_in_its_band():
    net = net_of("hide")
    cell, ranks = net.config.cell, net.config.ranks
    magnitudes = torch.zeros(cell * cell, ranks, 3, dtype=torch.int32)
    assert (net.activity(magnitudes) == 0).all()
    magnitudes[0, :, 1] = 3  # u + v = 0: the first band
    magnitudes[-1, :, 2] = 7  # the last frequency: the last band
    found = net.activity(magnitudes)
    assert found.shape == (len(BANDS) + 1, 3)
    assert (found > 0).nonzero().tolist() == [[0, 1], [len(BANDS), 2]]


def test_flat_planes_tell_qualities_and_levels_apart():
    net = net_of("hide")
    levels = torch.tensor([-8.0, -4.0])
    planes = [net.flat_planes(quality, levels) for quality in range(3)]
    assert all(p.shape == (4, 2) for p in planes)
    assert (planes[0][:3] < planes[2][:3]).all()
    assert (planes[0][3] == planes[2][3]).all()
    assert planes[0][3, 0] < planes[0][3, 1]


@kinds
def test_an_untrained_enhancer_changes_nothing(kind):
    net = net_of(kind)
    config = net.config
    planes = torch.rand(config.channels, 16, 24)
    side = torch.rand(config.cover_channels + 2 + len(BANDS), 8, 12)
    if not config.joint:
        side = side.expand(config.pictures, -1, -1, -1)
    assert torch.equal(net.enhance(planes, side), planes)


def test_pictures_that_are_enhanced_one_by_one_do_not_see_each_other():
    net = net_of("hide")
    torch.manual_seed(1)
    torch.nn.init.normal_(net.enhancer.tail.weight, std=0.1)
    planes = torch.rand(9, 16, 24)
    side = torch.rand(3, net.config.cover_channels + 2 + len(BANDS), 8, 12)
    before = net.enhance(planes, side)
    other = planes.clone()
    other[3:6] += 0.1
    after = net.enhance(other, side)
    assert torch.equal(before[:3], after[:3])
    assert torch.equal(before[6:], after[6:])
    assert not torch.allclose(before[3:6], planes[3:6])
