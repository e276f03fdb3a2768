"""The fast network: its starts, its two heads, and its exact inverse inside."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from iiccli.networks.fast import FastConfig, FastNet
from iiccli.networks.fast.heads import ModuloHead
from iiccli.networks.fast.start import start_matrix, time_basis
from iiccli.networks.invertible.quantise import modulo_psnr

SMALL = {"width": 8, "blocks": 2}
STARTS = {
    "video": FastConfig(5, start="video", **SMALL),
    "video, even": FastConfig(4, start="video", **SMALL),
    "stereo": FastConfig(2, start="stereo", **SMALL),
    "layers": FastConfig(4, start="stereo", **SMALL),
    "gray": FastConfig(1, out_channels=1, start="gray", **SMALL),
    "half": FastConfig(1, scale=2, start="rescale", **SMALL),
    "quarter": FastConfig(1, scale=4, start="rescale", **SMALL),
    "hide": FastConfig(2, start="hide", **SMALL),
    "identity": FastConfig(3, start="identity", **SMALL),
}
ALL = {
    f"{name}, {quantiser}": dataclasses.replace(config, quantiser=quantiser)
    for name, config in STARTS.items()
    for quantiser in ("plain", "modulo")
}


@pytest.fixture(autouse=True)
def _single_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(params=ALL.values(), ids=list(ALL))
def config(request: pytest.FixtureRequest) -> FastConfig:
    return request.param


def trained(config: FastConfig, amount: float = 0.05) -> FastNet:
    """A network away from its start, as training would leave it."""
    net = FastNet(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(amount * torch.randn_like(parameter) / math.sqrt(len(parameter)))
    return net


def smooth_pictures(pictures: int, side: int = 32) -> Tensor:
    """Waves that differ between the colours and move with time; the reference first."""
    rows, columns = torch.meshgrid(*2 * [torch.arange(side) / side], indexing="ij")
    middle = pictures // 2
    times = [middle, *(t for t in range(pictures) if t != middle)]
    waves = [
        0.5 + 0.3 * torch.sin(3 * rows + (8 + colour) * columns + 1.5 * colour + 0.15 * time)
        for time in times
        for colour in range(3)
    ]
    return torch.stack(waves)[None]


def psnr(a: Tensor, b: Tensor) -> float:
    return -10 * math.log10(float((a - b).square().mean()))


def test_shapes_and_the_8bit_grid(config: FastConfig):
    net = trained(config).eval()
    x = torch.rand(2, 3 * config.pictures, 8, 12)
    with torch.no_grad():
        carrier = net.embed(x)
        restored = net.restore(carrier)
    expected = (2, config.out_channels, 8 // config.scale, 12 // config.scale)
    assert carrier.shape == net.cover(x).shape == expected
    assert restored.shape == x.shape
    levels = carrier * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert carrier.min() >= 0
    assert carrier.max() <= 1


def test_training_sees_what_inference_gives(config: FastConfig):
    net = trained(config)
    x = torch.rand(1, 3 * config.pictures, 8, 8)
    with torch.no_grad():
        carrier, restored = net.train()(x)
        net.eval()
        torch.testing.assert_close(carrier, net.embed(x))
        torch.testing.assert_close(restored, net.restore(carrier), atol=1e-3, rtol=1e-3)


def test_gradient_reaches_every_parameter(config: FastConfig):
    net = trained(config)
    x = torch.rand(2, 3 * config.pictures, 8, 8)
    carrier, restored = net(x)
    loss = (restored - x).square().sum() + (carrier - net.cover(x)).square().sum()
    loss.backward()
    without = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_a_few_steps_lower_the_loss(config: FastConfig):
    net = FastNet(config)
    x = smooth_pictures(config.pictures, 16)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-4)
    losses = []
    for _ in range(30):
        carrier, restored = net(x)
        loss = (restored - x).square().mean() + (carrier - net.cover(x)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(list(ALL.values())), st.integers(2, 3), st.integers(1, 3), st.integers(0, 999)
)
def test_the_trunk_is_exactly_invertible(config: FastConfig, convs: int, half: int, seed: int):
    torch.manual_seed(seed)
    trunk = trained(dataclasses.replace(config, convs=convs)).eval().trunk
    x = torch.rand(1, 3 * config.pictures, 4 * half, 8)
    with torch.no_grad():
        z = trunk(x)
        assert z.numel() == x.numel()
        torch.testing.assert_close(trunk.inverse(z), x, atol=5e-4, rtol=1e-3)
        other = torch.rand_like(z)
        torch.testing.assert_close(trunk(trunk.inverse(other)), other, atol=5e-4, rtol=1e-3)


def test_untrained_trunk_is_the_start(config: FastConfig):
    net = FastNet(config).eval()
    x = torch.rand(1, 3 * config.pictures, 8, 8)
    with torch.no_grad():
        z = net.trunk(x)
    torch.testing.assert_close(z[:, : config.out_channels], net.cover(x))


def test_cover_of_each_task():
    x = torch.rand(1, 3, 8, 8)
    pooled = torch.nn.functional.avg_pool2d
    torch.testing.assert_close(FastNet(STARTS["half"]).cover(x), pooled(x, 2))
    torch.testing.assert_close(FastNet(STARTS["quarter"]).cover(x), pooled(x, 4))
    luma = 0.299 * x[:, :1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:]
    torch.testing.assert_close(FastNet(STARTS["gray"]).cover(x), luma)
    clip = torch.rand(1, 15, 8, 8)
    assert torch.equal(FastNet(STARTS["video"]).cover(clip), clip[:, :3])


def test_untrained_it_restores_clearly_better_than_the_cover_alone():
    """Measured against the best that the carrier's picture without its message could give."""
    gains = {}
    for name in ("video", "stereo", "gray", "half", "hide"):
        net = FastNet(STARTS[name]).eval()
        x = smooth_pictures(STARTS[name].pictures)
        with torch.no_grad():
            carrier = net.embed(x)
            restored = net.restore(carrier)
            z = net.trunk(x)
            z[:, STARTS[name].out_channels :] = 0
            without_message = net.trunk.inverse(z)
        gains[name] = psnr(restored, x) - psnr(without_message, x)
    assert min(gains.values()) > 2, gains


def test_untrained_plain_video_is_the_reference_for_all():
    net = FastNet(ALL["video, plain"]).eval()
    x = smooth_pictures(5)
    with torch.no_grad():
        restored = net.restore(net.embed(x))
    torch.testing.assert_close(restored, x[:, :3].repeat(1, 5, 1, 1), atol=0.51 / 255, rtol=0)


@pytest.mark.parametrize("q", [2, 3, 4, 8, 16])
def test_modulo_message_comes_back_exactly_and_the_cover_keeps_its_psnr(q: int):
    net = trained(dataclasses.replace(STARTS["hide"], q=q)).eval()
    head = net.head
    assert isinstance(head, ModuloHead)
    cover = torch.randint(16, 240, (1, 3, 64, 64)) / 255
    x = torch.cat((cover, torch.rand(1, 3, 64, 64)), dim=1)
    with torch.no_grad():
        carrier = net.embed(x)
        digits = head.digits(net.trunk(x))
    assert torch.equal((carrier * 255).round() % q, digits)
    assert 0 <= digits.min() <= digits.max() <= q - 1
    assert len(digits.unique()) > 0.8 * q
    assert psnr(carrier, x[:, :3]) == pytest.approx(modulo_psnr(q), abs=0.5)


def test_modulo_can_be_told_its_cover():
    net = FastNet(STARTS["half"]).eval()
    x, cover = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        assert (net.embed(x, cover) - cover).abs().max() < 8.5 / 255


def farthest(function, shape: tuple[int, ...], scale_in: int, scale_out: int) -> int:
    """How many rows of pixels, at most, lie between an output row and an input it depends on."""
    middle = shape[2] * scale_in // 8 * 4
    x = torch.rand(shape, dtype=torch.float64, requires_grad=True)
    function(x)[:, :, middle // scale_out].sum().backward()
    assert x.grad is not None
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten() * scale_in
    assert rows.min() > 0  # the picture is large enough to tell
    assert rows.max() < (shape[2] - 1) * scale_in
    return max(middle + scale_out - 1 - int(rows.min()), int(rows.max()) + scale_in - 1 - middle)


def test_reach_covers_what_a_pixel_depends_on_and_little_more(config: FastConfig):
    net = trained(dataclasses.replace(config, blocks=1, width=6), 0.3).double().eval()
    cell = 2**config.levels
    side = 2 * net.reach + 8 * cell
    side += -side % 8
    pictures = (1, net.config.in_channels, side, 4 * cell)
    carrier = (1, config.out_channels, side // config.scale, 4 * cell // config.scale)
    # The digits have no gradient on either side of the carrier; everything else has.
    reached = max(
        farthest(net.trunk, pictures, 1, config.scale),
        farthest(net.restore, carrier, config.scale, 1),
    )
    assert net.reach - 2 * cell < reached <= net.reach


@pytest.mark.parametrize("pictures", range(2, 10))
def test_time_basis_is_orthonormal_and_its_slope_comes_first(pictures: int):
    basis = time_basis(pictures)
    torch.testing.assert_close(basis @ basis.T, torch.eye(pictures - 1), atol=1e-5, rtol=0)
    times = torch.tensor([t - pictures // 2 for t in range(pictures) if t != pictures // 2])
    torch.testing.assert_close(basis[0], times / times.float().norm())


@pytest.mark.parametrize("name", STARTS)
def test_start_matrices_are_well_conditioned(name: str):
    matrix = start_matrix(STARTS[name])
    assert matrix.shape == (STARTS[name].carrier_channels,) * 2
    assert torch.linalg.cond(matrix) < 25


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": 0},
        {"pictures": 1},
        {"blocks": 0},
        {"width": 0},
        {"convs": 1},
        {"scale": 3},
        {"scale": 2},
        {"start": "rescale"},
        {"start": "gray"},
        {"start": "dream"},
        {"quantiser": "none"},
        {"q": 1},
        {"q": 65},
        {"out_channels": 8},
        {"out_channels": 0},
    ],
)
def test_impossible_configurations_are_refused(change: dict[str, object]):
    with pytest.raises(ValueError):
        dataclasses.replace(STARTS["video"], **change)
