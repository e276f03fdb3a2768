"""The grid of 8 bits: rounding, noise, and the arithmetic of the modulo carrier."""

import math

import pytest
import torch

from iiccli.networks.invertible.quantise import (
    Quantise,
    embed_modulo,
    extract_modulo,
    modulo_psnr,
    round_to_8bit,
    straight_through_round,
)


@pytest.mark.parametrize("q", range(2, 17))
def test_modulo_carrier_is_the_nearest_for_every_value_and_digit(q: int):
    cover = torch.arange(256)[:, None].expand(256, q)
    digit = torch.arange(q)[None, :].expand(256, q)
    carrier = embed_modulo(cover, digit, q)
    assert torch.equal(carrier, carrier.to(torch.uint8).float())
    assert torch.equal(extract_modulo(carrier, q), digit)
    allowed = torch.arange(256)
    distance = (allowed[None, None, :] - cover[:, :, None]).abs()
    distance[(allowed % q)[None, None, :].expand_as(distance) != digit[:, :, None]] = 999
    assert torch.equal((carrier - cover).abs(), distance.amin(dim=2).float())


@pytest.mark.parametrize("q", [2, 3, 8, 256])
def test_modulo_carrier_of_a_cover_between_the_integers(q: int):
    cover = torch.linspace(-20, 280, 1201)[:, None]  # also outside of 0..255
    digit = torch.arange(q)[None, :]
    carrier = embed_modulo(cover, digit, q)
    allowed = torch.arange(256.0)
    distance = (allowed - cover[:, :, None]).abs().expand(-1, q, -1).clone()
    distance[(allowed.long() % q != digit[:, :, None]).expand_as(distance)] = 999
    torch.testing.assert_close((carrier - cover).abs(), distance.amin(dim=2))
    assert torch.equal(extract_modulo(carrier, q), digit.expand(len(cover), q))


@pytest.mark.parametrize("q", [1, 0, 257])
def test_modulus_out_of_range_is_refused(q: int):
    with pytest.raises(ValueError, match="modulus"):
        embed_modulo(torch.zeros(1), torch.zeros(1), q)


@pytest.mark.parametrize("q", [2, 3, 4, 5, 8, 16])
def test_expected_psnr_is_what_random_messages_give(q: int):
    torch.manual_seed(q)
    cover = torch.randint(16, 240, (200_000,))
    carrier = embed_modulo(cover, torch.randint(q, cover.shape), q)
    measured = 10 * math.log10(255**2 / float((carrier - cover).square().mean()))
    assert measured == pytest.approx(modulo_psnr(q), abs=0.05)


def test_expected_psnr_of_the_moduli_that_were_measured():
    known = {3: 49.9, 4: 46.4, 5: 45.1, 6: 43.1, 8: 40.7, 16: 34.8}
    assert {q: round(modulo_psnr(q), 1) for q in known} == known


def test_rounding_passes_the_gradient():
    x = torch.tensor([0.2, 1.7, -0.6], requires_grad=True)
    y = straight_through_round(x)
    assert y.tolist() == [0.0, 2.0, -1.0]
    (y * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


def test_round_to_8bit_lands_on_the_grid():
    y = round_to_8bit(torch.linspace(-0.5, 1.5, 999)) * 255
    torch.testing.assert_close(y, y.round(), atol=1e-4, rtol=0)
    assert y.min() == 0
    assert y.max() == 255


def test_quantise_is_noise_in_training_and_rounding_otherwise():
    torch.manual_seed(0)
    x = torch.full((100_000,), 100.25 / 255, requires_grad=True)
    quantise = Quantise()
    noise = quantise.train()(x) * 255 - 100.25
    assert -0.501 < noise.min() < -0.49
    assert 0.49 < noise.max() < 0.501
    assert abs(noise.mean()) < 0.01
    noise.sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 255.0))
    assert torch.equal(quantise.eval()(x), torch.full_like(x, 100 / 255))
    outside = torch.tensor([-0.4, 1.7])
    for mode in (True, False):
        assert quantise.train(mode)(outside).tolist() == [0.0, 1.0]
