"""Targets: refused before any work, replaced only when asked, whole or absent."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image

from iiccli.tasks.models import Loader
from iiccli.zoo.modelfile import load_model, save_model
from tests.cli.conftest import COUNT, Iic, nothing_new


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail as soon as a clip or a carrier is opened, or a model is loaded."""

    def work(*arguments: object, **more: object) -> NoReturn:
        raise AssertionError("work began before the target was refused")

    monkeypatch.setattr("iiccli.tasks.video.open_clip", work)
    monkeypatch.setattr("iiccli.tasks.parts.read_carrier", work)
    monkeypatch.setattr(Loader, "load", work)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "cover.jpg"], 8, "cover.jpg would be lossy"),
        (["-o", "cover.avif"], 8, "cover.avif would be lossy"),
        (["-o", "cover"], 2, "cover names a folder"),
        (["-o", "cover.mp4"], 8, "no suffix of a picture that a carrier can be"),
        (["-o", "there.png"], 7, "there.png exists already"),
        (["-o", "folder.png", "--force"], 8, "folder.png is a folder"),
        (["-o", "file/cover.png"], 8, "file is not a folder"),
        (["-o", "covers.png", "--all"], 2, "covers.png names a file"),
        (["-o", "there.png", "--all", "--force"], 2, "there.png names a file"),
        (["-o", "file", "--all", "--force"], 2, "file names a file"),
        (["-o", "full", "--all"], 7, "The folder full is not empty"),
        (["-o", "covers", "--all", "--preview", "s.png"], 2, "--preview shows one cover"),
        (["-o", "new.png", "--preview", "new.png"], 2, "would overwrite new.png"),
        (["-o", "new.png", "--preview", "there.png"], 7, "there.png exists already"),
        (["-o", "new.png", "--preview", "sheet.xyz"], 2, "sheet.xyz does not say"),
        (["-o", "new.png", "--reference", "none"], 2, "no reference frame 'none'"),
        (["-o", "new.png", "--reference", "5"], 2, "no reference frame '5'"),
    ],
)
def test_embedding_refuses_at_once(
    iic: Iic, desk: Path, words: list[str], code: int, said: str
) -> None:
    furnish()
    before = set(desk.rglob("*"))
    iic("embed-video", "clip.mp4", *words).fails(code, said)
    nothing_new(desk, before)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "back.xyz"], 2, "back.xyz does not say which clip format"),
        (["-o", "there.png"], 7, "there.png exists already"),
        (["-o", "full"], 7, "The folder full is not empty"),
        (["-o", "file/back.mp4"], 8, "file is not a folder"),
        (["-o", "new.mp4", "--preview", "cover.png", "--force"], 2, "would overwrite cover.png"),
        (["-o", "cover.png", "--force"], 2, "cover.png would overwrite the carrier"),
        (["-o", "new.mp4", "--preview", "new.mp4"], 2, "new.mp4 does not say which picture"),
        (["-o", "new.webp", "--preview", "new.webp"], 2, "would overwrite new.webp"),
    ],
)
def test_restoring_refuses_at_once(
    iic: Iic, desk: Path, words: list[str], code: int, said: str
) -> None:
    furnish()
    before = set(desk.rglob("*"))
    iic("restore", "cover.png", *words).fails(code, said)
    nothing_new(desk, before)


def furnish() -> None:
    for name in ("there.png", "file", "cover.png"):
        Path(name).write_text("x")
    Path("full").mkdir()
    Path("full/x").touch()
    Path("folder.png").mkdir()


def test_frames_never_overwrite_the_covers_they_come_from(iic: Iic, clips: Path) -> None:
    iic("embed-video", clips / "clip.mp4", "-o", "covers", "--all")
    before = Path("covers/0001.png").read_bytes()
    done = iic("restore", "covers", "-o", "covers", "--force")
    done.fails(2, "covers would overwrite the carrier covers")
    assert Path("covers/0001.png").read_bytes() == before


def test_the_clip_is_never_overwritten(iic: Iic, clips: Path) -> None:
    Path("clip.webp").write_bytes((clips / "clip.webp").read_bytes())
    done = iic("embed-video", "clip.webp", "-o", "./clip.webp", "--force")
    done.fails(2, "clip.webp is the clip itself")


def test_force_replaces(iic: Iic, clips: Path) -> None:
    Path("cover.png").write_text("old")
    iic("embed-video", clips / "clip.mp4", "-o", "cover.png").fails(7, "exists already", "--force")
    assert Path("cover.png").read_text() == "old"
    assert iic("embed-video", clips / "clip.mp4", "-o", "cover.png", "--force").code == 0
    for name in ("back.mp4", "frames"):
        assert iic("restore", "cover.png", "-o", name).code == 0
        iic("restore", "cover.png", "-o", name).fails(7, "--force")
        assert iic("restore", "cover.png", "-o", name, "--force").code == 0


def test_missing_folders_are_made(iic: Iic, clips: Path) -> None:
    words = ("--preview", "d/e/sheet.png")
    assert iic("embed-video", clips / "clip.mp4", "-o", "a/b/cover.png", *words).code == 0
    assert iic("restore", "a/b/cover.png", "-o", "c/back.mp4").code == 0
    assert Path("d/e/sheet.png").exists()


def test_written_files_are_not_private(iic: Iic, clips: Path) -> None:
    umask = os.umask(0o022)
    try:
        iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
    finally:
        os.umask(umask)
    assert Path("cover.png").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_is_read_only(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    Path("locked").mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, m: "locked" not in str(p) and real(p, m))
    before = set(desk.rglob("*"))
    done = iic("embed-video", clips / "clip.mp4", "-o", "locked/cover.png")
    done.fails(8, "No permission to write into")
    nothing_new(desk, before)


@pytest.fixture
def no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every picture fail as on a full disk, after some bytes of it."""

    def save(image: Image.Image, target: Any, *arguments: object, **more: object) -> NoReturn:
        Path(target).write_bytes(b"\x89PNG")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", save)


def test_no_space_for_the_cover(
    iic: Iic, clips: Path, desk: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("no_space")
    Path("old.png").write_text("old")
    before = set(desk.rglob("*"))
    for words in (("-o", "cover.png"), ("-o", "old.png", "--force"), ("-o", "covers", "--all")):
        done = iic("embed-video", clips / "clip.mp4", *words)
        done.fails(8, "No space left to write", "Free some space")
    nothing_new(desk, before)
    assert Path("old.png").read_text() == "old"


def test_no_space_for_the_frames(
    iic: Iic, clips: Path, desk: Path, request: pytest.FixtureRequest
) -> None:
    iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
    request.getfixturevalue("no_space")
    before = set(desk.rglob("*"))
    iic("restore", "cover.png", "-o", "back").fails(8, "No space left to write")
    nothing_new(desk, before)


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 40 kB."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full(iic: Iic, clips: Path, small_disk: Path) -> None:
    (small_disk / "filling").write_bytes(bytes(30_000))
    done = iic("embed-video", clips / "clip.mp4", "-o", small_disk / "cover.png")
    done.fails(8, "No space left to write")
    assert iic("embed-video", clips / "clip.mp4", "-o", "cover.png").code == 0
    for name in ("back.mp4", "back.webp", "back.gif", "frames"):
        done = iic("restore", "cover.png", "-o", small_disk / name)
        done.fails(8, "No space left to write")
    assert [path.name for path in small_disk.iterdir()] == ["filling"]


def test_a_cover_that_reads_back_otherwise_is_not_kept(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    monkeypatch.setattr("iiccli.carrier.writer._reads_back", lambda *arguments: False)
    before = set(desk.rglob("*"))
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
    done.fails(8, "did not read back as it was written")
    nothing_new(desk, before)


def test_a_failure_in_the_middle_of_a_clip_leaves_nothing(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    from iiccli.errors import InputError
    from iiccli.media.video import VideoClip

    real = VideoClip.read

    def read(self: VideoClip, indices: Any, **more: Any) -> Any:
        if COUNT - 1 in indices:
            raise InputError("The disk is gone.")
        return real(self, indices, **more)

    monkeypatch.setattr(VideoClip, "read", read)
    before = set(desk.rglob("*"))
    iic("embed-video", clips / "clip.mp4", "-o", "covers", "--all").fails(3, "The disk is gone.")
    nothing_new(desk, before)


def test_too_little_memory(
    iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    import torch

    from iiccli.inference.transform import TransformConverter

    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ):

        def embed(*arguments: object, error: Exception = error, **more: object) -> NoReturn:
            raise error

        monkeypatch.setattr(TransformConverter, "embed", embed)
        done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
        done.fails(9, "There is not enough memory for this.", "--tile")
    monkeypatch.setattr("iiccli.tasks.video.open_clip", embed)
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
    done.fails(9, "There is not enough memory for this.")


def test_previews(iic: Iic, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("png", "jpg", "webp"):
        words = ("--json", "--preview", f"made.{suffix}")
        done = iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--force", *words)
        assert done.json["preview"] == f"made.{suffix}"
        assert (
            set(done.json["psnr"]) == set(done.json["ssim"]) == {"cover", "reference", "restored"}
        )
        assert 25 < done.json["psnr"]["restored"] < done.json["psnr"]["reference"]
        with Image.open(f"made.{suffix}") as sheet:
            sheet.load()
            assert 5 * 120 < sheet.width < 1800
            assert 250 < sheet.height < 2000
    done = iic("restore", "c.png", "-o", "back.mp4", "--preview", "back.png", "--json")
    assert done.json["preview"] == "back.png"
    sheet = np.asarray(Image.open("back.png"))
    assert sheet.shape[1] > 5 * 120
    assert sheet.std() > 10


def test_the_sentence_with_a_preview_tells_both_figures(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--preview", "s.png")
    assert "; the cover against its frame: 4" in done.out
    assert " dB, the other frames when restored: " in done.out


def test_a_preview_with_a_model_from_elsewhere(
    iic: Iic, clips: Path, tiny_models: Path, desk: Path
) -> None:
    """A model that no folder holds restores what it has just embedded."""
    mine = desk / "mine.safetensors"
    card, state = load_model(tiny_models / "video-5.v1.safetensors")
    save_model(mine, dataclasses.replace(card, name="mein Modell ö"), state)
    words = ("--model", mine, "--preview", "s.png")
    done = iic("embed-video", clips / "clip.mp4", "-o", "c.png", *words)
    assert done.code == 0, done.err
    assert "with mein-Modell--;" in done.out
    iic("restore", "c.png", "-o", "back").fails(6, "mein-Modell--", "not here")
    assert iic("restore", "c.png", "-o", "back", "--model", mine).err == ""
