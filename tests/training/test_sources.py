"""Samples of every task out of footage."""

import numpy as np
import pytest
import torch

from iiccli.inference.covers import cover_of
from iiccli.networks.adaptive import AdaptiveConfig
from iiccli.training.data import Footage
from iiccli.training.sources import Wish, samples, trainable
from tests.adaptive_models import KINDS
from tests.conftest import psnr, texture


def wish_of(config: AdaptiveConfig, count: int = 6, side: int = 64, seed: int = 0) -> Wish:
    return Wish(config, count, side, torch.Generator().manual_seed(seed))


def still(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return (texture(height, width, seed) * 255).to(torch.uint8)


def clip_of(number: int, frames: int, side: int = 16) -> torch.Tensor:
    """A clip whose frame t has the value t everywhere, plus sixty times the clip's number."""
    values = [
        torch.full((3, side, side), 60 * number + t, dtype=torch.uint8) for t in range(frames)
    ]
    return torch.stack(values)


CLIPS = Footage((), tuple(clip_of(c, n) for c, n in enumerate((3, 14, 30))), ())


def test_there_are_samples_for_every_conversion():
    assert set(trainable()) == {kind.task for kind in KINDS.values()} | {"mono"}
    with pytest.raises(KeyError):
        samples("telepathy", CLIPS, wish_of(KINDS["video"].config))


@pytest.mark.parametrize(
    ("task", "kind"), [*((k.task, name) for name, k in KINDS.items()), ("mono", "dual")]
)
def test_samples_fit_the_network_and_repeat_with_the_seed(task, kind, footage):
    config = KINDS[kind].config
    made = [samples(task, footage, wish_of(config, seed=seed)) for seed in (0, 0, 1)]
    assert 1 <= len(made[0]) <= 6
    for sample in made[0]:
        assert len(sample.pictures) == config.pictures
        (shape,) = {p.shape for p in sample.pictures}
        assert shape[2] == 3
        assert 48 <= min(shape[:2]) <= max(shape[:2]) <= 64
        assert all(p.dtype == np.uint8 for p in sample.pictures)
    first, again, other = ([p for s in m for p in s.pictures] for m in made)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(first, other, strict=False))


def times(sample) -> list[int]:
    """The frames' numbers in order of time, the cover's back in the middle."""
    cover, *others = (int(p[0, 0, 0]) for p in sample.pictures)
    middle = len(sample.pictures) // 2
    return [*others[:middle], cover, *others[middle:]]


def test_windows_of_clips_are_evenly_spaced_and_go_both_ways():
    made = samples("video", CLIPS, wish_of(AdaptiveConfig(3), 60, 16))
    assert len(made) == 60
    seen, found = set(), set()
    for sample in made:
        values = times(sample)
        (step,) = set(np.diff(values).tolist())
        seen.add(step)
        clip = min(values) // 60
        found.add(clip)
        assert max(values) < 60 * clip + (3, 14, 30)[clip]
    assert {-1, 1} < seen <= {-3, -2, -1, 1, 2, 3}
    assert found == {0, 1, 2}


def test_short_clips_are_left_out():
    made = samples("video", CLIPS, wish_of(AdaptiveConfig(5), 12, 16))
    assert {min(times(s)) // 60 for s in made} == {1, 2}
    assert samples("video", CLIPS, wish_of(AdaptiveConfig(31), 12, 16)) == []


def test_photographs_are_filmed_beside_real_clips():
    photographs = (still(170, 160), still(159, 400))
    both = Footage(photographs, (clip_of(0, 5, 64),), ())
    made = samples("video", both, wish_of(AdaptiveConfig(3), 10, 48))
    flat = [s for s in made if np.ptp(s.pictures[0]) == 0]
    assert (len(flat), len(made)) == (7, 10)
    alone = samples("video", Footage(photographs, (), ()), wish_of(AdaptiveConfig(3), 4, 48))
    assert len(alone) == 4
    assert samples("video", Footage(photographs[1:], (), ()), wish_of(AdaptiveConfig(3))) == []


def test_pairs_are_left_and_right(footage):
    made = samples("mono", footage, wish_of(KINDS["dual"].config, 3, 500))
    for sample, (left, right) in zip(made[:2], footage.pairs, strict=True):
        height, width = (side // 2 * 2 for side in left.shape[-2:])
        # At most one pixel is cut from either side, the same from both views.
        own = [
            (y, x)
            for y in range(2)
            for x in range(2)
            for view in [left[:, y : y + height, x : x + width].permute(1, 2, 0).numpy()]
            if view.shape == sample.pictures[0].shape and (view == sample.pictures[0]).all()
        ]
        ((y, x),) = own
        other = right[:, y : y + height, x : x + width].permute(1, 2, 0).numpy()
        assert (other == sample.pictures[1]).all()
    assert len(made) == 3  # the third is out of a clip


def test_the_near_view_is_the_middle_of_the_wide_one():
    stills = tuple(still(200 * z, 240 * z, z) for z in (1, 2, 3))
    made = samples("dual", Footage(stills, (), ()), wish_of(KINDS["dual"].config, 3, 90))
    assert [s.zoom for s in made] == [2, 2, 4]
    for sample in made:
        wide, near = sample.pictures
        height, width = wide.shape[:2]
        zoom = int(sample.zoom)
        small = cover_of(near, zoom)
        top, left = (height - height // zoom) // 2, (width - width // zoom) // 2
        middle = wide[top : top + small.shape[0], left : left + small.shape[1]]
        # Where sides are no multiple of the zoom the middle is off by less than a pixel.
        assert psnr(small[4:-4, 4:-4], middle[4:-4, 4:-4]) > 25


def test_photographs_of_any_size_give_samples_of_one_region():
    """As they come out of a camera; sides of more than a region's would not be understood."""
    large = Footage((still(900, 2600),), (), ())
    for task in ("dual", "gray", "rescale"):
        (sample,) = samples(task, large, wish_of(KINDS["dual"].config, 1, 320))
        assert max(sample.pictures[0].shape[:2]) <= 320


def test_numbered_photographs_that_look_like_a_clip_serve_too():
    numbered = Footage((), (torch.stack([still(64, 64, i) for i in range(4)]),), ())
    for task, kind in (("gray", "gray"), ("rescale", "rescale-2"), ("hide", "hide")):
        assert samples(task, numbered, wish_of(KINDS[kind].config))


def test_secrets_are_photographs_each_used_once():
    stills = tuple(torch.full((3, 50 + i, 60), 10 * i, dtype=torch.uint8) for i in range(7))
    made = samples("hide", Footage(stills, (), ()), wish_of(KINDS["hide"].config, 5))
    values = [int(p[0, 0, 0]) for s in made for p in s.pictures]
    assert len(made) == 2
    assert len(set(values)) == 6


def test_layers_make_their_composite():
    alpha = torch.zeros(1, 300, 40, dtype=torch.uint8)
    alpha[:, 100:200] = 128
    cutout = torch.cat((torch.full((3, 300, 40), 200, dtype=torch.uint8), alpha))
    found = Footage((still(100, 90),), (), (), (), (cutout,))
    made = []
    for seed in range(6):
        made += samples("layers", found, wish_of(KINDS["layers"].config, 1, 90, seed))
    assert made
    for sample in made:
        composite, background, mask = (p.astype(float) for p in sample.pictures)
        assert (mask[..., 0] == mask[..., 2]).all()
        assert set(np.unique(mask)) <= {0, 128}
        assert mask.any()
        share = mask / 255
        assert np.abs(share * 200 + (1 - share) * background - composite).max() <= 0.5 + 1e-3
    assert (
        samples("layers", Footage((still(100, 90),), (), ()), wish_of(KINDS["layers"].config)) == []
    )


def test_sides_are_multiples_of_the_scale():
    found = Footage((still(63, 55),), (), ())
    for kind in ("rescale-2", "rescale-4"):
        config = KINDS[kind].config
        (sample,) = samples("rescale", found, wish_of(config, 1, 61))
        assert all(side % config.scale == 0 for side in sample.pictures[0].shape[:2])


def test_too_small_photographs_are_left_out_and_the_rest_spread():
    stills = tuple(torch.full((3, 48, 50), i, dtype=torch.uint8) for i in range(9))
    small = (torch.zeros(3, 47, 500, dtype=torch.uint8),)
    made = samples("gray", Footage(small + stills, (), ()), wish_of(KINDS["gray"].config, 3))
    assert [int(s.pictures[0][0, 0, 0]) for s in made] == [0, 3, 6]
