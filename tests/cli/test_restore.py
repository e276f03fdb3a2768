"""`iic restore`: every target, whole clips, parts, and what cannot be restored."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.carrier import read_carrier
from iiccli.media.clip import open_clip
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import load_model, save_model
from tests.cli.conftest import COUNT, SIZE, Iic, frames_of, pictures
from tests.conftest import psnr


@pytest.fixture(scope="session")
def made(clips: Path, tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cover.png, and covers/ of a whole clip."""
    folder = tmp_path_factory.mktemp("covers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "folders", lambda: iter([tiny_models]))
        iiccli.embed(clips / "clip.webp", folder / "cover.png", every=1)
        iiccli.embed(clips / "clip.mp4", folder / "covers", whole=True)
    return folder


@pytest.fixture
def cover(desk: Path, made: Path) -> Path:
    """Five frames at 8 a second."""
    return Path(shutil.copy(made / "cover.png", desk))


@pytest.fixture
def covers(desk: Path, made: Path) -> Path:
    """The whole clip: 5 + 5 + 2 frames."""
    return Path(shutil.copytree(made / "covers", desk / "covers"))


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("back.mp4", 28),
        ("back.m4v", 28),
        ("back.mov", 28),
        ("back.mkv", 28),
        ("back.webm", 28),
        ("back.gif", 20),
        ("back.webp", 30),
        ("back.apng", 30),
        ("new/deep/frames", 30),
        ("frames.d/", 30),
    ],
)
def test_every_target(iic: Iic, cover: Path, clips: Path, name: str, floor: float) -> None:
    done = iic("restore", cover, "-o", name)
    assert (done.code, done.out, done.err) == (0, f"{name}: 5 pictures restored.\n", "")
    back = open_clip(name)
    assert back.info.frames == 5
    assert back.info.size == SIZE
    rate = 25 if back.info.kind == "frames" else 8
    assert float(back.info.fps) == pytest.approx(rate, rel=0.01)  # a GIF counts hundredths
    originals = frames_of(clips / "clip.webp")[:5]
    for picture, original in zip(frames_of(name), originals, strict=True):
        assert psnr(picture, original) > floor


def test_frames_are_numbered_pngs(iic: Iic, cover: Path) -> None:
    iic("restore", cover, "-o", "frames")
    assert sorted(p.name for p in Path("frames").iterdir()) == [f"{i:04}.png" for i in range(1, 6)]


def test_json(iic: Iic, cover: Path) -> None:
    facts = iic("restore", cover, "-o", "frames", "--json").json
    assert facts.pop("seconds") > 0
    assert facts == {
        "input": str(cover),
        "status": "done",
        "output": "frames",
        "task": "video",
        "pictures": 5,
        "state": "whole",
        "damaged": 0.0,
    }


def test_a_single_picture_may_be_a_file(iic: Iic, clips: Path) -> None:
    iic("embed-video", clips / "one.mp4", "-o", "cover.png")
    assert iic("restore", "cover.png", "-o", "one.jpg").out == "one.jpg: 1 picture restored.\n"
    assert Image.open("one.jpg").size == SIZE
    iic("restore", "cover.png", "-o", "one.jpg").fails(7, "one.jpg exists already", "--force")
    assert iic("restore", "cover.png", "-o", "one.jpg", "--force").code == 0


def test_several_pictures_are_no_file(iic: Iic, cover: Path) -> None:
    iic("restore", cover, "-o", "one.png").fails(2, "5 pictures come back", "-o frames/")


def test_a_whole_clip_comes_back_at_its_rate(iic: Iic, covers: Path, clips: Path) -> None:
    assert sorted(p.name for p in covers.iterdir()) == ["0001.png", "0002.png", "0003.png"]
    headers = [read_carrier(path).header for path in sorted(covers.iterdir())]
    assert [header.valid for header in headers] == [5, 5, 2]
    assert len({header.clip_id for header in headers}) == 1
    facts = iic("restore", covers, "-o", "back.mp4", "--json").json
    assert (facts["pictures"], facts["state"]) == (COUNT, "whole")
    source, back = open_clip(clips / "clip.mp4").info, open_clip("back.mp4").info
    assert (back.frames, back.fps, back.size) == (source.frames, source.fps, source.size)
    for a, b in zip(frames_of("back.mp4"), frames_of(clips / "clip.mp4"), strict=True):
        assert psnr(a, b) > 26


def test_embedding_a_whole_clip_says_so(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "some.covers", "--all", "--every", 2)
    assert (done.code, done.err) == (0, "")
    assert done.out == "some.covers: 6 frames in 2 covers with video-5.v1.\n"
    facts = iic(
        "embed-video", clips / "clip.mp4", "-o", "b", "--all", "--start", 0.5, "--json"
    ).json
    assert facts["frames"] == [[4, 5, 6, 7, 8], [9, 10, 11]]
    assert facts["covers"] == 2
    iic("restore", "some.covers", "-o", "half.mp4")
    assert open_clip("half.mp4").info.fps == 4


@pytest.mark.parametrize("every", [1, 2])
def test_uneven_durations_of_a_gif_are_kept(iic: Iic, clips: Path, every: int) -> None:
    iic("embed-video", clips / "uneven.gif", "-o", "covers", "--all", "--every", every)
    iic("restore", "covers", "-o", "back.gif")
    source, back = open_clip(clips / "uneven.gif").info, open_clip("back.gif").info
    assert source.durations is not None
    expected = [sum(source.durations[i : i + every]) for i in range(0, COUNT, every)]
    assert back.durations == pytest.approx(expected, abs=0.006)
    # Each part alone lasts as long as it did, too.
    first = read_carrier(Path("covers/0001.png")).header
    assert first.durations == pytest.approx(expected[:5])
    iic("restore", "covers", "-o", "back.mp4")
    assert open_clip("back.mp4").info.seconds == pytest.approx(source.seconds, abs=0.1)


def test_uneven_durations_in_one_cover(iic: Iic, clips: Path) -> None:
    iic("embed-video", clips / "uneven.gif", "-o", "c.png", "--every", 2, "--start", 0.4)
    header = read_carrier(Path("c.png")).header
    assert header.durations == pytest.approx([0.2, 0.6, 0.3, 0.2, 0.1])


def test_a_numbered_reference_fits_the_last_part_too(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "covers", "--all", "--reference", 4)
    assert done.code == 0
    headers = [read_carrier(path).header for path in sorted(Path("covers").iterdir())]
    assert [header.reference for header in headers] == [4, 4, 1]
    iic("embed-video", clips / "clip.mp4", "-o", "d", "--all", "--reference", 5).fails(2, "0 to 4")


def test_parts_in_any_order(iic: Iic, covers: Path) -> None:
    files = [covers / f"000{i}.png" for i in (2, 3, 1)]
    assert iic("restore", *files, "-o", "mixed").code == 0
    assert iic("restore", covers, "-o", "sorted").code == 0
    for a, b in zip(pictures(Path("mixed")), pictures(Path("sorted")), strict=True):
        assert (a == b).all()


def test_one_part_alone_restores_and_says_so(iic: Iic, covers: Path, clips: Path) -> None:
    done = iic("restore", covers / "0003.png", "-o", "end.mkv")
    assert done.out == "end.mkv: 2 pictures restored.\n"
    assert "note: 0003.png is part 3 of the 3 of its clip" in done.err
    assert open_clip("end.mkv").info.fps == 8
    for a, b in zip(frames_of("end.mkv"), frames_of(clips / "clip.mp4")[10:], strict=True):
        assert psnr(a, b) > 26


def test_stripped_parts_come_together_too(iic: Iic, covers: Path) -> None:
    for path in covers.iterdir():
        Image.open(path).convert("RGB").save(path)
    facts = iic("restore", covers, "-o", "back.mp4", "--json").json
    assert (facts["pictures"], facts["state"]) == (COUNT, "stripped")
    assert open_clip("back.mp4").info.fps == 8


def test_hidden_and_other_files_beside_covers_do_no_harm(iic: Iic, covers: Path) -> None:
    (covers / "._0001.png").write_bytes(b"a Mac was here")
    (covers / "notes.txt").write_text("holiday")
    assert iic("restore", covers, "-o", "back").code == 0


def test_a_missing_part(iic: Iic, covers: Path) -> None:
    (covers / "0002.png").unlink()
    iic("restore", covers, "-o", "b.mp4").fails(3, "Of the clip's 3 covers, 1 is missing: 2.")


def test_a_part_twice(iic: Iic, covers: Path) -> None:
    path = covers / "0002.png"
    iic("restore", path, path, "-o", "b.mp4").fails(3, "0002.png is given twice")
    shutil.copy(path, covers / "copy.png")
    iic("restore", covers, "-o", "b.mp4").fails(3, "A part of the clip is there twice")


def test_a_foreign_part(iic: Iic, covers: Path, cover: Path, clips: Path) -> None:
    iic("embed-video", clips / "clip.webm", "-o", "others", "--all")
    shutil.copy("others/0002.png", covers / "0002.png")
    iic("restore", covers, "-o", "b.mp4").fails(2, "0002.png does not belong to the same clip")
    iic("restore", covers / "0001.png", cover, "-o", "b.mp4").fails(2, "cover.png does not belong")


def test_carriers_that_are_no_clip(iic: Iic, cover: Path) -> None:
    shutil.copy(cover, "other.png")
    done = iic("restore", cover, "other.png", "-o", "b.mp4")
    done.fails(2, "does not belong to the same clip", "one by one")


def test_a_folder_with_a_foreign_picture_names_it(iic: Iic, covers: Path, still: Path) -> None:
    shutil.copy(still, covers / "sheet.png")
    iic("restore", covers, "-o", "b.mp4").fails(4, "sheet.png is not a carrier")


def test_the_preview_shows_the_first_part(iic: Iic, covers: Path) -> None:
    assert iic("restore", covers, "-o", "b.mp4", "--preview", "sheet.png").code == 0
    assert Image.open("sheet.png").width > 5 * 80


def test_with_the_model_named(iic: Iic, cover: Path, tiny_models: Path) -> None:
    assert iic("restore", cover, "-o", "a", "--model", "video-5").err == ""
    path = tiny_models / "video-5.v1.safetensors"
    assert iic("restore", cover, "-o", "b", "--model", path).err == ""
    iic("restore", cover, "-o", "c", "--model", "video-3").fails(
        6, "cover.png was made by video-5.v1; video-3.v1 cannot restore it.", "Leave out --model"
    )
    iic("restore", cover, "-o", "c", "--model", "video-4").fails(6, "There is no model 'video-4'")


def test_a_sibling_of_the_model_restores_with_a_note(
    iic: Iic, cover: Path, tiny_models: Path
) -> None:
    """As a later training of the same tables would be: other hash, same message."""
    card, state = load_model(tiny_models / "video-5.v1.safetensors")
    save_model(Path("v2.safetensors"), dataclasses.replace(card, name="video-5.v2"), state)
    done = iic("restore", cover, "-o", "back", "--model", "v2.safetensors")
    assert done.code == 0
    assert done.err == "note: cover.png: restored with video-5.v2, though made by video-5.v1.\n"


def test_a_model_that_is_not_here(
    iic: Iic, cover: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogue, "folders", lambda: iter([tmp_path / "none"]))
    done = iic("restore", cover, "-o", "back")
    done.fails(6, "The carrier was made by video-5.v1 (SHA-256 ", "which is not here", "--model")
    assert iic("inspect", cover).out.splitlines()[-1].endswith("not here")
    assert iic("inspect", cover, "--json").json["model_here"] is None
    Image.open(cover).convert("RGB").save("stripped.png")
    done = iic("restore", "stripped.png", "-o", "back")
    done.fails(6, "The carrier was made by a model without a name (SHA-256 ")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("{still}", 4, "is not a carrier: it holds nothing from iic"),
        ("{clips}/clip.mp4", 3, "is not a picture"),
        ("nothing.png", 3, "nothing.png does not exist"),
        ("text.png", 3, "text.png is not a picture"),
        ("cut.png", 3, "cut.png is truncated or damaged"),
        ("empty", 3, "The folder empty holds no carriers"),
    ],
)
def test_what_is_no_carrier(
    iic: Iic, cover: Path, clips: Path, still: Path, name: str, code: int, said: str
) -> None:
    Path("text.png").write_text("hello")
    Path("cut.png").write_bytes(cover.read_bytes()[:-4000])
    Path("empty").mkdir()
    source = name.format(clips=clips, still=still)
    iic("restore", source, "-o", "back").fails(code, said)
    assert not Path("back").exists()
    if name != "empty":
        iic("inspect", source).fails(code, said)


def test_restoring_twice_gives_the_same(iic: Iic, cover: Path) -> None:
    for name in ("a", "b"):
        iic("restore", cover, "-o", name)
    for a, b in zip(pictures(Path("a")), pictures(Path("b")), strict=True):
        assert np.array_equal(a, b)
