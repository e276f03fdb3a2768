"""Motion of pictures against the cover: found, applied, and never in the way."""

import pytest
import torch
from torch import Tensor

from iiccli.networks.transform.motion import QUARTER, compensate, estimate, warp
from tests.conftest import texture


def shifted(x: float, y: float, side: int = 96) -> tuple[Tensor, Tensor]:
    """A texture and the same moved so that picture(p) = reference(p + (x, y))."""
    margin = 16
    world = texture(side + 2 * margin, side + 2 * margin, seed=3)[None]
    flow = torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, *world.shape[-2:])
    moved = warp(world, flow)
    inside = (..., slice(margin, -margin), slice(margin, -margin))
    return world[inside], moved[inside]


@pytest.mark.parametrize("grid", [4, 8, 16])
@pytest.mark.parametrize("size", [(32, 48), (30, 41), (1, 1), (3, 50)])
def test_zero_vectors_are_the_identity(grid, size):
    height, width = size
    image = torch.rand(2, 3, height, width)
    vectors = torch.zeros(2, 2, -(-height // grid), -(-width // grid), dtype=torch.int16)
    assert torch.allclose(compensate(image, vectors, grid), image, atol=1e-5)


def test_equal_vectors_move_everything_by_quarter_pixels():
    image = texture(40, 48)[None]
    vectors = torch.zeros(1, 2, 5, 6, dtype=torch.int16)
    vectors[:, 0], vectors[:, 1] = 3 * QUARTER, -2 * QUARTER
    moved = compensate(image, vectors, 8)
    assert torch.allclose(moved[..., 2:, :-3], image[..., :-2, 3:], atol=1e-4)


def test_compensation_has_no_block_edges():
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 16, 64).contiguous()
    vectors = torch.zeros(1, 2, 2, 8, dtype=torch.int16)
    vectors[:, 0, :, 4:] = 8 * QUARTER  # the right half looks eight pixels further right
    moved = compensate(ramp, vectors, 8)[0, 0, 8]
    # Hard block edges would jump by nine pixels' worth of ramp in one place.
    assert moved.diff()[8:-10].max() < 2.5 / 63


@pytest.mark.parametrize("motion", [(0, 0), (3, 0), (-2, 5), (11, -7), (0.25, 0), (2.5, -1.75)])
def test_a_translation_is_found(motion):
    reference, picture = shifted(*motion)
    vectors = estimate(reference, picture, 8)
    assert vectors.dtype == torch.int16
    assert vectors.shape == (1, 2, 12, 12)
    # Vectors near the border may point to where the reference shows nothing.
    inner = vectors[0, :, 2:-2, 2:-2].float() / QUARTER
    wanted = torch.tensor(motion, dtype=torch.float).view(2, 1, 1)
    close = ((inner - wanted).abs() <= 0.25).all(0)
    assert close.float().mean() > 0.95
    predicted = compensate(reference, vectors, 8)[..., 16:-16, 16:-16]
    error = (predicted - picture[..., 16:-16, 16:-16]).square().mean()
    still = (reference - picture)[..., 16:-16, 16:-16].square().mean()
    assert error < 0.05 * still + 1e-8


def test_two_motions_are_found_side_by_side():
    left, moved_left = shifted(4, 0)
    right, moved_right = shifted(-3, 2)
    reference = torch.cat((left, right), -1)
    picture = torch.cat((moved_left, moved_right), -1)
    vectors = estimate(reference, picture, 8)[0].float() / QUARTER
    for part, motion in ((vectors[..., 2:-2, 2:10], (4, 0)), (vectors[..., 2:-2, 14:22], (-3, 2))):
        wanted = torch.tensor(motion, dtype=torch.float).view(2, 1, 1)
        assert ((part - wanted).abs() <= 0.25).all(0).float().mean() > 0.9


def test_pictures_of_a_batch_do_not_mix():
    a, b = shifted(3, 1), shifted(-5, 2)
    reference, picture = torch.cat((a[0], b[0])), torch.cat((a[1], b[1]))
    together = estimate(reference, picture, 8)
    assert (together[0] == estimate(*a, 8)[0]).float().mean() > 0.99
    assert (together[1] == estimate(*b, 8)[0]).float().mean() > 0.99


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 200), (200, 3), (7, 9), (33, 31)])
@pytest.mark.parametrize("grid", [4, 8])
def test_tiny_pictures_do_not_fail(size, grid):
    height, width = size
    reference, picture = torch.rand(2, 1, 3, height, width)
    vectors = estimate(reference, picture, grid)
    assert vectors.shape == (1, 2, -(-height // grid), -(-width // grid))
    predicted = compensate(reference, vectors, grid)
    assert predicted.shape == picture.shape
    assert predicted.isfinite().all()


def test_flat_pictures_do_not_move():
    flat = torch.full((1, 3, 64, 64), 0.4)
    assert (estimate(flat, flat, 8) == 0).all()


def test_prediction_never_gets_worse_by_motion():
    """On pictures that have nothing to do with one another, motion must not do harm."""
    reference, picture = texture(64, 64, 1)[None], texture(64, 64, 2)[None]
    predicted = compensate(reference, estimate(reference, picture, 8), 8)
    assert (predicted - picture).abs().mean() < (reference - picture).abs().mean()


@pytest.mark.parametrize("span", [(0, 16), (8, 24), (20, 40)])
def test_some_rows_of_a_compensated_picture_are_those_of_the_whole(span):
    random = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 40, 56, generator=random)
    vectors = torch.randint(-40, 40, (1, 2, 5, 7), generator=random)
    whole = compensate(image, vectors, 8)
    assert torch.allclose(compensate(image, vectors, 8, span), whole[:, :, slice(*span)], atol=1e-6)
