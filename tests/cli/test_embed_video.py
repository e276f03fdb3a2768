"""`iic embed-video`: every source, every choice of frames, every balance."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier
from iiccli.media.clip import open_clip, write_clip
from tests.cli.conftest import SIZE, Iic, frames_of, pictures
from tests.conftest import moving_clip, psnr


def worst(folder: Path, originals: list[np.ndarray]) -> float:
    return min(psnr(a, b) for a, b in zip(pictures(folder), originals, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        "clip.mp4",
        "clip.mkv",
        "clip.webm",
        "clip.avi",
        "clip.gif",
        "clip.webp",
        "clip.apng",
        "folder",
    ],
)
def test_every_kind_of_clip_comes_back(iic: Iic, clips: Path, name: str) -> None:
    done = iic("embed-video", clips / name, "-o", "cover.png", "--every", 1)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(
        "cover.png: 5 frames in 1 cover with video-5.v1; the cover against its frame: "
    )
    originals = frames_of(clips / name)[:5]
    cover = read_carrier(Path("cover.png"))
    assert cover.state == "whole"
    assert cover.header.fps == open_clip(clips / name).info.fps
    assert psnr(cover.pixels, originals[2]) > 42.9
    assert iic("restore", "cover.png", "-o", "back").code == 0
    assert worst(Path("back"), originals) > 33


def test_a_pattern_is_a_clip(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "folder" / "*[05].png", "-o", "cover.png", "--json")
    assert done.json["frames"] == [0, 1]
    assert read_carrier(Path("cover.png")).header.fps == 25


def test_frames_are_spread_evenly_at_a_rate_that_keeps_the_time(iic: Iic, clips: Path) -> None:
    facts = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", "--json").json
    assert facts["frames"] == [0, 3, 6, 8, 11]
    assert (facts["covers"], facts["size"], facts["model"]) == (1, list(SIZE), "video-5.v1")
    assert facts["quality"] == "balanced"
    assert facts["output"] == "cover.png"
    assert read_carrier(Path("cover.png")).header.fps == Fraction(8 * 4, 11)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["--start", "0.5"], [4, 6, 8, 9, 11]),
        (["--end", "0:00.5"], [0, 1, 2, 3, 4]),
        (["--start", "0.25", "--end", "0.8"], [2, 3, 4, 5, 6]),
        (["--every", "2"], [0, 2, 4, 6, 8]),
        (["--every", "2", "--start", "0.25s"], [2, 4, 6, 8, 10]),
        (["--frames", "3"], [0, 6, 11]),
        (["--frames", "1"], [0]),
        (["--frames", "2", "--end", "1"], [0, 8]),
        (["--start", "1.3"], [10, 11]),  # there are no five
    ],
)
def test_which_frames_are_taken(
    iic: Iic, clips: Path, options: list[str], chosen: list[int]
) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", "--json", *options)
    assert done.json["frames"] == chosen


def test_a_number_without_its_own_model_takes_the_next_larger_and_says_so(
    iic: Iic, clips: Path
) -> None:
    for count, name in ((1, "video-3.v1"), (2, "video-3.v1"), (3, "video-3.v1"), (4, "video-5.v1")):
        done = iic("embed-video", clips / "clip.mp4", "-o", f"{count}.png", "-n", count, "--json")
        assert done.json["model"] == name
        verb = "frame goes" if count == 1 else "frames go"
        size = name[6]
        note = (
            f"note: {count} {verb} into {name}, which takes {size}: "
            "filled up with repeats of the cover.\n"
        )
        assert done.err == ("" if count == 3 else note)
        assert iic("restore", f"{count}.png", "-o", f"back{count}").code == 0
        originals = [frames_of(clips / "clip.mp4")[i] for i in done.json["frames"]]
        assert worst(Path(f"back{count}"), originals) > 25


def test_more_frames_than_any_model_takes(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", "--frames", 6)
    done.fails(6, "No model for video takes 6 pictures.", "Models at hand take 3, 5.")
    done = iic(
        "embed-video", clips / "clip.mp4", "-o", "c.png", "--frames", 5, "--model", "video-3"
    )
    done.fails(6, "video-3.v1 takes 3 frames, not 5")


def test_a_clip_of_one_frame(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "one.mp4", "-o", "cover.png")
    assert done.code == 0
    assert done.out.startswith("cover.png: 1 frame in 1 cover")
    assert iic("restore", "cover.png", "-o", "frame.png").code == 0
    assert psnr(np.asarray(Image.open("frame.png")), frames_of(clips / "one.mp4")[0]) > 40
    iic("embed-video", clips / "one.mp4", "-o", "two.png", "--frames", 2).fails(2, "which has 1")


@pytest.mark.parametrize(
    ("name", "place"), [("middle", 2), ("first", 0), ("last", 4), ("0", 0), ("3", 3)]
)
def test_the_cover_looks_like_the_reference(iic: Iic, clips: Path, name: str, place: int) -> None:
    done = iic("embed-video", clips / "clip.gif", "-o", "cover.png", "--reference", name, "--json")
    cover = read_carrier(Path("cover.png"))
    originals = [frames_of(clips / "clip.gif")[i] for i in done.json["frames"]]
    distances = [psnr(cover.pixels, frame) for frame in originals]
    assert int(np.argmax(distances)) == place == cover.header.reference
    assert done.json["psnr"]["cover"] == pytest.approx(distances[place])
    iic("restore", "cover.png", "-o", "back")
    for i, (picture, original) in enumerate(zip(pictures(Path("back")), originals, strict=True)):
        assert psnr(picture, original) > (35 if i == place else 25)


@pytest.mark.parametrize("name", ["5", "-1", "second", "", "²"])
def test_a_reference_that_is_none(iic: Iic, clips: Path, name: str) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", f"--reference={name}")
    done.fails(2, f"There is no reference frame {name!r}.", "a number from 0 to 4")
    assert not Path("cover.png").exists()


def test_quality_shifts_the_balance(iic: Iic, desk: Path) -> None:
    # Cuts: what the cover cannot show of the others, only the message can.
    big = [moving_clip(128, 160, 1, seed=50 + i)[0] for i in range(3)]
    write_clip(desk / "big", big, Fraction(25))
    covers, contents = [], []
    for quality, expected in (("cover", 46.4), ("balanced", 43.6), ("content", 40.7)):
        words = ("--frames", 3, "--quality", quality, "--json", "--preview", f"{quality}.jpg")
        facts = iic("embed-video", "big", "-o", f"{quality}.png", *words).json
        assert facts["quality"] == quality
        covers.append(facts["psnr"]["cover"])
        contents.append(facts["psnr"]["restored"])
        assert covers[-1] == pytest.approx(expected, abs=0.5)
    assert covers[0] > covers[1] > covers[2]
    assert contents[0] < contents[1] < contents[2]


def test_max_side_shrinks(iic: Iic, clips: Path) -> None:
    facts = iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--max-side", 40, "--json").json
    assert facts["size"] == [40, 32]
    facts = iic("embed-video", clips / "clip.mp4", "-o", "d.png", "--max-side", 999, "--json").json
    assert facts["size"] == list(SIZE)


def test_a_phone_s_clip_stands_upright(iic: Iic, clips: Path) -> None:
    facts = iic("embed-video", clips / "phone.mp4", "-o", "c.png", "--every", 1, "--json").json
    assert facts["size"] == [SIZE[1], SIZE[0]]
    iic("restore", "c.png", "-o", "back.mp4")
    upright = frames_of("back.mp4")[2]
    lying = frames_of(clips / "clip.mp4")[2]
    assert psnr(np.rot90(upright, -1), lying) > 30 or psnr(np.rot90(upright), lying) > 30


def test_a_variable_frame_rate_keeps_its_time(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "vfr.mkv", "-o", "covers", "--all")
    assert done.code == 0
    assert all(line.startswith("note: ") for line in done.err.splitlines())
    iic("restore", "covers", "-o", "back.mkv")
    source, back = open_clip(clips / "vfr.mkv").info, open_clip("back.mkv").info
    assert back.seconds == pytest.approx(source.seconds, abs=0.05)
    assert (back.frames, back.fps) == (source.frames, source.fps)


@pytest.mark.parametrize("size", [(1, 1), (1, 7)])
def test_frames_too_small_to_hold_anything(iic: Iic, size: tuple[int, int]) -> None:
    write_clip("in", moving_clip(size[1], size[0], 5, (1, 0), seed=3), Fraction(25))
    iic("embed-video", "in", "-o", "cover.png").fails(3, f"{size[0]}×{size[1]} pixels is too small")
    assert not Path("cover.png").exists()


@pytest.mark.parametrize("size", [(8, 8), (3, 200), (200, 3), (33, 17), (61, 97)])
def test_frames_of_any_size(iic: Iic, size: tuple[int, int]) -> None:
    originals = moving_clip(size[1], size[0], 5, (1, 0), seed=3)
    write_clip("in", originals, Fraction(25))
    assert iic("embed-video", "in", "-o", "cover.png").code == 0
    with Image.open("cover.png") as cover:
        assert cover.size == size
    assert iic("restore", "cover.png", "-o", "back").code == 0
    back = pictures(Path("back"))
    assert [frame.shape for frame in back] == [frame.shape for frame in originals]
    assert psnr(back[2], originals[2]) > 36
    assert iic("restore", "cover.png", "-o", "back.mp4").code == 0
    assert frames_of("back.mp4")[0].shape == originals[0].shape


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".tiff", ".PNG"])
def test_a_cover_of_every_kind(iic: Iic, clips: Path, suffix: str) -> None:
    iic("embed-video", clips / "clip.webp", "-o", "cover.png")
    assert iic("embed-video", clips / "clip.webp", "-o", f"other{suffix}").code == 0
    one, other = read_carrier(Path("cover.png")), read_carrier(Path(f"other{suffix}"))
    assert other.state == "whole"
    assert (one.pixels == other.pixels).all()


def test_the_same_again(iic: Iic, clips: Path) -> None:
    for name in ("a.png", "b.png"):
        iic("embed-video", clips / "clip.mp4", "-o", name)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_tiles_change_nothing(iic: Iic, desk: Path) -> None:
    write_clip("in", moving_clip(150, 170, 3, (2, 2), seed=9), Fraction(25))
    for tile in (64, 512):
        words = ("--tile", tile, "--frames", 3)
        assert iic("embed-video", "in", "-o", f"{tile}.png", *words).code == 0
        assert iic("restore", f"{tile}.png", "-o", f"back{tile}", "--tile", tile).code == 0
    assert Path("64.png").read_bytes() == Path("512.png").read_bytes()
    for a, b in zip(pictures(Path("back64")), pictures(Path("back512")), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nothing.mp4"], 3, "nothing.mp4 does not exist"),
        (["{clips}/none*.png"], 3, "No file matches"),
        (["{clips}/clip.mp4", "--start", "99"], 2, "beyond the clip's end"),
        (["{clips}/clip.mp4", "--start", "1", "--end", "0.5"], 2, "comes before the start"),
        (["{clips}/clip.mp4", "--start", "soon"], 2, "'soon' is not a time"),
        (["{clips}/clip.mp4", "--every", "9", "--frames", "3"], 2, "which has 12"),
        (["{clips}/clip.mp4", "--model", "video-7"], 6, "There is no model 'video-7'"),
        (["{clips}/clip.mp4", "--model", "./no.safetensors"], 6, "no model file"),
        (["{clips}/clip.mp4", "--device", "tpu"], 9, "There is no device 'tpu'"),
        (["{still}"], 3, "is a single picture, not a clip"),
        (["{desk}"], 3, "There are no pictures in the folder"),
        (["{desk}/notes.txt"], 3, "neither a video nor a picture"),
        (["{desk}/sound.wav"], 3, "has no video in it"),
        (["{desk}/empty.mp4"], 3, "is empty"),
    ],
)
def test_what_cannot_be_embedded(
    iic: Iic, desk: Path, clips: Path, still: Path, words: list[str], code: int, said: str
) -> None:
    Path("notes.txt").write_text("no clip at all\n")
    Path("empty.mp4").touch()
    silence = b"RIFF" + (36 + 2000).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
    silence += b"\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data" + (2000).to_bytes(4, "little")
    Path("sound.wav").write_bytes(silence + bytes(2000))
    before = set(desk.rglob("*"))
    filled = [word.format(clips=clips, still=still, desk=desk) for word in words]
    iic("embed-video", *filled, "-o", "cover.png").fails(code, said)
    assert set(desk.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["--quality", "best"],
        ["--frames", "0"],
        ["--frames", "many"],
        ["--every", "0"],
        ["--max-side", "0"],
        ["--tile", "8"],
        ["--bogus"],
    ],
)
def test_options_that_make_no_sense(iic: Iic, clips: Path, words: list[str]) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", *words)
    assert done.code == 2
    assert done.out == ""
    assert words[0] in done.err
    assert "Traceback" not in done.err
    assert not Path("cover.png").exists()


def test_the_clip_s_remarks_are_passed_on_unless_quiet(iic: Iic, desk: Path) -> None:
    pair = [Image.new("RGBA", (32, 32), (200, 30, 30, 128)), Image.new("RGBA", (32, 32))]
    pair[0].save("see-through.webp", save_all=True, append_images=pair[1:], duration=100)
    done = iic("embed-video", "see-through.webp", "-o", "a.png", "--frames", 2)
    assert "note: transparent parts are shown on white" in done.err
    done = iic("embed-video", "see-through.webp", "-o", "b.png", "--frames", 2, "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("b.png: 2 frames")
