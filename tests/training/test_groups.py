"""Groups of every task out of footage."""

from collections import Counter

import numpy as np
import pytest
import torch

from iiccli.errors import TrainingError
from iiccli.inference.covers import cover_of
from iiccli.tasks.layer_pictures import ALPHA, BACKGROUND, COMPOSITE, PREMULTIPLIED
from iiccli.training.footage import Footage, Index, View, footage_of
from iiccli.training.groups import Group, Groups, Wish, trainable
from iiccli.training.recipes import TASKS
from iiccli.training.samples import sample_of
from tests.adaptive_models import KINDS
from tests.conftest import psnr, texture

PICTURES = {"video": 3, "mono": 2, "dual": 2, "layers": 3, "hide": 3, "gray": 1, "rescale": 1}


def still(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return (texture(height, width, seed) * 255).to(torch.uint8)


def flat(value: int, height: int = 64, width: int = 64) -> torch.Tensor:
    return torch.full((3, height, width), value, dtype=torch.uint8)


def photographs(*pictures: torch.Tensor) -> Footage:
    return footage_of(pictures, Index(stills=tuple(range(len(pictures)))))


def numbered_clips(*lengths: int, side: int = 16, steps: tuple[int, ...] = (1, 1, 1, 2, 3)):
    """Clips whose frame t has the value t everywhere, plus sixty times the clip's number."""
    pictures, clips = [], []
    for clip, length in enumerate(lengths):
        clips.append(tuple(range(len(pictures), len(pictures) + length)))
        pictures += [flat(60 * clip + t, side, side) for t in range(length)]
    return footage_of(pictures, Index(clips=tuple(clips), steps=steps))


CLIPS = numbered_clips(3, 14, 30)


def wish(task: str, side: int = 64, **more: object) -> Wish:
    return Wish(task, **{"pictures": PICTURES[task], "side": side, "exact": False, **more})


def draws(footage: Footage, wanted: Wish, count: int) -> list[Group]:
    groups = Groups(footage, wanted)
    return [groups.draw(number) for number in range(count)]


def value(picture: torch.Tensor) -> int:
    """Of a picture that has one everywhere."""
    (found,) = picture.unique().tolist()
    return found


def times(group: Group) -> list[int]:
    """The frames' numbers in order of time, the cover's back in the middle."""
    cover, *others = map(value, group.pictures)
    middle = len(group.pictures) // 2
    return [*others[:middle], cover, *others[middle:]]


def same(one: Group, other: Group) -> bool:
    return one.zoom == other.zoom and all(
        torch.equal(a, b) for a, b in zip(one.pictures, other.pictures, strict=True)
    )


def test_there_are_groups_for_every_task():
    assert set(trainable()) == set(TASKS) == set(PICTURES)
    assert {kind.task for kind in KINDS.values()} <= set(trainable())
    with pytest.raises(KeyError):
        Groups(CLIPS, Wish("telepathy", 3, 16))


@pytest.mark.parametrize("task", TASKS)
def test_groups_fit_the_task_and_repeat_with_the_seed(task, footage):
    made = draws(footage, wish(task), 8)
    for group in made:
        assert len(group.pictures) == PICTURES[task]
        (shape,) = {p.shape for p in group.pictures}
        assert shape[0] == 3
        assert 48 <= min(shape[1:]) <= max(shape[1:]) <= 64
        assert all(p.dtype == torch.uint8 for p in group.pictures)
        sample = sample_of(group)
        assert sample.zoom == group.zoom
        assert all(a.shape == (*shape[1:], 3) for a in sample.pictures)
        assert (sample.pictures[0][..., 1] == group.pictures[0][1].numpy()).all()
    again = draws(footage, wish(task), 8)
    assert all(same(a, b) for a, b in zip(made, again, strict=True))
    other = draws(footage, wish(task, seed=1), 8)
    assert any(
        a.pictures[0].shape != b.pictures[0].shape or not same(a, b)
        for a, b in zip(made, other, strict=True)
    )


@pytest.mark.parametrize("task", TASKS)
def test_drawing_by_number_does_not_depend_on_the_order(task, footage):
    """Nor on who draws: processes share out the numbers, and a restart goes on anywhere."""
    made = draws(footage, wish(task), 12)
    groups = Groups(footage, wish(task))
    for number in (11, 3, 7, 3, 0):
        assert same(groups.draw(number), made[number])


@pytest.mark.parametrize("resize", [False, True])
@pytest.mark.parametrize("side", [32, 48])
@pytest.mark.parametrize("task", TASKS)
def test_exact_sizes(task, side, resize, footage):
    for group in draws(footage, wish(task, side, exact=True, resize=resize, scale=2), 20):
        assert {p.shape for p in group.pictures} == {(3, side, side)}


@pytest.mark.parametrize("task", TASKS)
def test_nothing_large_enough_is_an_error(task, footage):
    with pytest.raises(TrainingError, match=f"serves to train {task}") as caught:
        Groups(footage, wish(task, 900, exact=True))
    assert str(900 * (2 if task == "dual" else 1)) in caught.value.hint
    assert "4 photographs" in caught.value.message


@pytest.mark.parametrize("task", TASKS)
def test_nothing_at_all_is_an_error(task):
    with pytest.raises(TrainingError, match="Nothing of what was found"):
        Groups(footage_of([], Index()), wish(task))


def test_resized_pictures_show_all_of_them():
    picture = torch.zeros(3, 100, 200, dtype=torch.uint8)
    picture[:, :50, :100] = 200
    ((resized,),) = (
        g.pictures for g in draws(photographs(picture), wish("gray", 40, resize=True), 1)
    )
    assert resized.shape == (3, 40, 40)
    assert (resized[:, 2:18, 2:18] == 200).all()
    assert (resized[:, 22:, :] == 0).all()
    assert (resized[:, :, 22:] == 0).all()


def test_resized_pictures_may_be_small():
    (group,) = draws(photographs(still(20, 30)), wish("gray", 64, exact=True, resize=True), 1)
    assert group.pictures[0].shape == (3, 64, 64)


@pytest.mark.parametrize("centred", [False, True])
def test_cuts_are_anywhere_or_in_the_middle(centred):
    rows = torch.arange(90, dtype=torch.uint8)[:, None].expand(90, 70)
    columns = torch.arange(70, dtype=torch.uint8)[None].expand(90, 70)
    where = photographs(torch.stack((rows, columns, columns)))
    corners = [
        (int(p[0, 0, 0]), int(p[1, 0, 0]))
        for group in draws(where, wish("gray", 50, centred=centred), 40)
        for p in group.pictures
    ]
    if centred:
        assert set(corners) == {(20, 10)}
    else:
        tops, lefts = zip(*corners, strict=True)
        assert max(tops) > 30 > 10 > min(tops)
        assert max(lefts) > 15 > 5 > min(lefts)
        assert max(tops) <= 40
        assert max(lefts) <= 20


def test_windows_of_clips_are_evenly_spaced_and_go_both_ways():
    seen, found, starts = Counter(), set(), set()
    for group in draws(CLIPS, wish("video", 16), 150):
        values = times(group)
        (step,) = set(np.diff(values).tolist())
        seen[step] += 1
        clip = min(values) // 60
        found.add(clip)
        starts.add(min(values))
        assert max(values) < 60 * clip + (3, 14, 30)[clip]
    assert set(seen) == {-3, -2, -1, 1, 2, 3}
    assert abs(sum(n for step, n in seen.items() if step < 0) - 75) < 25
    assert seen[1] + seen[-1] > seen[2] + seen[-2] > 0
    assert found == {0, 1, 2}
    assert {0, 60, 120} <= starts  # from the first frame on
    assert len(starts) > 25


@pytest.mark.parametrize(("steps", "length"), [((5, 3), 14), ((5, 3), 11), ((4,), 9)])
def test_a_manifest_s_steps(steps, length):
    made = draws(numbered_clips(length, steps=steps), wish("video", 16), 40)
    assert {abs(times(g)[1] - times(g)[0]) for g in made} == set(steps)


def test_a_clip_too_short_for_every_step_is_taken_as_widely_as_it_can():
    made = draws(numbered_clips(8, steps=(5, 9)), wish("video", 16), 20)
    assert {abs(times(g)[1] - times(g)[0]) for g in made} == {3}
    made = draws(numbered_clips(12, steps=(5, 9)), wish("video", 16), 20)
    assert {abs(times(g)[1] - times(g)[0]) for g in made} == {5}


def test_a_window_reaches_the_last_frame():
    ends = {max(times(g)) for g in draws(numbered_clips(6), wish("video", 16), 60)}
    assert max(ends) == 5


def test_short_clips_are_left_out():
    made = draws(CLIPS, wish("video", 16, pictures=5), 12)
    assert {min(times(g)) // 60 for g in made} == {1, 2}
    with pytest.raises(TrainingError):
        Groups(CLIPS, wish("video", 16, pictures=31))


def test_photographs_are_filmed_beside_real_clips():
    pictures = [still(170, 160), still(159, 400), *(flat(t, 64, 64) for t in range(5))]
    index = Index(stills=(0, 1), clips=((2, 3, 4, 5, 6),))
    made = draws(footage_of(pictures, index), wish("video", 48), 20)
    filmed = [g for g in made if np.ptp(g.pictures[0].numpy()) > 0]
    assert len(filmed) == 6
    alone = draws(photographs(*pictures[:2]), wish("video", 48), 4)
    assert all(np.ptp(g.pictures[0].numpy()) > 0 for g in alone)
    assert {p.shape for g in alone for p in g.pictures} == {(3, 48, 48)}
    with pytest.raises(TrainingError):  # too small to be filmed
        Groups(photographs(pictures[1]), wish("video", 48))


def test_every_third_of_ten_is_filmed_whoever_draws():
    pictures = [still(170, 160), *(flat(t, 64, 64) for t in range(3))]
    groups = Groups(footage_of(pictures, Index(stills=(0,), clips=((1, 2, 3),))), wish("video", 48))
    filmed = [n for n in range(30) if np.ptp(groups.draw(n).pictures[0].numpy()) > 0]
    assert filmed == [0, 1, 2, 10, 11, 12, 20, 21, 22]


@pytest.mark.parametrize(("side", "least"), [(200, 254), (64, 160)])
def test_films_are_exact_from_the_smallest_photograph_that_serves(side, least):
    (group,) = draws(photographs(still(least, least + 3)), wish("video", side, exact=True), 1)
    assert {p.shape for p in group.pictures} == {(3, side, side)}
    with pytest.raises(TrainingError):
        Groups(photographs(still(least - 1, 300)), wish("video", side, exact=True))


def test_pairs_are_left_and_right(footage):
    made = draws(footage, wish("mono", 500), 10)
    shelf = footage.shelf
    pairs = [tuple(shelf[n] for n in pair) for pair in footage.index.pairs]
    for group in made[3:]:
        # At most one pixel is cut from either side, the same from both views.
        height, width = group.pictures[0].shape[-2:]
        places = [
            (y, x)
            for left, right in pairs
            for y in range(2)
            for x in range(2)
            for both in [[v[:, y : y + height, x : x + width] for v in (left, right)]]
            if all(map(torch.equal, both, group.pictures))
        ]
        assert len(places) == 1
        assert (height, width) == tuple(side // 2 * 2 for side in pairs[0][0].shape[-2:])
    # The first three of ten are frames of clips or films.
    assert not any(torch.equal(g.pictures[0], p[0]) for g in made[:3] for p in pairs)


def test_pairs_alone_and_clips_alone_serve():
    views = [flat(10), flat(11), flat(20), flat(21)]
    pairs = footage_of(views, Index(pairs=((0, 1), (2, 3))))
    found = [tuple(map(value, g.pictures)) for g in draws(pairs, wish("mono"), 20)]
    assert set(found) == {(10, 11), (20, 21)}
    assert found.count((10, 11)) == 10
    (group,) = draws(CLIPS, wish("mono", 16), 1)
    assert 1 <= abs(value(group.pictures[0]) - value(group.pictures[1])) <= 3


def test_the_near_view_is_the_middle_of_the_wide_one():
    stills = photographs(*(still(200 * z, 240 * z, z) for z in (1, 2, 3)))
    made = draws(stills, wish("dual", 90), 12)
    assert {g.zoom for g in made} == {2, 4, 8}
    for group in made:
        wide, near = sample_of(group).pictures
        height, width = wide.shape[:2]
        zoom = int(group.zoom)
        small = cover_of(near, zoom)
        top, left = (height - height // zoom) // 2, (width - width // zoom) // 2
        middle = wide[top : top + small.shape[0], left : left + small.shape[1]]
        # Where sides are no multiple of the zoom the middle is off by less than a pixel.
        assert psnr(small[2:-2, 2:-2], middle[2:-2, 2:-2]) > 25


def test_zooms_are_as_large_as_the_photograph_allows():
    for side, zooms in ((100, {2}), (200, {2, 4}), (400, {2, 4, 8})):
        made = draws(photographs(still(side, side)), wish("dual", 48), 30)
        assert {g.zoom for g in made} == zooms
    with pytest.raises(TrainingError):
        Groups(photographs(still(95, 400)), wish("dual", 48))


@pytest.mark.parametrize("centred", [False, True])
def test_views_of_a_manifest(centred):
    wide, near = still(60, 70, 1), still(60, 70, 2)
    footage = footage_of(
        [still(400, 400), near, wide], Index(stills=(0,), views=(View(2, 1, 4.0),))
    )
    for group in draws(footage, wish("dual", 50, centred=centred), 5):
        assert group.zoom == 4
        places = [
            (y, x)
            for y in range(11)
            for x in range(21)
            if torch.equal(group.pictures[0], wide[:, y : y + 50, x : x + 50])
        ]
        ((y, x),) = places
        assert torch.equal(group.pictures[1], near[:, y : y + 50, x : x + 50])
        assert not centred or (y, x) == (5, 10)


def test_photographs_of_any_size_give_samples_of_one_region():
    """As they come out of a camera; sides of more than a region's would not be understood."""
    large = photographs(still(900, 2600))
    for task in ("dual", "gray", "rescale"):
        (group,) = draws(large, wish(task, 320), 1)
        assert {p.shape for p in group.pictures} == {(3, 320, 320)}


def test_numbered_photographs_that_look_like_a_clip_serve_too():
    pictures = [still(64, 64, i) for i in range(4)]
    numbered = footage_of(pictures, Index(clips=((0, 1, 2, 3),)))
    for task in ("gray", "rescale", "hide"):
        for group in draws(numbered, wish(task), 4):
            assert all(any(torch.equal(p, own) for own in pictures) for p in group.pictures)


def test_secrets_are_photographs_each_used_once_before_any_is_again():
    stills = photographs(*(flat(10 * i, 50 + i, 60) for i in range(7)))
    made = draws(stills, wish("hide"), 8)
    for turn in range(4):
        values = [value(p) for g in made[2 * turn : 2 * turn + 2] for p in g.pictures]
        assert len(set(values)) == 6
    # Which one is left over changes.
    assert len({value(p) for g in made for p in g.pictures}) == 7


@pytest.mark.parametrize("task", ["gray", "rescale", "dual", "video"])
def test_each_photograph_comes_once_before_any_comes_again(task):
    stills = photographs(*(flat(10 * i, 170, 180) for i in range(7)))
    made = draws(stills, wish(task), 21)
    for turn in range(3):
        values = [value(g.pictures[0]) for g in made[7 * turn : 7 * turn + 7]]
        assert sorted(values) == [10 * i for i in range(7)]
    assert values != sorted(values)


def test_groups_of_a_manifest_stay_together():
    pictures = [flat(i, 50 + i, 70 - i) for i in range(9)]
    index = Index(stills=(8,), groups=((0, 1, 2), (3, 4, 5, 6), (7, 8)))
    made = draws(footage_of(pictures, index), wish("hide"), 20)
    found = {tuple(map(value, g.pictures)) for g in made}
    assert found == {(0, 1, 2), (3, 4, 5)}  # the last has too few
    assert {g.pictures[0].shape for g in made} == {(3, 50, 64), (3, 53, 64)}


def disc(height: int, width: int) -> torch.Tensor:
    """A cut-out whose middle third is half transparent, its alpha full below."""
    alpha = torch.zeros(1, height, width, dtype=torch.uint8)
    alpha[:, height // 3 : 2 * height // 3] = 128
    alpha[:, 2 * height // 3 :] = 255
    return torch.cat((flat(200, height, width), alpha))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("height", "width"), [(300, 40), (60, 200), (50, 50)])
def test_layers_make_their_composite(height, width, alpha):
    footage = footage_of([still(100, 90), disc(height, width)], Index(stills=(0,), cutouts=(1,)))
    seen = set()
    for group in draws(
        footage,
        wish("layers", 90, roles=(COMPOSITE, BACKGROUND, ALPHA if alpha else PREMULTIPLIED)),
        6,
    ):
        composite, background, third = (p.numpy().astype(float) for p in group.pictures)
        assert (third[0] == third[2]).all()
        assert set(np.unique(third)) <= ({0, 128, 255} if alpha else {0, 100, 200})
        seen |= set(np.unique(third))
        share = third / 255 if alpha else np.select([third == 100, third == 200], [128 / 255, 1.0])
        assert np.abs(share * 200 + (1 - share) * background - composite).max() <= 0.5 + 1e-3
        assert composite.shape == (3, 90, 90)
    assert len(seen) > 1


def test_layers_need_a_cut_out_and_a_background():
    for index in (Index(stills=(0,)), Index(cutouts=(1,))):
        with pytest.raises(TrainingError, match="serves to train layers"):
            Groups(footage_of([still(100, 90), disc(60, 60)], index), wish("layers"))


def test_every_cut_out_meets_every_background():
    pictures = [flat(10, 60, 60), flat(20, 60, 60), disc(60, 60), disc(60, 60) // 2]
    index = Index(stills=(0, 1), cutouts=(2, 3))
    made = draws(footage_of(pictures, index), wish("layers"), 40)
    pairs = {(value(g.pictures[1]), int(g.pictures[2].max())) for g in made}
    assert pairs == {(10, 255), (20, 255), (10, 127), (20, 127)}


def test_composites_of_a_manifest_stay_together():
    pictures = [flat(10, 70, 90), flat(20, 60, 60), disc(60, 60), disc(60, 60) // 2]
    index = Index(stills=(0, 1), cutouts=(2, 3), composites=((2, 0), (3, 1)))
    made = draws(footage_of(pictures, index), wish("layers"), 20)
    assert {(value(g.pictures[1]), int(g.pictures[2].max())) for g in made} == {
        (10, 255),
        (20, 127),
    }
    # Where a cut-out belongs is known: it is not moved.
    assert all((g.pictures[2] == 0)[:, :20].all() for g in made)
    assert all((g.pictures[2] > 0)[:, 20:].all() for g in made)


@pytest.mark.parametrize("size", [(60, 60), (30, 80), (80, 30), (20, 25), (200, 200)])
def test_a_background_covers_its_cut_out(size):
    pictures = [still(*size), disc(60, 70)]
    (group,) = draws(footage_of(pictures, Index(composites=((1, 0),))), wish("layers", 100), 1)
    assert {p.shape for p in group.pictures} == {(3, 60, 70)}
    if size == (200, 200):
        assert torch.equal(group.pictures[1], pictures[0][:, :60, :70])


def test_two_layers_are_composite_and_background():
    pictures = [flat(10, 60, 60), disc(60, 60), flat(77, 60, 60), flat(88, 60, 60)]
    index = Index(stills=(0,), composites=((1, 0),), groups=((2, 3),))
    made = draws(footage_of(pictures, index), wish("layers", pictures=2), 10)
    assert {value(g.pictures[1]) for g in made} == {10, 88}
    assert {len(g.pictures) for g in made} == {2}


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(
    ("task", "height", "width"), [("rescale", 63, 55), ("video", 67, 62), ("gray", 51, 61)]
)
def test_sides_are_multiples_of_the_scale(task, height, width, scale):
    pictures = [still(height, width, i) for i in range(3)]
    index = Index(clips=((0, 1, 2),)) if task == "video" else Index(stills=(0, 1, 2))
    for group in draws(footage_of(pictures, index), wish(task, 62, scale=scale), 4):
        for picture in group.pictures:
            assert [side % scale for side in picture.shape[1:]] == [0, 0]
            assert min(picture.shape[1:]) > min(height, width) - 2 * scale


def test_too_small_photographs_are_left_out():
    stills = photographs(
        torch.zeros(3, 47, 500, dtype=torch.uint8), *(flat(i, 48, 50) for i in range(1, 10))
    )
    made = draws(stills, wish("gray"), 9)
    assert sorted(value(g.pictures[0]) for g in made) == list(range(1, 10))


def test_how_many_different_groups_there_are():
    stills = photographs(*(flat(i) for i in range(7)))
    assert Groups(stills, wish("gray")).distinct == 7
    assert Groups(stills, wish("hide")).distinct == 2
    assert Groups(CLIPS, wish("video", 16)).distinct is None
