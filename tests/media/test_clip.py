from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.errors import InputError, OutputError, OutputExistsError, UsageError
from iiccli.media import ffmpeg
from iiccli.media.clip import (
    check_clip_target,
    is_clip_source,
    is_clip_target,
    open_clip,
    write_clip,
)
from iiccli.media.image import read_picture, write_picture
from tests.media.conftest import psnr, smooth

FRAMES = [smooth(48, 64, phase / 2) for phase in range(5)]
Make = Callable[..., Path]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_video_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_clip(path, iter(FRAMES), Fraction(30000, 1001))
    clip = open_clip(path)
    assert (clip.info.size, clip.info.frames) == ((64, 48), 5)
    assert clip.info.fps == Fraction(30000, 1001)
    assert (clip.info.kind, clip.info.durations, clip.notes) == ("video", None, ())
    back = list(clip.read(range(5)))
    assert len(back) == 5
    assert min(psnr(a, b) for a, b in zip(back, FRAMES, strict=True)) > 35
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("size", [(33, 47), (33, 48), (1, 1)])
def test_odd_sizes_keep_every_row_and_column(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = [smooth(*size, phase) for phase in range(3)]
    for suffix in (".mp4", ".webm") if min(size) > 1 else (".mp4",):
        path = tmp_path / f"a{suffix}"
        write_clip(path, frames, Fraction(10))
        clip = open_clip(path)
        assert clip.info.size == (size[1], size[0])
        back = list(clip.read([0, 1, 2]))
        assert min(psnr(a, b) for a, b in zip(back, frames, strict=True)) > 28


def test_mp4_is_playable_anywhere_and_says_its_colours(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", FRAMES, Fraction(10))
    command = [ffmpeg.executable(), "-hide_banner", "-i", str(tmp_path / "a.mp4")]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert "h264 (High)" in said
    assert "yuv420p(tv, bt709" in said


@pytest.mark.parametrize("suffix", [".webp", ".apng", ".gif"])
@pytest.mark.parametrize("durations", [None, (0.1, 0.5, 0.25, 0.04, 1.0)])
def test_animation_round_trip(
    tmp_path: Path, suffix: str, durations: tuple[float, ...] | None
) -> None:
    # Two equal neighbours: writers like to merge them, and then a frame is missing.
    frames = [FRAMES[0], FRAMES[1], FRAMES[1], FRAMES[2], FRAMES[3]]
    path = tmp_path / f"a{suffix}"
    write_clip(path, frames, Fraction(30), durations=durations)
    clip = open_clip(path)
    assert (clip.info.size, clip.info.frames, clip.info.kind) == ((64, 48), 5, "animation")
    if durations is None:
        assert (clip.info.fps, clip.info.durations) == (30, None)
    else:
        assert clip.info.durations == durations
        assert clip.info.fps == pytest.approx(5 / sum(durations))
    back = list(clip.read(range(5)))
    for got, expected in zip(back, frames, strict=True):
        if suffix == ".gif":
            assert psnr(got, expected) > 28
        else:
            assert np.array_equal(got, expected)
    with Image.open(path) as image:
        assert image.info.get("loop") == 0


def test_apng_keeps_the_ntsc_rate_exactly(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.apng", FRAMES, Fraction(30000, 1001))
    assert b"\x03\xe9\x75\x30" in (tmp_path / "a.apng").read_bytes()  # fcTL: 1001/30000
    assert open_clip(tmp_path / "a.apng").info.fps == Fraction(30000, 1001)


def test_uneven_durations_keep_their_time_in_a_video(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", FRAMES[:3], Fraction(10), durations=[0.1, 0.3, 0.2])
    clip = open_clip(tmp_path / "a.mp4")
    assert (clip.info.frames, clip.info.fps) == (6, 10)
    back = list(clip.read(range(6)))
    for got, source in zip(back, [0, 1, 1, 1, 2, 2], strict=True):
        assert psnr(got, FRAMES[source]) > 35


@pytest.mark.parametrize("name", ["shots", "shots/"])
def test_folder_round_trip(tmp_path: Path, name: str) -> None:
    target = f"{tmp_path}/{name}"
    assert is_clip_target(target)
    write_clip(target, FRAMES, Fraction(10))
    assert sorted(f.name for f in (tmp_path / "shots").iterdir()) == [
        f"000{i}.png" for i in range(1, 6)
    ]
    clip = open_clip(tmp_path / "shots")
    assert (clip.info.kind, clip.info.size, clip.info.frames) == ("frames", (64, 48), 5)
    assert all(np.array_equal(a, b) for a, b in zip(clip.read(range(5)), FRAMES, strict=True))


def test_frames_are_read_in_natural_order_from_folders_and_patterns(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write_picture(tmp_path / f"frame{number}.png", np.full((4, 6, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / ".frame3.png").write_bytes(b"hidden")
    for source in (tmp_path, f"{tmp_path}/frame*.png"):
        clip = open_clip(source)
        assert [int(frame[0, 0, 0]) for frame in clip.read(range(3))] == [1, 2, 10]
    write_picture(tmp_path / "frame4.png", np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(InputError, match=r"frame4\.png is 6×5, but frame1\.png is 6×4"):
        open_clip(tmp_path)
    with pytest.raises(InputError, match="No file matches"):
        open_clip(f"{tmp_path}/shot*.png")


def test_a_folder_may_mix_modes_and_orientations(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (4, 6), 50).save(tmp_path / "1.png", exif=exif)
    Image.new("RGBA", (6, 4), (0, 0, 0, 0)).save(tmp_path / "2.png")
    clip = open_clip(tmp_path)
    assert clip.info.size == (6, 4)
    assert [int(f[0, 0, 0]) for f in clip.read([0, 1])] == [50, 255]  # transparent: on white


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp", ".avif"])
def test_turned_frames_are_upright_in_every_format(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(FRAMES[0])))
    stored.save(tmp_path / f"1{suffix}", exif=exif, quality=95)
    clip = open_clip(tmp_path)
    assert clip.info.size == (64, 48)
    (frame,) = clip.read([0])
    assert psnr(frame, FRAMES[0]) > 28
    picture = read_picture(tmp_path / f"1{suffix}")
    assert np.array_equal(picture.pixels, frame)


@pytest.mark.parametrize("size", ["63x47", "64x36", "36x64"])
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p10le", "gray", "yuva420p"])
def test_all_pixel_formats_come_out_as_rgb(make_video: Make, size: str, pixel_format: str) -> None:
    path = make_video("a.mkv", "-c:v", "ffv1", "-pix_fmt", pixel_format, size=size, count=3)
    clip = open_clip(path)
    assert f"{clip.info.size[0]}x{clip.info.size[1]}" == size
    assert clip.info.frames == 3
    frames = list(clip.read([0, 2]))
    assert all(f.shape == (*clip.info.size[::-1], 3) and f.dtype == np.uint8 for f in frames)
    colourful = bool(np.any(np.ptp(frames[0].astype(int), axis=-1) > 100))
    assert colourful == (pixel_format != "gray")
    assert bool(clip.notes) == (pixel_format == "yuva420p")


def test_the_colour_matrix_of_the_stream_is_used(run_ffmpeg: Make) -> None:
    for matrix in ("bt709", "smpte170m"):
        path = run_ffmpeg(
            f"{matrix}.mp4",
            *("-f", "lavfi", "-i", "color=c=0xC82814:s=64x64:r=5,format=gbrp", "-frames:v", "2"),
            *("-vf", f"scale=out_color_matrix={matrix}", "-pix_fmt", "yuv420p"),
            *("-colorspace", matrix, "-crf", "1"),
        )
        (frame,) = open_clip(path).read([1])
        assert np.abs(frame[32, 32].astype(int) - (0xC8, 0x28, 0x14)).max() <= 3


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_rotation_flags_turn_the_frames(run_ffmpeg: Make, make_video: Make, angle: int) -> None:
    plain = make_video("plain.mp4", count=2)
    turned = run_ffmpeg("turned.mp4", "-display_rotation", str(angle), "-i", plain, "-c", "copy")
    clip = open_clip(turned)
    assert clip.info.size == ((64, 48) if angle == 180 else (48, 64))
    (expected,) = open_clip(plain).read([1])
    (frame,) = clip.read([1])
    assert psnr(frame, np.rot90(expected, angle // 90)) > 35


def test_pixels_are_made_square(make_video: Make) -> None:
    wide = make_video("a.mp4", "-vf", "setsar=4/3", "-pix_fmt", "yuv420p", size="60x48")
    assert open_clip(wide).info.size == (80, 48)
    tall = make_video("b.mp4", "-vf", "setsar=1/2", "-pix_fmt", "yuv420p", size="60x48")
    clip = open_clip(tall)
    assert clip.info.size == (60, 96)
    assert next(clip.read([0])).shape == (96, 60, 3)


def numbered(run_ffmpeg: Make, name: str, select: str, count: int) -> Path:
    """A 30 fps video whose frame n has brightness n·4, with only the selected frames kept."""
    source = f"color=black:s=32x32:r=30,geq=lum='16+N*4':cb=128:cr=128,select='{select}'"
    return run_ffmpeg(
        name, "-f", "lavfi", "-i", source, "-frames:v", str(count), "-fps_mode", "vfr",
        *("-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p"),
    )  # fmt: skip


def brightness(clip_frames: Iterator[np.ndarray]) -> list[int]:
    return [round((float(frame.mean()) * 219 / 255) / 4) for frame in clip_frames]


def test_a_variable_rate_keeps_every_frame_and_its_time(run_ffmpeg: Make) -> None:
    # 30 frames at 30 fps, then 7 at 10 fps: 1.63 s in all.
    path = numbered(run_ffmpeg, "a.mp4", r"lt(n\,30)+not(mod(n\,3))", 37)
    clip = open_clip(path)
    assert "variable frame rate" in clip.notes[0]
    assert clip.info.seconds == pytest.approx(49 / 30, abs=0.03)
    assert float(clip.info.fps) == pytest.approx(37 / (49 / 30), rel=0.03)
    assert brightness(clip.read(range(37))) == [*range(30), *range(30, 51, 3)]
    assert clip.info.durations is not None
    starts = np.cumsum((0, *clip.info.durations[:-1]))
    assert starts == pytest.approx([n / 30 for n in [*range(30), *range(30, 51, 3)]], abs=0.002)


def test_dropped_frames_are_held(run_ffmpeg: Make) -> None:
    clip = open_clip(numbered(run_ffmpeg, "a.mp4", r"not(eq(n\,7))", 29))
    assert (clip.info.fps, clip.info.frames) == (30, 30)
    assert brightness(clip.read(range(30))) == [6 if n == 7 else n for n in range(30)]


def test_exactly_the_frames_asked_for_are_read(run_ffmpeg: Make) -> None:
    clip = open_clip(numbered(run_ffmpeg, "a.mp4", "1", 50))
    assert clip.info.frames == 50
    for wanted in ([0], [49], [0, 1, 2], [3, 7, 8, 30, 49], list(range(50))):
        assert brightness(clip.read(wanted)) == wanted


def test_more_runs_than_fit_a_select_expression(make_video: Make) -> None:
    clip = open_clip(make_video("a.mp4", count=140, size="16x16"))
    every = list(clip.read(range(140)))
    odd = list(clip.read(range(1, 140, 2)))
    assert len(odd) == 70
    assert all(np.array_equal(a, b) for a, b in zip(odd, every[1::2], strict=True))


def test_frames_can_be_shrunk_while_reading(tmp_path: Path, make_video: Make) -> None:
    assert next(open_clip(make_video("a.mp4")).read([0], max_side=32)).shape == (24, 32, 3)
    write_clip(tmp_path / "a.webp", FRAMES, Fraction(10))
    assert next(open_clip(tmp_path / "a.webp").read([0], max_side=32)).shape == (24, 32, 3)


def test_impossible_indices_are_refused(make_video: Make) -> None:
    clip = open_clip(make_video("a.mp4", count=3))
    assert list(clip.read([])) == []
    for wrong in ([3], [-1], [1, 0], [1, 1]):
        with pytest.raises(UsageError):
            clip.read(wrong)


def test_leaving_early_ends_ffmpeg(make_video: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = open_clip(make_video("a.mp4", size="320x240", count=60))
    children: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def spying(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        children.append(real(*arguments, **options))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", spying)
    frames = clip.read(range(60))
    next(frames)
    assert children[0].poll() is None
    frames.close()  # type: ignore[attr-defined]
    assert children[0].poll() is not None


def test_gif_frames_are_composed_and_untimed_ones_get_a_tenth(tmp_path: Path) -> None:
    # The second frame covers one corner only, and the ground is transparent.
    first = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    first.paste((255, 0, 0, 255), (0, 0, 4, 8))
    second = first.copy()
    second.paste((0, 0, 255, 255), (0, 0, 2, 2))
    third = first.copy()
    third.paste((0, 255, 0, 255), (0, 6, 2, 8))
    first.save(
        tmp_path / "a.gif", save_all=True, append_images=[second, third], duration=[200, 0, 400],
        disposal=2,
    )  # fmt: skip
    clip = open_clip(tmp_path / "a.gif")
    assert clip.info.durations == (0.2, 0.1, 0.4)
    assert clip.notes == ("transparent parts are shown on white",)
    frames = list(clip.read(range(3)))
    assert [f[0, 0].tolist() for f in frames] == [[255, 0, 0], [0, 0, 255], [255, 0, 0]]
    assert all(
        f[0, 7].tolist() == [255, 255, 255] and f[4, 2].tolist() == [255, 0, 0] for f in frames
    )


def test_avif_animation_and_apng_with_a_default_image(tmp_path: Path) -> None:
    images = [Image.fromarray(frame) for frame in FRAMES[:3]]
    images[0].save(tmp_path / "a.avif", save_all=True, append_images=images[1:], duration=100)
    clip = open_clip(tmp_path / "a.avif")
    assert (clip.info.frames, clip.info.fps, clip.info.kind) == (3, 10, "animation")
    images[0].save(
        tmp_path / "b.png", save_all=True, append_images=images[1:], duration=50,
        default_image=True,
    )  # fmt: skip
    clip = open_clip(tmp_path / "b.png")
    assert (clip.info.frames, clip.info.fps) == (2, 20)
    assert np.array_equal(next(clip.read([0])), FRAMES[1])


def test_a_single_frame_video_is_a_clip_of_one(make_video: Make) -> None:
    clip = open_clip(make_video("a.mp4", count=1))
    assert (clip.info.frames, clip.info.fps) == (1, 10)
    assert len(list(clip.read([0]))) == 1


def test_a_single_picture_is_no_clip(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.gif", "a.webp"):
        Image.fromarray(FRAMES[0]).save(tmp_path / name)
        assert not is_clip_source(tmp_path / name)
        with pytest.raises(InputError, match="single picture") as caught:
            open_clip(tmp_path / name)
        assert "folder of frames" in caught.value.hint


def test_what_is_no_clip_is_said_in_one_sentence(
    tmp_path: Path, run_ffmpeg: Make, make_video: Make
) -> None:
    run_ffmpeg("sound.m4a", "-f", "lavfi", "-i", "sine=d=0.2")
    Image.fromarray(FRAMES[0]).save(tmp_path / "cover.png")
    run_ffmpeg(
        "cover.m4a", "-i", tmp_path / "sound.m4a", "-i", tmp_path / "cover.png", "-map", "0",
        *("-map", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic"),
    )  # fmt: skip
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "letter.txt").write_text("Dear reader,\n" * 100)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    whole = make_video("whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end
    (tmp_path / "nothing").mkdir()
    said = {
        "sound.m4a": "no video in it",
        "cover.m4a": "no video in it",
        "empty.mp4": "empty",
        "letter.txt": "not a video",
        "noise.mp4": "neither a video",
        "cut.mp4": "incomplete",
        "nothing": "no pictures",
        "missing.mp4": "does not exist",
    }
    for name, words in said.items():
        with pytest.raises(InputError, match=words) as caught:
            open_clip(tmp_path / name)
        assert name in caught.value.message


def test_a_cut_video_gives_what_can_be_decoded_and_says_so(
    tmp_path: Path, make_video: Make
) -> None:
    whole = make_video("whole.mp4", "-pix_fmt", "yuv420p", "-movflags", "+faststart", count=30)
    data = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 3 // 4])
    clip = open_clip(cut)
    assert 1 <= clip.info.frames < 30
    assert "damaged" in clip.notes[-1]
    assert len(list(clip.read(range(clip.info.frames)))) == clip.info.frames


def test_a_clip_that_changed_under_our_hands_is_an_input_error(
    tmp_path: Path, make_video: Make
) -> None:
    clip = open_clip(make_video("a.mp4", count=8))
    make_video("a.mp4", count=4)
    with pytest.raises(InputError, match="ends before frame"):
        list(clip.read(range(8)))


def test_awkward_names_are_files_all_the_same(tmp_path: Path, make_video: Make) -> None:
    data = make_video("a.mp4", count=2).read_bytes()
    for name in ("-i.mp4", "a:b %03d [x]*.mp4", "ümläut 'q\".mp4"):
        (tmp_path / name).write_bytes(data)
        assert open_clip(tmp_path / name).info.frames == 2


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.apng", "a.webp", "shots"])
def test_a_failing_source_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield FRAMES[0]
        yield FRAMES[1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(tmp_path / name, failing(), Fraction(10))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    rate = Fraction(10)
    with pytest.raises(UsageError, match="which clip format") as caught:
        check_clip_target(tmp_path / "a.xyz")
    assert ".mp4" in caught.value.hint
    with pytest.raises(UsageError, match="at least one frame"):
        write_clip(target, [], rate)
    with pytest.raises(UsageError, match="Frame 2 is 64×47"):
        write_clip(target, [FRAMES[0], FRAMES[1][1:]], rate)
    with pytest.raises(UsageError, match="per second"):
        write_clip(target, FRAMES, Fraction(0))
    for suffix in (".mp4", ".gif"):
        for wrong in ([0.1] * 4, [0.1] * 6):
            with pytest.raises(UsageError, match=f"5 frames, but {len(wrong)} durations"):
                write_clip(target.with_suffix(suffix), FRAMES, rate, durations=wrong)
    with pytest.raises(UsageError, match="above 0"):
        write_clip(target, FRAMES, rate, durations=[0.0] * 5)
    with pytest.raises(OutputError, match=r"a\.webm: WebM cannot hold"):
        write_clip(tmp_path / "a.webm", [np.zeros((1, 9, 3), np.uint8)], rate)
    with pytest.raises(OutputError, match="too large"):
        write_clip(tmp_path / "a.webp", [np.zeros((1, 16384, 3), np.uint8)], rate)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_target_is_kept_without_force(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        write_clip(target, FRAMES, Fraction(10))
    assert target.read_bytes() == b"mine"
    write_clip(target, FRAMES, Fraction(10), force=True)
    assert open_clip(target).info.frames == 5
    write_clip(tmp_path / "shots", FRAMES[:1], Fraction(10))
    with pytest.raises(OutputExistsError):
        write_clip(tmp_path / "shots", FRAMES[1:2], Fraction(10))
    assert np.array_equal(read_picture(tmp_path / "shots/0001.png").pixels, FRAMES[0])


def test_the_reason_of_ffmpeg_is_passed_on(tmp_path: Path) -> None:
    # x264 takes at most 16384 pixels a side; ffmpeg gives up while frames still arrive.
    wide = np.zeros((2, 17000, 3), np.uint8)
    with pytest.raises(OutputError, match=r"ffmpeg cannot write .*wide\.mp4: \w+"):
        write_clip(tmp_path / "wide.mp4", (wide for _ in range(40)), Fraction(10))
    assert list(tmp_path.iterdir()) == []


def test_early_frames_of_a_long_clip_come_quickly(make_video: Make) -> None:
    clip = open_clip(make_video("a.mp4", size="320x240", count=900))
    started = time.perf_counter()
    list(clip.read([0, 1]))
    early = time.perf_counter() - started
    started = time.perf_counter()
    list(clip.read([0, 899]))
    assert early < time.perf_counter() - started
