"""Real-Matting, from videos to frames and their backgrounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from iiccli.datasets.groups import groups_of
from iiccli.datasets.layouts import real
from iiccli.errors import InputError
from tests.datasets import trees
from tests.datasets.trees import names, prepared

VIDEO = "fixed-camera/train/mo2"  # the only one of val


def test_the_splits_take_each_video_once() -> None:
    splits = {split: real.videos_of(split) for split in ("train", "val", "test")}
    everything = sorted(v for videos in splits.values() for v in videos)
    assert everything == sorted(
        f"{folder}/{name}" for folder, given in real.VIDEOS.items() for name in given.split()
    )
    assert {split: len(videos) for split, videos in splits.items()} == {
        "train": 50,
        "val": 1,
        "test": 6,
    }


def test_a_frame_and_its_background(tmp_path: Path) -> None:
    video = trees.real_clip(tmp_path, VIDEO)
    manifest = prepared("real", tmp_path, ["val"]).manifests[0]
    heading = manifest.heading
    assert (heading.alias, heading.task, heading.pictures) == ("real", "layers", 2)
    assert names(manifest) == [f"fixed-camera-train-mo2-{n:04d}" for n in (1, 2, 3)]
    assert [p.role for p in manifest.items[0].pictures] == ["composite", "background"]
    assert manifest.items[1].pictures[0].path == f"Real-Matting/frames/{VIDEO}/0002.png"
    assert groups_of(manifest).paths(0)[1] == tmp_path / "manifests/.." / video.relative_to(
        tmp_path
    ).with_suffix(".png")
    group = groups_of(manifest).read(0)
    assert group.reference == 0
    assert group.foreground is None
    assert [p.shape for p in group.pictures] == [(16, 16, 3)] * 2


def test_videos_are_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees.real_clip(tmp_path, VIDEO)
    before = prepared("real", tmp_path, ["val"]).manifests[0]
    before.path.unlink()
    monkeypatch.setattr(real, "open_clip", lambda path: pytest.fail(f"{path} was opened again"))
    assert prepared("real", tmp_path, ["val"]).manifests[0].items == before.items


def test_an_interruption_leaves_no_half_of_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.real_clip(tmp_path, VIDEO)
    write = real.write_frames

    def broken(folder: Path, frames: object) -> None:
        (folder / "0001.png").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(real, "write_frames", broken)
    with pytest.raises(KeyboardInterrupt):
        prepared("real", tmp_path, ["val"])
    assert not list((tmp_path / "Real-Matting").rglob("0001.png"))
    monkeypatch.setattr(real, "write_frames", write)
    assert len(prepared("real", tmp_path, ["val"]).manifests[0].items) == 3


def test_what_is_missing_or_damaged_is_left_out(tmp_path: Path) -> None:
    trees.real_clip(tmp_path, "fixed-camera/test_extra/ao", frames=2)
    trees.real_clip(tmp_path, "fixed-camera/train/ri1").with_suffix(".png").unlink()
    vi1 = trees.real_clip(tmp_path, "fixed-camera/train/vi1")
    trees.picture(vi1.with_suffix(".png"), (8, 8))
    vp = trees.real_clip(tmp_path, "fixed-camera/test_paper/vp")
    vp.with_suffix(".mp4").write_bytes(b"no video")
    given = prepared("real", tmp_path, ["test"])
    assert names(given.manifests[0]) == [f"fixed-camera-test_extra-ao-000{n}" for n in (1, 2)]
    said = "\n".join(given.left_out)
    folder = tmp_path / "Real-Matting/fixed-camera"
    assert f"{folder / 'test_extra/ei1.mp4'} does not exist." in said
    assert f"{folder / 'train/ri1.png'} does not exist." in said
    assert f"{folder / 'train/vi1.png'} differs in size from the frames." in said
    assert f"{folder / 'test_paper/vp.mp4'}" in said


def test_missing_folders_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepared("real", tmp_path, ["test"])
    for folder in ("test_extra", "test_paper", "train"):
        assert f"Real-Matting/fixed-camera/{folder}: videos" in caught.value.message
    assert "hand-held" not in caught.value.message
