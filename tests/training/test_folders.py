"""Training pictures from folders: what is a clip, a pair, a cut-out."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.errors import TrainingError
from iiccli.media.clip import write_clip
from iiccli.training.footage import Footage, load_footage


def picture(path: Path, value: int, size: tuple[int, int] = (24, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value // 2, 255 - value)).save(path)
    return path


def clips(footage: Footage) -> list[torch.Tensor]:
    """Each clip's frames, (T, C, H, W)."""
    return [torch.stack([footage.shelf[n] for n in clip]) for clip in footage.index.clips]


def stills(footage: Footage) -> list[torch.Tensor]:
    return [footage.shelf[n] for n in footage.index.stills]


def test_numbered_pictures_are_a_clip_and_others_stills(tmp_path):
    for i in range(5):
        picture(tmp_path / "clip" / f"frame_{i:02}.png", 40 * i)
    picture(tmp_path / "photos" / "cat.png", 10)
    picture(tmp_path / "photos" / "deep" / "dog.bmp", 20, (8, 30))
    (tmp_path / "photos" / "README.md").write_text("no picture")
    footage = load_footage([tmp_path], frames=5)
    (clip,) = clips(footage)
    assert clip.shape == (5, 3, 16, 24)
    assert clip.dtype == torch.uint8
    assert clip[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]
    assert clip[3, :, 5, 5].tolist() == [120, 60, 135]
    assert sorted(s.shape[-2:] for s in stills(footage)) == [(16, 24), (30, 8)]
    assert footage.skipped == ()


def test_too_few_numbered_pictures_are_stills(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    footage = load_footage([tmp_path], frames=5)
    assert footage.index.clips == ()
    assert len(footage.index.stills) == 4


@pytest.mark.parametrize("names", [["a1", "b2", "c3"], ["1", "2", "last"]])
def test_names_that_do_not_count_up_are_stills(tmp_path, names):
    for name in names:
        picture(tmp_path / f"{name}.png", 1)
    footage = load_footage([tmp_path], frames=3)
    assert footage.index.clips == ()
    assert len(footage.index.stills) == 3


def test_no_frames_wanted_makes_everything_a_still(tmp_path):
    for i in range(4):
        picture(tmp_path / f"{i}.png", i)
    assert len(load_footage([tmp_path], frames=0).index.stills) == 4


def test_numbered_photographs_of_several_sizes_are_stills(tmp_path):
    """As in DIV2K: 0001.png, 0002.png, each of its own size."""
    for i in range(4):
        picture(tmp_path / f"{i:04}.png", 50 * i, (20 + i, 16))
    footage = load_footage([tmp_path], frames=3)
    assert footage.index.clips == ()
    assert [s.shape[-1] for s in stills(footage)] == [20, 21, 22, 23]


def test_a_damaged_file_is_named_and_its_clip_left_out(tmp_path):
    for i in range(3):
        picture(tmp_path / "a" / f"{i}.png", i)
        picture(tmp_path / "b" / f"{i}.png", i)
    (tmp_path / "b" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    footage = load_footage([tmp_path], frames=3)
    assert len(footage.index.clips) == 1
    assert len(footage.skipped) == 1
    assert str(tmp_path / "b" / "1.png") in footage.skipped[0]


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


def test_left_and_right_views_are_pairs(tmp_path):
    for name in ("a_L", "a_R", "b_L", "c_R", "L", "d_L"):
        picture(tmp_path / f"{name}.png", len(name))
    picture(tmp_path / "d_R.png", 9, (25, 16))  # of another size: no pair
    footage = load_footage([tmp_path], frames=2)
    (pair,) = footage.index.pairs
    assert all(footage.shelf[view].shape == (3, 16, 24) for view in pair)
    assert [Path(footage.shelf.name(view)).name for view in pair] == ["a_L.png", "a_R.png"]
    assert len(footage.index.stills) == 5


def test_pictures_with_transparency_are_cut_outs(tmp_path):
    picture(tmp_path / "a.png", 1)
    Image.new("RGBA", (24, 16), (9, 8, 7, 128)).save(tmp_path / "b.png")
    footage = load_footage([tmp_path], frames=2)
    assert len(footage.index.stills) == 1
    (number,) = footage.index.cutouts
    cutout = footage.shelf[number]
    assert cutout.shape == (4, 16, 24)
    assert cutout[:, 0, 0].tolist() == [9, 8, 7, 128]


def test_a_video_file_is_cut_into_pieces(tmp_path):
    frames = [np.full((32, 48, 3), 8 * t, np.uint8) for t in range(30)]
    write_clip(tmp_path / "a.mp4", frames, Fraction(25))
    write_clip(tmp_path / "b.gif", frames[:4], Fraction(25))
    footage = load_footage([tmp_path], frames=5)
    assert [c.shape for c in clips(footage)] == [(13, 3, 32, 48)] * 2  # b.gif is too short
    first, second = (clip.float().mean((1, 2, 3)) for clip in clips(footage))
    assert (first.diff() > 0).all()
    assert second[-1] > first[-1]
    assert footage.index.stills == ()


def test_a_broken_video_is_named(tmp_path):
    write_clip(tmp_path / "a.mp4", [np.zeros((32, 48, 3), np.uint8)] * 6, Fraction(25))
    (tmp_path / "b.mp4").write_bytes(b"nothing")
    footage = load_footage([tmp_path], frames=5)
    assert len(footage.index.clips) == 1
    assert "b.mp4" in footage.skipped[0]


def test_a_damaged_picture_costs_no_room(tmp_path):
    """Numbers of pictures after it are still theirs."""
    for name, value in (("a", 10), ("c", 30)):
        picture(tmp_path / f"{name}.png", value)
    (tmp_path / "b.png").write_bytes(b"nothing")
    footage = load_footage([tmp_path], frames=3)
    assert [int(s[0, 0, 0]) for s in stills(footage)] == [10, 30]
    assert len(footage.shelf) == 2
