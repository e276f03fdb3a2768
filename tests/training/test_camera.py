"""Clips filmed from photographs."""

import pytest
import torch

from iiccli.training.camera import move_camera
from tests.conftest import texture

PHOTO = (texture(120, 150) * 255).to(torch.uint8)


def film(frames: int, size: int, seed: int) -> torch.Tensor:
    return move_camera(PHOTO, frames, size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("size", "side"), [(64, 64), (63, 62), (96, 96), (97, 96), (500, 96)])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frames_are_square_even_and_no_larger_than_the_photograph_allows(frames, size, side):
    clip = film(frames, size, 0)
    assert clip.shape == (frames, 3, side, side)
    assert clip.dtype == torch.uint8


def test_the_same_seed_films_the_same():
    for seed in range(4):
        assert torch.equal(film(3, 48, seed), film(3, 48, seed))
    assert not torch.equal(film(3, 48, 0), film(3, 48, 1))


def test_frames_move_but_belong_together():
    for seed in range(6):
        clip = film(3, 64, seed).float()
        step = (clip[1] - clip[0]).abs().mean()
        assert step > 0.1
        other = film(3, 64, seed + 50).float()
        assert step < (clip[0] - other[0]).abs().mean()


def test_frames_show_the_photograph():
    """Its colours, not black borders or garbage."""
    flat = torch.tensor([200, 30, 90], dtype=torch.uint8).view(3, 1, 1).expand(3, 100, 100)
    clip = move_camera(flat.contiguous(), 5, 80, torch.Generator().manual_seed(0))
    assert (clip.float() - flat[None, :, :80, :80]).abs().max() <= 1


def test_the_photograph_stays_as_it_is():
    before = PHOTO.clone()
    film(2, 64, 0)
    assert torch.equal(PHOTO, before)
