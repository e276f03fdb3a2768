"""Every invertible module: inverse(forward(x)) == x, forward(inverse(y)) == y."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from iiccli.networks.invertible import (
    Haar,
    Invertible,
    Mix,
    Order,
    SeparateAffineCoupling,
    Sequence,
    SharedAffineCoupling,
    Squeeze,
    haar_matrix,
)

sizes = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5))
seeds = st.integers(0, 2**31)
orders = st.sampled_from(["hl", "ref"])


@pytest.fixture(autouse=True)
def _single_thread():
    torch.set_num_threads(1)


def rotation(channels: int) -> Tensor:
    return torch.linalg.qr(torch.randn(channels, channels))[0]


def assert_round_trips(module: Invertible, x: Tensor, y: Tensor, atol: float = 2e-4) -> None:
    """Both ways, in both modes: the eval mode's cached inverses must do as well."""
    for mode in (True, False):
        module.train(mode)
        with torch.no_grad():
            for _ in range(2):
                torch.testing.assert_close(module.inverse(module(x)), x, atol=atol, rtol=1e-4)
                torch.testing.assert_close(module(module.inverse(y)), y, atol=atol, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(sizes, st.integers(1, 4), orders, seeds)
def test_reshapes_round_trip(size: tuple[int, int, int], pictures: int, order: Order, seed: int):
    torch.manual_seed(seed)
    batch, height, width = size
    x = torch.randn(batch, 3 * pictures, 2 * height, 2 * width)
    y = torch.randn(batch, 12 * pictures, height, width)
    for module in (Haar(3 * pictures, order), Squeeze(order)):
        assert_round_trips(module, x, y, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(sizes, st.integers(1, 24), seeds)
def test_mix_round_trips(size: tuple[int, int, int], channels: int, seed: int):
    torch.manual_seed(seed)
    batch, height, width = size
    x, y = torch.randn(2, batch, channels, height, width)
    skewed = rotation(channels) @ torch.diag(torch.rand(channels) + 0.5) @ rotation(channels)
    assert_round_trips(Mix(skewed), x, y)


@settings(deadline=None, max_examples=25)
@given(sizes, st.integers(1, 6), st.integers(1, 6), seeds)
def test_couplings_round_trip(size: tuple[int, int, int], first: int, rest: int, seed: int):
    torch.manual_seed(seed)
    batch, height, width = size
    x, y = torch.randn(2, batch, first + rest, height, width)

    def conv(inputs: int, outputs: int) -> nn.Module:
        return nn.Conv2d(inputs, outputs, 3, padding=1)

    f = conv(rest, first)
    separate = SeparateAffineCoupling(first, f, conv(first, rest), conv(first, rest))
    shared = SharedAffineCoupling(first, f, conv(first, 2 * rest))
    assert_round_trips(separate, x, y)
    assert_round_trips(shared, x, y)
    assert_round_trips(Sequence([separate, Mix(rotation(first + rest)), shared]), x, y, atol=1e-3)


def test_coupling_is_the_formula():
    x = torch.randn(1, 5, 4, 4)
    f, g, h = nn.Conv2d(3, 2, 1), nn.Conv2d(2, 3, 1), nn.Conv2d(2, 3, 1)
    y = SeparateAffineCoupling(2, f, g, h)(x)
    y1 = x[:, :2] + f(x[:, 2:])
    s = 2 * torch.sigmoid(h(y1)) - 1
    torch.testing.assert_close(y[:, :2], y1)
    torch.testing.assert_close(y[:, 2:], x[:, 2:] * torch.exp(s) + g(y1))
    joint = nn.Conv2d(2, 6, 1)
    joint.load_state_dict(
        {
            "weight": torch.cat((h.weight, g.weight)).detach(),
            "bias": torch.cat((h.bias, g.bias)).detach(),
        }
    )
    torch.testing.assert_close(SharedAffineCoupling(2, f, joint)(x), y)


def test_squeeze_puts_the_cell_position_slow():
    x = torch.arange(2 * 2 * 4.0).reshape(1, 2, 2, 4)
    y = Squeeze()(x)
    for position, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        assert torch.equal(y[0, 2 * position : 2 * position + 2], x[0, :, row::2, column::2])


def test_haar_bands_and_order():
    x = torch.rand(1, 6, 4, 4)
    a, b, c, d = (x[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    bands = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
    expected = [band / 4 for band in bands]
    torch.testing.assert_close(Haar(6)(x), torch.cat(expected, 1))
    by_picture = [band[:, 3 * n : 3 * n + 3] for n in (0, 1) for band in expected]
    torch.testing.assert_close(Haar(6, "ref")(x), torch.cat(by_picture, 1))


def test_haar_matrix_is_orthonormal_and_agrees_with_haar():
    matrix = haar_matrix(3)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(12))
    x = torch.rand(1, 3, 6, 4)
    torch.testing.assert_close(Mix(matrix)(Squeeze()(x)), 2 * Haar(3)(x))


class TestCachedInverse:
    """The inverse is kept in eval mode, and never a stale one."""

    def setup_method(self) -> None:
        torch.manual_seed(0)
        self.mix = Mix(rotation(4)).eval()
        with torch.no_grad():
            self.first = self.mix.inverse_weight()

    def inverse(self) -> Tensor:
        with torch.no_grad():
            return self.mix.inverse_weight()

    def assert_fresh(self) -> None:
        identity = torch.eye(4, dtype=self.mix.weight.dtype)
        with torch.no_grad():
            torch.testing.assert_close(self.mix.weight @ self.inverse(), identity)

    def test_it_is_kept(self):
        assert self.inverse() is self.first

    def test_loading_renews_it(self):
        self.mix.load_state_dict({"weight": 2 * torch.eye(4)})
        self.assert_fresh()

    def test_assigning_renews_it(self):
        self.mix.load_state_dict({"weight": 2 * torch.eye(4)}, assign=True)
        self.assert_fresh()

    def test_training_step_renews_it(self):
        optimiser = torch.optim.SGD(self.mix.train().parameters(), lr=0.1)
        self.mix.inverse(torch.randn(1, 4, 2, 2)).square().sum().backward()
        optimiser.step()
        self.mix.eval()
        self.assert_fresh()

    def test_editing_data_between_modes_renews_it(self):
        self.mix.train()
        self.mix.weight.data.mul_(3)  # the way moving averages are often put in
        self.mix.eval()
        self.assert_fresh()

    def test_editing_in_place_renews_it(self):
        with torch.no_grad():
            self.mix.weight.mul_(3)
        self.assert_fresh()

    def test_changing_precision_renews_it(self):
        self.mix.double()
        assert self.inverse().dtype == torch.float64
        self.assert_fresh()

    def test_changing_device_renews_it(self):
        self.mix.to("meta")
        assert self.inverse().device.type == "meta"

    def test_a_copy_has_its_own(self):
        other = copy.deepcopy(self.mix)
        with torch.no_grad():
            other.weight.mul_(2)
            torch.testing.assert_close(other.inverse_weight(), self.inverse() / 2)

    def test_gradients_reach_the_weight_in_eval_mode(self):
        self.mix.inverse(torch.randn(1, 4, 2, 2)).sum().backward()
        assert self.mix.weight.grad is not None
        assert self.mix.weight.grad.abs().sum() > 0

    def test_it_can_be_made_in_inference_mode_and_used_with_autograd(self):
        self.mix.weight.requires_grad_(False)
        self.mix.train().eval()
        with torch.inference_mode():
            self.mix.inverse_weight()
        y = torch.randn(1, 4, 2, 2, requires_grad=True)
        self.mix.inverse(y).square().sum().backward()
        assert y.grad is not None
