"""Training pictures from folders, and groups of frames out of them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.errors import TrainingError
from iiccli.media.clip import write_clip
from iiccli.training.data import Footage, load_footage
from iiccli.training.video import camera_groups, clip_groups
from tests.conftest import moving_clip, texture


def picture(path: Path, value: int, size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value // 2, 255 - value)).save(path)
    return path


def test_numbered_pictures_are_a_clip_and_others_stills(tmp_path):
    for i in range(5):
        picture(tmp_path / "clip" / f"frame_{i:02}.png", 40 * i)
    picture(tmp_path / "photos" / "cat.png", 10)
    picture(tmp_path / "photos" / "deep" / "dog.bmp", 20, (8, 30))
    (tmp_path / "photos" / "README.md").write_text("no picture")
    footage = load_footage([tmp_path], frames=5)
    assert [c.shape for c in footage.clips] == [(5, 3, 16, 24)]
    assert footage.clips[0].dtype == torch.uint8
    assert footage.clips[0][:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert footage.clips[0][3, :, 5, 5].tolist() == [120, 60, 135]
    assert sorted(s.shape[-2:] for s in footage.stills) == [(16, 24), (30, 8)]
    assert footage.skipped == ()


def test_too_few_numbered_pictures_are_stills(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    footage = load_footage([tmp_path], frames=5)
    assert footage.clips == ()
    assert len(footage.stills) == 4


@pytest.mark.parametrize("names", [["a1", "b2", "c3"], ["1", "2", "last"]])
def test_names_that_do_not_count_up_are_stills(tmp_path, names):
    for name in names:
        picture(tmp_path / f"{name}.png", 1)
    footage = load_footage([tmp_path], frames=3)
    assert footage.clips == ()
    assert len(footage.stills) == 3


def test_no_frames_wanted_makes_everything_a_still(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    assert len(load_footage([tmp_path], frames=0).stills) == 4


def test_numbered_photographs_of_several_sizes_are_stills(tmp_path):
    """As in DIV2K: 0001.png, 0002.png, each of its own size."""
    for i in range(4):
        picture(tmp_path / f"{i:04}.png", 50 * i, (20 + i, 16))
    footage = load_footage([tmp_path], frames=3)
    assert footage.clips == ()
    assert [s.shape[-1] for s in footage.stills] == [20, 21, 22, 23]


def test_a_damaged_file_is_named_and_its_clip_left_out(tmp_path):
    for i in range(3):
        picture(tmp_path / "a" / f"{i}.png", i)
        picture(tmp_path / "b" / f"{i}.png", i)
    (tmp_path / "b" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    footage = load_footage([tmp_path], frames=3)
    assert len(footage.clips) == 1
    assert len(footage.skipped) == 1
    assert str(tmp_path / "b" / "1.png") in footage.skipped[0]


def test_several_folders_add_up(tmp_path):
    picture(tmp_path / "one" / "a.png", 1)
    picture(tmp_path / "two" / "b.png", 2)
    assert len(load_footage([tmp_path / "one", tmp_path / "two"], frames=3).stills) == 2


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(TrainingError, match="nowhere"):
        load_footage([tmp_path / "nowhere"], frames=3)


def test_a_file_is_not_a_folder(tmp_path):
    with pytest.raises(TrainingError, match=r"a\.png"):
        load_footage([picture(tmp_path / "a.png", 1)], frames=3)


def test_nothing_to_read_is_an_error(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(TrainingError) as caught:
        load_footage([tmp_path], frames=3)
    assert str(tmp_path) in caught.value.message
    assert "--data" in caught.value.hint


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_a_limit_takes_pictures_from_all_over(tmp_path, limit):
    for i in range(8):
        picture(tmp_path / f"{'abcdefgh'[i]}.png", 10 * i)
    stills = load_footage([tmp_path], frames=3, limit=limit).stills
    values = [int(s[0, 0, 0]) // 10 for s in stills]
    assert len(values) == min(limit, 8)
    assert values == sorted(set(values))
    if limit in (2, 3, 7):
        assert max(np.diff(values)) <= -(-8 // limit)


def footage_of(lengths: list[int], side: int = 16) -> Footage:
    """Clips whose frame t has the value t everywhere, plus ten times the clip's number."""
    clips = [
        torch.stack([torch.full((3, side, side), 60 * c + t, dtype=torch.uint8) for t in range(n)])
        for c, n in enumerate(lengths)
    ]
    return Footage((), tuple(clips), ())


def frames_of(group) -> list[int]:
    """The frames' numbers in order of time, the reference back in the middle."""
    reference, others = group
    values = [round(float(x[0, 0, 0]) * 255) for x in (reference, *others)]
    middle = len(others) // 2
    return [*values[1 : middle + 1], values[0], *values[middle + 1 :]]


@pytest.mark.parametrize("pictures", [2, 3, 5])
def test_windows_are_evenly_spaced_and_go_both_ways(pictures):
    groups = clip_groups(footage_of([pictures, 14, 30]), pictures, 20, seed=1)
    assert len(groups) == 60
    steps = set()
    for number, group in enumerate(groups):
        reference, others = group
        assert reference.shape == (3, 16, 16)
        assert others.shape == (pictures - 1, 3, 16, 16)
        values = frames_of(group) if pictures > 2 else frames_of(group)[::-1]
        (step,) = set(np.diff(values))
        steps.add(int(step))
        clip = number // 20
        assert 60 * clip <= min(values) <= max(values) < 60 * clip + (pictures, 14, 30)[clip]
    assert steps == {-3, -2, -1, 1, 2, 3}


def test_groups_are_the_same_for_the_same_seed():
    footage = footage_of([20, 20])
    first, again, other = (
        [frames_of(g) for g in clip_groups(footage, 3, 4, seed)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_photographs_are_filmed_evenly_and_small_ones_left_out():
    large = [(texture(160, 170, i) * 255).to(torch.uint8) for i in range(2)]
    small = torch.zeros(3, 159, 400, dtype=torch.uint8)
    groups = camera_groups(Footage((large[0], small, large[1]), (), ()), 3, 4, 64, seed=0)
    assert len(groups) == 4
    for reference, others in groups:
        assert reference.shape == (3, 64, 64)
        assert others.shape == (2, 3, 64, 64)
        assert 0 < reference.mean() < 1
    assert camera_groups(Footage((small,), (), ()), 3, 4, 64, seed=0) == []


def test_a_real_clip_is_grouped_around_its_middle():
    frames = moving_clip(24, 32, 3)
    clip = torch.stack([torch.from_numpy(f.transpose(2, 0, 1).copy()) for f in frames])
    ((reference, others),) = clip_groups(Footage((), (clip,), ()), 3, 1, seed=0)
    assert torch.equal((reference * 255).round().to(torch.uint8), clip[1])
    assert {int(o.sum()) for o in (others * 255).round().int()} == {
        int(clip[0].sum()),
        int(clip[2].sum()),
    }


def test_a_video_file_is_cut_into_pieces(tmp_path):
    frames = [np.full((32, 48, 3), 8 * t, np.uint8) for t in range(30)]
    write_clip(tmp_path / "a.mp4", frames, Fraction(25))
    write_clip(tmp_path / "b.gif", frames[:4], Fraction(25))
    footage = load_footage([tmp_path], frames=5)
    assert [clip.shape for clip in footage.clips] == [(13, 3, 32, 48)] * 2  # b.gif is too short
    first, second = (clip.float().mean((1, 2, 3)) for clip in footage.clips)
    assert (first.diff() > 0).all()
    assert second[-1] > first[-1]
    assert footage.stills == ()


def test_a_broken_video_is_named(tmp_path):
    write_clip(tmp_path / "a.mp4", [np.zeros((32, 48, 3), np.uint8)] * 6, Fraction(25))
    (tmp_path / "b.mp4").write_bytes(b"nothing")
    footage = load_footage([tmp_path], frames=5)
    assert len(footage.clips) == 1
    assert "b.mp4" in footage.skipped[0]
