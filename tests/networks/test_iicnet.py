"""IICNet against the official network's facts, and its options beyond them."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from iiccli.networks.iicnet import IICNet, IICNetConfig
from tests.networks.iicnet_parity import FACTS, PARAMETERS, fill, official_shapes

CONFIGS = {
    "st-01": IICNetConfig(pictures=5, blocks=10),
    "supp-gray-01": IICNetConfig(pictures=1, blocks=16, order="hl", out_channels=1),
    "supp-sr-01": IICNetConfig(pictures=1, blocks=16, downscale="squeeze", order="hl"),
}


@pytest.fixture(autouse=True)
def _single_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", CONFIGS)
def test_parity_with_the_official_network(name: str):
    net = IICNet(CONFIGS[name]).eval()
    shapes = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    assert list(shapes.items()) == list(official_shapes(name).items())
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == PARAMETERS[name]
    net.load_state_dict(fill(shapes))
    facts = load_file(FACTS / f"{name}.safetensors")
    with torch.inference_mode():
        embedding = net.embed(facts["input"])
        quantised = net.quantisation(embedding)
        restored = net.restore(quantised)
    for ours, theirs in (
        (embedding, facts["embedding"]),
        (quantised, facts["embedding_8bit"]),
        (restored, facts["restored"]),
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@st.composite
def configs(draw: st.DrawFn) -> IICNetConfig:
    pictures = draw(st.integers(1, 9))
    downscale = draw(st.sampled_from(["none", "haar", "squeeze"]))
    out_channels = draw(st.sampled_from([1, 3]))
    order = draw(st.sampled_from(["hl", "ref"]))
    if pictures == 1 and out_channels == 3:
        downscale, order = "squeeze" if downscale == "none" else downscale, "hl"
    return IICNetConfig(
        pictures=pictures,
        blocks=draw(st.integers(0, 2)),
        relation=draw(st.booleans()),
        relation_features=4,
        downscale=downscale,
        conv1x1=draw(st.booleans()),
        order=order,
        out_channels=out_channels,
    )


@settings(deadline=None, max_examples=25)
@given(configs(), st.integers(0, 99))
def test_every_option_gives_the_shapes_and_inverts(config: IICNetConfig, seed: int):
    torch.manual_seed(seed)
    net = IICNet(config).eval()
    net.load_state_dict(
        fill({key: tuple(value.shape) for key, value in net.state_dict().items()}), strict=False
    )
    x = torch.rand(1, 3 * config.pictures, 6, 8)
    with torch.no_grad():
        embedding, restored = net(x)
        assert embedding.shape == (1, config.out_channels, 6 // net.scale, 8 // net.scale)
        assert restored.shape == x.shape
        inner = net.couplings(net.downscaling(x))
        back = net.downscaling.inverse(net.couplings.inverse(inner))
        torch.testing.assert_close(back, x, atol=1e-4, rtol=1e-4)
        squeezed = net.channel_squeeze(net.channel_squeeze.expand(embedding))
        torch.testing.assert_close(squeezed, embedding)


@pytest.mark.parametrize(
    "config",
    [
        IICNetConfig(2, 1, relation=True, relation_features=4),
        IICNetConfig(2, 2, relation=False, downscale="haar"),
        IICNetConfig(1, 1, relation=True, relation_features=4, downscale="squeeze", order="hl"),
    ],
)
def test_reach_is_exactly_how_far_a_pixel_matters(config: IICNetConfig):
    net = IICNet(config).eval()
    side, middle = 2 * net.reach + 12, net.reach + 6

    def farthest(function, shape: tuple[int, ...], scale_in: int, scale_out: int) -> int:
        x = torch.rand(shape, requires_grad=True)
        y = function(x)
        farthest = 0
        for corner in {0, scale_in - 1}:
            (gradient,) = torch.autograd.grad(
                y[:, :, (middle + corner) // scale_out, middle // scale_out].sum(),
                x,
                retain_graph=True,
            )
            rows = gradient.abs().sum(dim=(0, 1, 3)).nonzero().flatten() * scale_in
            top, bottom = int(rows.min()), int(rows.max()) + scale_in - 1
            target = (middle + corner) // scale_out * scale_out
            farthest = max(farthest, target + scale_out - 1 - top, bottom - target)
        return farthest

    embed = farthest(net.embed, (1, net.config.in_channels, side, side), 1, net.scale)
    carrier = (1, config.out_channels, side // net.scale, side // net.scale)
    restore = farthest(net.restore, carrier, net.scale, 1)
    assert max(embed, restore) == net.reach


def test_noise_only_in_training():
    torch.manual_seed(0)
    net = IICNet(IICNetConfig(2, 1, relation=False)).train()
    x = torch.rand(1, 6, 8, 8)
    assert not torch.equal(net(x)[1], net(x)[1])
    net.eval()
    assert torch.equal(net(x)[1], net(x)[1])


def test_gradient_reaches_every_parameter():
    net = IICNet(IICNetConfig(2, 1, relation_features=4, downscale="haar"))
    embedding, restored = net(torch.rand(1, 6, 8, 8))
    (embedding.square().sum() + restored.square().sum()).backward()
    without = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == ["1.operations.0.haar_weights"]


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": 0},
        {"blocks": -1},
        {"out_channels": 4},
        {"downscale": "half"},
        {"order": "up"},
        {"pictures": 1, "downscale": "haar", "order": "ref"},
        {"pictures": 1},
    ],
)
def test_impossible_configurations_are_refused(change: dict[str, object]):
    with pytest.raises(ValueError):
        dataclasses.replace(IICNetConfig(5, 10), **change)
