"""`iic mononize`, and the forms in which `iic restore` gives a pair back."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier
from iiccli.media.clip import open_clip, write_clip
from iiccli.media.stereo_writing import combined, write_mpo
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, nothing_new
from tests.conftest import Pixels, psnr
from tests.tasks.pairs import put_pair_models, views
from tests.transform_tables import Group

LEFT, RIGHT = views()


@pytest.fixture(scope="module")
def models(training_groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_pair_models(tmp_path_factory.mktemp("pair-models"), training_groups)


@pytest.fixture(autouse=True)
def desk_with_pairs(desk: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)
    Image.fromarray(LEFT).save("l.png")
    Image.fromarray(RIGHT).save("r.png")


def opened(path: str | Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def test_two_files_there_and_back(iic: Iic) -> None:
    done = iic("mononize", "l.png", "r.png", "-o", "c.png")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("c.png holds a stereo pair, made by mono.v1; ")
    assert psnr(opened("c.png"), LEFT) > 40
    assert iic("restore", "c.png", "-o", "back/").code == 0
    assert {path.name for path in Path("back").iterdir()} == {"left.png", "right.png"}
    assert psnr(opened("back/right.png"), RIGHT) > 28
    assert "a stereo pair" in iic("inspect", "c.png").out


@pytest.mark.parametrize(
    ("form", "name", "size"),
    [
        ("pair", "left.png", (96, 64)),
        ("sbs", "sbs.png", (192, 64)),
        ("sbs-cross", "sbs-cross.png", (192, 64)),
        ("over-under", "over-under.png", (96, 128)),
        ("anaglyph", "anaglyph.png", (96, 64)),
        ("mpo", "mpo.mpo", (96, 64)),
        ("wiggle", "wiggle.gif", (92, 64)),
    ],
)
def test_every_form(form: str, name: str, size: tuple[int, int], iic: Iic) -> None:
    assert iic("mononize", "l.png", "r.png", "-o", "c.png").code == 0
    assert iic("restore", "c.png", "-o", "out/", "--as", form).code == 0
    with Image.open(f"out/{name}") as image:
        assert image.size == size
        assert getattr(image, "n_frames", 1) == (2 if form in ("mpo", "wiggle") else 1)


def test_a_suffix_asks_for_a_form(iic: Iic) -> None:
    assert iic("mononize", "l.png", "r.png", "-o", "c.png").code == 0
    for name, kind in (("x.mpo", "MPO"), ("x.gif", "GIF")):
        assert iic("restore", "c.png", "-o", name).code == 0
        with Image.open(name) as image:
            assert (image.format, image.n_frames) == (kind, 2)
    assert iic("restore", "c.png", "-o", "x.jpg", "--as", "sbs").code == 0
    assert iic("restore", "c.png", "-o", "right.png", "--only", "right").code == 0
    before = set(Path.cwd().rglob("*"))
    iic("restore", "c.png", "-o", "x.png").fails(2, "left, right", "--as")
    iic("restore", "c.png", "-o", "y.gif", "--as", "mpo").fails(2, ".mpo")
    iic("restore", "c.png", "-o", "y.png", "--as", "hologram").fails(2, "anaglyph")
    nothing_new(Path.cwd(), before)


def test_one_file_of_every_layout(iic: Iic) -> None:
    write_mpo(Path("x.mpo"), LEFT, RIGHT)
    assert iic("mononize", "x.mpo").code == 0
    assert psnr(opened("x.mono.png"), LEFT) > 33
    for layout in ("sbs", "sbs-cross", "over-under"):
        Image.fromarray(combined(LEFT, RIGHT, layout)).save("both.png")
        done = iic("mononize", "both.png", "--layout", layout, "-o", f"{layout}.png")
        assert (done.code, done.err) == (0, "")
        assert psnr(opened(f"{layout}.png"), LEFT) > 40
    assert iic("mononize", "both.png", "--layout", "over-under", "--swap", "-o", "s.png").code == 0
    assert psnr(opened("s.png"), RIGHT) > 40


def test_in_doubt_the_layout_is_asked_for(iic: Iic) -> None:
    before = set(Path.cwd().rglob("*"))
    iic("mononize", "l.png", "-o", "c.png").fails(2, "l.png", "--layout")
    iic("mononize", "l.png", "-o", "c.png", "--layout", "mpo").fails(3, "two pictures")
    iic("mononize", "l.png", "none.png").fails(3, "none.png")
    iic("mononize", "l.png", "r.png", "-o", "l.png", "--force").fails(2, "l.png")
    iic("mononize", "l.png", "r.png", "--start", "1").fails(2, "clips")
    nothing_new(Path.cwd(), before)


def test_files_that_are_called_like_pictures_are_no_clips(iic: Iic) -> None:
    Path("text.png").write_text("not a picture")
    iic("mononize", "l.png", "text.png").fails(3, "text.png")


def test_several_files_of_both_views(iic: Iic) -> None:
    Path("in").mkdir()
    write_mpo(Path("in/a.mpo"), LEFT, RIGHT)
    write_mpo(Path("in/b.mpo"), RIGHT, LEFT)
    assert "2 done" in iic("mononize", "in/a.mpo", "in/b.mpo", "-o", "one/").out
    assert "2 done" in iic("mononize", "in", "-o", "two/").out
    assert psnr(opened("two/b.png"), RIGHT) > 33
    assert "2 skipped" in iic("mononize", "in", "-o", "two/").out
    Path("in/c.mpo").write_bytes(Path("in/a.mpo").read_bytes()[:2000])
    done = iic("mononize", "in", "-o", "two/")
    assert "2 skipped, 1 failed" in done.out
    assert done.code == 3
    assert "c.mpo" in done.err


def test_two_folders_go_together(iic: Iic) -> None:
    for name, pixels in (("L", LEFT), ("R", RIGHT)):
        Path(name).mkdir()
        for number in (1, 2):
            Image.fromarray(pixels).save(f"{name}/{number}.png")
    assert "2 done" in iic("mononize", "L", "R", "-o", "c/").out
    assert {path.name for path in Path("c").iterdir()} == {"1.png", "2.png"}
    assert read_carrier(Path("c/2.png")).header.parts == 1
    Image.fromarray(RIGHT[:60]).save("R/2.png")
    iic("mononize", "L", "R", "-o", "d/", "-q")
    assert {path.name for path in Path("d").iterdir()} == {"1.png"}
    Path("R/2.png").unlink()
    iic("mononize", "L", "R", "-o", "e/").fails(3, "2 pictures", "1")


@pytest.fixture
def clip_of_both() -> Path:
    pairs = [combined(np.roll(LEFT, t, 1), np.roll(RIGHT, t, 1), "over-under") for t in range(3)]
    write_clip("both.gif", pairs, Fraction(5), durations=[0.1, 0.2, 0.4])
    return Path("both.gif")


def test_a_clip_there_and_back(clip_of_both: Path, iic: Iic) -> None:
    done = iic("mononize", clip_of_both, "--layout", "over-under", "-o", "c/", "--json")
    assert done.json["covers"] == 3
    assert iic("restore", "c", "-o", "sbs.gif", "--as", "sbs").code == 0
    info = open_clip("sbs.gif").info
    assert (info.size, info.frames, info.durations) == ((192, 64), 3, (0.1, 0.2, 0.4))
    assert iic("restore", "c", "-o", "right.webp", "--only", "right").code == 0
    assert open_clip("right.webp").info.frames == 3
    assert iic("restore", "c", "-o", "tracks/").code == 0
    assert len(list(Path("tracks/left").iterdir())) == 3
    assert iic("restore", "c/0002.png", "-o", "one.mpo").code == 0
    iic("restore", "c", "-o", "x.mp4").fails(2, "left, right", "--as")
    iic("restore", "c", "-o", "x.gif", "--as", "wiggle").fails(2, "form")


def test_folders_of_frames_are_a_clip_if_said(iic: Iic) -> None:
    for name, pixels in (("L", LEFT), ("R", RIGHT)):
        write_clip(name, [pixels, pixels], Fraction(25))
    assert iic("mononize", "L", "R", "--clip").code == 0
    header = read_carrier(Path("L.mono/0002.png")).header
    assert (header.part, header.parts, header.fps) == (1, 2, 25)
    before = set(Path.cwd().rglob("*"))
    iic("mononize", "L", "R", "--clip").fails(7, "L.mono")
    iic("mononize", "L", "R", "--clip", "-o", "x.png").fails(2, "names one file")
    iic("mononize", "L", "R", "L", "--clip").fails(2, "too many")
    iic("mononize", "L", "R", "--clip", "--preview", "p.png").fails(2, "--preview")
    write_clip("short.mp4", [LEFT], Fraction(25))
    iic("mononize", "short.mp4", "r.png").fails(2, "r.png is no clip")
    nothing_new(Path.cwd(), before | {Path.cwd() / "short.mp4"})


def test_a_preview(iic: Iic) -> None:
    done = iic(
        "mononize", "l.png", "r.png", "-o", "c.png", "--preview", "sheet.png", "--json", "-q"
    )
    assert done.json["psnr"]["restored"]["right"] > 28
    assert Image.open("sheet.png").width > 300
