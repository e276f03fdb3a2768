"""Vectors are found that are worth their bits."""

import numpy as np
import pytest
import torch

from iiccli.coding.contexts import UNIT
from iiccli.coding.layout import regions
from iiccli.coding.prices import VectorPrices
from iiccli.inference.adaptive.fields import FieldSearch, Reference, Task, likely_level
from iiccli.inference.adaptive.matching import Blocks, Matching, luma
from iiccli.inference.adaptive.refining import refined
from iiccli.networks.transform.motion import compensate, estimate
from tests.adaptive_models import coloured, converter_of

SIDE, LEVEL = 8, -1200
HEIGHT, WIDTH = 64, 96


def picture(seed: int, noise: float = 0.0) -> torch.Tensor:
    whole = torch.from_numpy(coloured(HEIGHT + 32, WIDTH + 32, seed)).permute(2, 0, 1) / 255
    random = np.random.default_rng(seed)
    return whole + noise * torch.from_numpy(random.normal(0, 1, whole.shape)).float()


def moved(whole: torch.Tensor, down: int, right: int) -> torch.Tensor:
    return whole[:, 16 + down : 16 + down + HEIGHT, 16 + right : 16 + right + WIDTH].contiguous()


def prices() -> VectorPrices:
    return VectorPrices(np.array([0]), np.array([0]), (HEIGHT // SIDE, WIDTH // SIDE))


def matching(reference: torch.Tensor, wanted: torch.Tensor) -> Matching:
    blocks = Blocks(SIDE)
    target = blocks.spectrum(luma(wanted))
    inner = slice(0, HEIGHT), slice(0, WIDTH)
    return Matching(blocks, luma(reference), inner, target, torch.ones_like(target), LEVEL)


def everywhere(vector: tuple[int, int]) -> np.ndarray:
    shape = (2, HEIGHT // SIDE, WIDTH // SIDE)
    return np.broadcast_to(np.array(vector, np.int16)[:, None, None], shape).copy()


@pytest.mark.parametrize("vector", [(0, 0), (8, -12), (5, 3), (-30, 2), (900, -900)])
def test_windows_are_what_compensation_shows(vector):
    reference, wanted = moved(picture(1), 0, 0), moved(picture(2), 0, 0)
    own = everywhere(vector)
    shown = compensate(luma(reference)[None, None], torch.from_numpy(own)[None], SIDE)[0, 0]
    blocks = Blocks(SIDE)
    rest = blocks.spectrum(shown) - blocks.spectrum(luma(wanted))
    found = matching(reference, wanted).bits(own.reshape(2, -1), np.arange(own[0].size))
    assert np.allclose(found, blocks.bits_of(rest, LEVEL).numpy(), rtol=1e-3, atol=0.05)


def test_a_spectrum_keeps_energy():
    plane = luma(moved(picture(3), 0, 0))
    spectrum = Blocks(SIDE).spectrum(plane)
    assert float(spectrum.square().sum()) == pytest.approx(float(plane.square().sum()), rel=1e-4)


def test_bits_grow_with_what_is_left_and_with_fineness():
    rest = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, (64, 5))).float()
    blocks = Blocks(SIDE)
    bits = blocks.bits_of(rest, LEVEL)
    assert (bits > 0).all()
    assert (blocks.bits_of(2 * rest, LEVEL) > bits).all()
    assert (blocks.bits_of(rest, LEVEL - 100) > bits).all()
    # Where all is far above the step, a bit a coefficient for each halving of it.
    fine = blocks.bits_of(rest, -20 * UNIT) - blocks.bits_of(rest, -19 * UNIT)
    assert torch.allclose(fine, torch.full_like(fine, 64.0), rtol=1e-3)


def test_noise_gets_smooth_vectors_and_motion_keeps_its_own():
    reference = moved(picture(4, 0.1), 0, 0)
    wanted = moved(picture(4), 3, -2) + 0.1 * torch.randn(
        (3, HEIGHT, WIDTH), generator=torch.Generator().manual_seed(1)
    )
    own, price = matching(reference, wanted), prices()
    vectors = estimate(reference[None], wanted[None], SIDE)[0].numpy()
    chosen = refined(vectors, own, price)
    assert chosen.dtype == np.int16

    def costs(field: np.ndarray) -> tuple[float, int]:
        left = own.bits(field.reshape(2, -1), np.arange(field[0].size)).sum()
        return float(left), int(price.rice(field.astype(np.int32))[1].sum())

    before, after = costs(vectors), costs(chosen)
    assert after[1] < 0.9 * before[1]
    assert sum(after) < sum(before)
    assert np.allclose(np.median(chosen.reshape(2, -1), 1), (-8, 12), atol=2)


def test_what_stands_still_takes_no_vectors():
    reference = moved(picture(5), 0, 0)
    noise = torch.randn(reference.shape, generator=torch.Generator().manual_seed(2))
    wanted = reference + 0.01 * noise
    vectors = np.random.default_rng(3).integers(-2, 3, everywhere((0, 0)).shape).astype(np.int16)
    assert not refined(vectors, matching(reference, wanted), prices()).any()


@pytest.mark.parametrize("level", [-1600, -900])
def test_the_likely_level_fills_its_room(level):
    rest = torch.from_numpy(np.random.default_rng(0).normal(0, 0.02, (64, 500))).float()
    sizes = rest.abs() * 3**0.5 * 2.0 ** (-level / UNIT)
    room = float(torch.log2(1 + sizes).sum()) / 0.25
    assert abs(likely_level(rest, room) - level) <= 2


@pytest.mark.parametrize("kind", ["video", "sequence"])
@torch.inference_mode()
def test_a_picture_in_the_middle_of_its_window(kind):
    """Beside the region there is more of the cover, and vectors point into it."""
    converter = converter_of(kind)
    search = FieldSearch(converter.outlook, next(iter(regions(HEIGHT, WIDTH, 8))))
    whole = picture(6)
    inner = slice(16, 16 + HEIGHT), slice(16, 16 + WIDTH)
    around = torch.roll(whole, (2, -4), (1, 2))
    task = Task(around[(..., *inner)].contiguous(), Reference(whole, inner), around)
    ((found,), *_), _ = search.find([task], 1e5)
    assert found.shape == (2, HEIGHT // SIDE, WIDTH // SIDE)
    assert tuple(np.median(found.reshape(2, -1), 1)) == (16, -8)


@torch.inference_mode()
def test_vectors_never_take_all_the_room():
    """Noise, where no vector is like another, and hardly any room: all stands still."""
    converter = converter_of("video")
    search = FieldSearch(converter.outlook, next(iter(regions(HEIGHT, WIDTH, 8))))
    inner = slice(0, HEIGHT), slice(0, WIDTH)
    noise = torch.rand((2, 3, HEIGHT, WIDTH), generator=torch.Generator().manual_seed(0))
    task = Task(noise[1], Reference(noise[0], inner), noise[1])
    ((free,),), fine = search.find([task], 1e6)
    assert free.any()
    ((tight,),), coarse = search.find([task], 300)
    assert not tight.any()
    assert coarse > fine
