"""`iic gray` and `iic rescale`, and what all verbs for still pictures share."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from iiccli.__main__ import main
from iiccli.carrier import read_carrier
from iiccli.cli import streams
from iiccli.errors import UsageError
from iiccli.tasks import gray as gray_task
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, Outcome
from tests.cli.test_process import environment
from tests.conftest import Pixels, psnr, texture
from tests.fast_models import save_fast_models

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def fast_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_fast_models(tmp_path_factory.mktemp("fast"))


@pytest.fixture(autouse=True)
def with_fast_models(desk: Path, fast_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "folders", lambda: iter([fast_models]))
    monkeypatch.setenv(catalogue.FOLDER_VARIABLE, str(fast_models))


def colours(height: int, width: int, seed: int = 0) -> Pixels:
    values = (texture(height, width, seed).permute(1, 2, 0).numpy() * 255).round()
    return np.ascontiguousarray(values.astype(np.uint8))


def photo(name: str, height: int = 60, width: int = 80, seed: int = 0, **options: Any) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours(height, width, seed)).save(path, **options)
    return path


def back_of(iic: Iic, carrier: str) -> Image.Image:
    assert iic("restore", carrier, "-o", "back.png", "--force").code == 0
    return Image.open("back.png")


def test_a_gray_picture_that_holds_its_colours(iic: Iic) -> None:
    photo("photo.png")
    done = iic("gray", "photo.png")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("photo.gray.png holds a colour picture, made by gray.v1; the carr")
    found = Image.open("photo.gray.png")
    assert (found.mode, found.size) == ("L", (80, 60))
    luma = np.rint(colours(60, 80) @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    assert psnr(np.asarray(found), luma) > 40
    assert read_carrier(Path("photo.gray.png")).header.task == "gray"
    assert psnr(np.asarray(back_of(iic, "photo.gray.png")), colours(60, 80)) > 25


@pytest.mark.parametrize("size", [(60, 80), (61, 83), (1, 1), (2, 90), (33, 3)])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_small_picture_that_holds_a_large_one(
    iic: Iic, size: tuple[int, int], scale: int
) -> None:
    height, width = size
    photo("photo.png", height, width)
    facts = iic("rescale", "photo.png", "--scale", scale, "-o", "small.png", "--json").json
    small = [-(-width // scale), -(-height // scale)]
    assert facts["size"] == small
    assert facts["model"] == f"rescale-{scale}.v1"
    assert (facts["status"], facts["quality"]) == ("done", "balanced")
    assert facts["psnr"]["cover"] is None or facts["psnr"]["cover"] > 12
    assert Image.open("small.png").size == tuple(small)
    back = back_of(iic, "small.png")
    assert back.size == (width, height)


def test_the_size_survives_lost_metadata(iic: Iic) -> None:
    photo("photo.png", 181, 243)
    for scale in (2, 4):
        iic("rescale", "photo.png", "--scale", scale, "-o", "small.png", "--force")
        Image.open("small.png").convert("RGB").save("stripped.png")
        assert back_of(iic, "stripped.png").size == (243, 181)


def test_which_scale(iic: Iic) -> None:
    photo("photo.png")
    assert iic("rescale", "photo.png", "-o", "a.png", "--json").json["model"] == "rescale-2.v1"
    named = iic("rescale", "photo.png", "-o", "b.png", "--model", "rescale-4", "--json")
    assert named.json["size"] == [20, 15]
    iic("rescale", "photo.png", "-o", "c.png", "--scale", 3).fails(6, "No model for rescale")
    both = iic("rescale", "photo.png", "-o", "c.png", "--scale", 2, "--model", "rescale-4")
    both.fails(6, "rescale-4.v1 makes carriers 4 times smaller, not 2 times")
    iic("gray", "photo.png", "--model", "rescale-2").fails(6, "is for rescale, not for gray")


def test_profile_and_metadata_go_along(iic: Iic) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a house"
    photo("photo.jpg", exif=exif, icc_profile=SRGB)
    for verb, in_carrier in (("gray", None), ("rescale", SRGB)):
        iic(verb, "photo.jpg", "-o", f"{verb}.png")
        found = Image.open(f"{verb}.png")
        # A gray PNG must not have a profile for RGB.
        assert found.info.get("icc_profile") == in_carrier
        back = back_of(iic, f"{verb}.png")
        assert back.size == (60, 80)  # upright
        assert back.info["icc_profile"] == SRGB
        assert back.getexif()[0x010E] == "a house"
        assert back.getexif()[0x0112] == 1


def test_a_profile_in_a_header_is_not_trusted(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    photo("photo.png", icc_profile=SRGB)
    for text in ("!!!", "AAAA", "", 7, None, ["x"]):
        restored = SimpleNamespace(pictures=[colours(4, 4)])
        header = SimpleNamespace(extra={"icc": text})
        (output,) = gray_task.outputs(header, restored)  # type: ignore[arg-type]
        assert output.icc is None


def test_a_profile_too_large_for_the_header(iic: Iic) -> None:
    photo("photo.png", icc_profile=SRGB + bytes(50_000))
    done = iic("gray", "photo.png")
    assert "note: photo.png: its colour profile is too large to go along" in done.err
    assert done.code == 0


def test_alpha_goes_along_and_comes_back(iic: Iic) -> None:
    alpha = np.linspace(0, 255, 60 * 80).astype(np.uint8).reshape(60, 80)
    image = Image.fromarray(colours(60, 80))
    image.putalpha(Image.fromarray(alpha))
    image.save("clear.png")
    assert iic("gray", "clear.png").err == ""
    made = Image.open("clear.gray.png")
    assert made.mode == "LA"
    assert (np.asarray(made.getchannel("A")) == alpha).all()
    assert iic("gray", "clear.png").out.startswith("clear.gray.png: there already")
    assert iic("restore", "clear.gray.png", "-o", "back.png").code == 0
    back = np.asarray(Image.open("back.png"))
    assert (back[..., 3] == alpha).all()
    assert np.abs(back[..., :3].astype(int) - colours(60, 80)).mean() < 8  # where it is clear, too
    iic("restore", "clear.gray.png", "-o", "b.jpg").fails(2, "b.jpg cannot hold transparency")
    made.getchannel("L").save("flat.png")
    assert iic("restore", "flat.png", "-o", "flat-back.png").code == 0
    assert Image.open("flat-back.png").mode == "RGB"


def located(name: str) -> None:
    """A photo that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "a hill"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 1.0, 2.0), 3: "E", 4: (11.0, 3.0, 4.0)})
    Image.fromarray(colours(60, 80)).save(name, exif=exif.tobytes(), icc_profile=SRGB)


def test_the_place_goes_along_and_is_said_or_stripped(iic: Iic) -> None:
    located("one.jpg")
    located("two.jpg")
    done = iic("gray", "one.jpg", "two.jpg", "-o", "out/")
    assert done.err.count("the camera's place (GPS) goes along; --strip leaves it out.") == 1
    assert Image.open("out/one.png").getexif().get_ifd(0x8825)
    iic("restore", "out/one.png", "-o", "back.jpg")
    iic("restore", "out/one.png", "-o", "less.jpg", "--strip")
    assert Image.open("back.jpg").getexif().get_ifd(0x8825)[1] == "N"
    less = Image.open("less.jpg")
    assert not len(less.getexif())
    assert less.info["icc_profile"]
    again = iic("gray", "one.jpg", "-o", "out/", "--strip")
    again.fails(7, "out/one.png exists already")  # it has the place: not what was asked for
    assert iic("gray", "one.jpg", "-o", "out/", "--strip", "--force").err == ""
    assert not len(Image.open("out/one.png").getexif())
    assert iic("gray", "one.jpg", "-o", "out/", "--strip").out.startswith("out/one.png: there alr")


def test_more_pixels_than_allowed(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    photo("photo.png")
    iic("gray", "photo.png", "--max-pixels", "99").fails(3, "at most 99 are read", "--max-pixels")
    assert "IIC_MAX_PIXELS" not in os.environ
    monkeypatch.setenv("IIC_MAX_PIXELS", "99")
    iic("gray", "photo.png").fails(3, "at most 99 are read")
    assert iic("gray", "photo.png", "--max-pixels", "100000").code == 0
    assert os.environ["IIC_MAX_PIXELS"] == "99"
    iic("inspect", "photo.gray.png").fails(3, "at most 99 are read")


def test_a_folder_in_its_tree(iic: Iic) -> None:
    for seed, name in enumerate(("a.png", "trip/b.jpg", "trip/deep/c.webp")):
        photo(f"photos/{name}", seed=seed)
    done = iic("gray", "photos", "-o", "out", "-r")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "3 inputs: 3 done."
    made = sorted(p.relative_to("out").as_posix() for p in Path("out").rglob("*.png"))
    assert made == ["a.png", "trip/b.png", "trip/deep/c.png"]
    again = iic("gray", "photos", "-o", "out", "--recursive")
    assert (again.code, again.out) == (0, "3 inputs: 0 done, 3 skipped.\n")


def test_going_on_after_a_bad_file(iic: Iic) -> None:
    photo("a.png", seed=1)
    photo("b.png", seed=2)
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:-500])
    Path("text.jpg").write_text("hello")
    iic("gray", "a.png", "-o", "out/")
    done = iic("gray", "a.png", "cut.png", "text.jpg", "missing.png", "b.png", "-o", "out/")
    assert done.code == 3
    assert done.out.splitlines()[-1] == "5 inputs: 1 done, 1 skipped, 3 failed."
    assert [line[:5] for line in done.err.splitlines()] == ["iic: "] * 3
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.png", "b.png"]


def test_failures_of_several_kinds(iic: Iic) -> None:
    photo("a.png", seed=1)
    photo("b.png", seed=2)
    photo("out/a.png", seed=3)
    done = iic("gray", "a.png", "missing.png", "b.png", "-o", "out/")
    assert done.code == 1
    assert "out/a.png exists already" in done.err
    assert Image.open("out/a.png").mode == "RGB"


def test_json_has_an_object_for_each(iic: Iic) -> None:
    photo("a.png", seed=1)
    photo("b.png", seed=2)
    iic("gray", "a.png", "-o", "out/")
    done = iic("gray", "a.png", "missing.png", "b.png", "-o", "out/", "--json")
    skipped, failed, made = (json.loads(line) for line in done.out.splitlines())
    assert skipped == {"input": "a.png", "output": "out/a.png", "status": "skipped"}
    assert (failed["status"], failed["exit_code"]) == ("failed", 3)
    assert failed["error"] == "missing.png does not exist."
    assert (made["status"], made["output"]) == ("done", "out/b.png")
    assert done.err.splitlines()[-1] == "3 inputs: 1 done, 1 skipped, 1 failed."


def test_another_model_or_quality_is_no_skip(iic: Iic, fast_models: Path) -> None:
    photo("a.png")
    Path("own").mkdir()
    other = save_fast_models(Path("own")) / "gray.v1.safetensors"
    other.write_bytes((fast_models / "gray.v1.safetensors").read_bytes())
    iic("gray", "a.png")
    iic("gray", "a.png", "--model", other).out.startswith("a.gray.png: there already")
    path = Path("own/rescale-2.v1.safetensors")
    iic("rescale", "a.png", "-o", "out/", "--model", path)
    iic("rescale", "a.png", "-o", "out/", "--model", "rescale-4").fails(7, "exists already")
    assert iic("rescale", "a.png", "-o", "out/", "--scale", 4, "--force").code == 0


def test_a_named_target_is_never_passed_over(iic: Iic) -> None:
    photo("a.png")
    assert iic("gray", "a.png", "-o", "b.png").code == 0
    iic("gray", "a.png", "-o", "b.png").fails(7, "b.png exists already", "--force")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a.png", "b.png", "-o", "c.png"], 2, "c.png is one file; what comes of several"),
        (["a.png", "a.jpg", "-o", "out/"], 2, "a.png and a.jpg would both become out/a.png"),
        (
            ["a.png", "-o", "./a.png", "--force"],
            2,
            "would overwrite a.png, which is one of the inputs",
        ),
        (["a.png", "-o", "c.jpg"], 8, "c.jpg would be lossy"),
        (["empty"], 3, "The folder empty holds no pictures"),
        (["a.png", "b.png", "-o", "out", "--preview", "s.png"], 2, "--preview shows one carrier"),
        (["a.png", "--preview", "a.png", "--force"], 2, "would overwrite a.png"),
        (["a.png", "-", "-o", "-"], 2, "standard output takes one picture"),
        (["-", "-", "-o", "out/"], 2, "given twice"),
        (["a.png", "-o", "-", "--json"], 2, "both go to standard output"),
        (["a.png", "--model", "none"], 6, "no model 'none'"),
    ],
)
def test_refused_before_anything_is_made(
    iic: Iic, desk: Path, words: list[str], code: int, said: str
) -> None:
    photo("a.png", seed=1)
    photo("a.jpg", seed=1)
    photo("b.png", seed=2)
    Path("empty").mkdir()
    before = set(desk.rglob("*"))
    iic("gray", *words).fails(code, said)
    assert set(desk.rglob("*")) == before


def test_the_preview_shows_what_comes_back(iic: Iic) -> None:
    photo("a.png")
    done = iic("gray", "a.png", "--preview", "sheet.png", "--json")
    assert done.json["psnr"]["restored"]["colour"] > 25
    assert done.json["ssim"]["restored"]["colour"] > 0.7
    assert Image.open("sheet.png").width > 3 * 80
    assert ", restored: " in iic("gray", "a.png", "--preview", "s.png", "--force").out


def test_quiet_says_no_notes(iic: Iic) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint16)).save("deep.png")
    assert "16 bits" in iic("gray", "deep.png").err
    assert iic("gray", "deep.png", "--force", "--quiet").err == ""


class Pipe(io.TextIOWrapper):
    """stdin or stdout, as a terminal or not."""

    def __init__(self, data: bytes = b"", *, tty: bool = False) -> None:
        super().__init__(io.BytesIO(data))
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def piped(iic: Iic, monkeypatch: pytest.MonkeyPatch, data: bytes, *words: object) -> Outcome:
    monkeypatch.setattr(sys, "stdin", Pipe(data))
    return iic(*words)


def through(monkeypatch: pytest.MonkeyPatch, data: bytes, *words: str) -> tuple[int, bytes, str]:
    """Run with pipes at all ends, in this process: exit code, stdout and stderr."""
    out, err = Pipe(), io.StringIO()
    with monkeypatch.context() as m:
        m.setattr(sys, "stdin", Pipe(data))
        m.setattr(sys, "stdout", out)
        m.setattr(sys, "stderr", err)
        m.setattr(sys, "argv", ["iic", *words])
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    out.flush()
    return code, out.buffer.getvalue(), err.getvalue()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("iic")
def test_through_pipes(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photo("a.png").read_bytes()
    code, carrier, err = through(monkeypatch, data, "gray", "-")
    assert (code, err[:21]) == (0, "standard output holds")
    assert Image.open(io.BytesIO(carrier)).mode == "L"
    assert through(monkeypatch, b"", "gray", "a.png", "-o", "-", "-q") == (0, carrier, "")
    code, back, err = through(monkeypatch, carrier, "restore", "-", "-q")
    assert (code, err) == (0, "")
    assert Image.open(io.BytesIO(back)).size == (80, 60)
    code, said, err = through(monkeypatch, carrier, "restore", "-", "-o", "b.png")
    assert (code, said, err) == (0, b"b.png: 1 picture restored.\n", "")
    code, said, err = through(monkeypatch, data, "restore", "-")
    assert (code, said) == (4, b"")
    assert err.startswith("iic: standard input is not a carrier")
    assert sorted(p.name for p in desk.iterdir()) == ["a.png", "b.png"]


@pytest.mark.slow
def test_through_real_pipes(desk: Path, fast_models: Path) -> None:
    data = photo("a.png").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "iiccli", "gray", "-"],
        input=data,
        capture_output=True,
        timeout=120,
        check=True,
        env=environment(fast_models),
    )
    assert Image.open(io.BytesIO(done.stdout)).mode == "L"
    assert done.stderr.startswith(b"standard output holds a colour picture")


def test_stdin_into_a_folder(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photo("a.png").read_bytes()
    facts = piped(iic, monkeypatch, data, "gray", "-", "-o", "out/", "--json").json
    assert (facts["input"], facts["output"]) == ("standard input", "out/stdin.png")
    piped(iic, monkeypatch, b"", "gray", "-", "-o", "b.png").fails(
        3, "Nothing came from standard input"
    )
    piped(iic, monkeypatch, data[:900], "gray", "-", "-o", "b.png").fails(
        3, "standard input is damaged"
    )


def test_no_picture_for_a_terminal(iic: Iic, monkeypatch: pytest.MonkeyPatch) -> None:
    photo("a.png")
    monkeypatch.setattr(sys, "stdin", Pipe(tty=True))
    iic("gray", "-", "-o", "b.png").fails(2, "but that is the terminal")
    monkeypatch.setattr(sys, "stdout", Pipe(tty=True))
    with (
        pytest.raises(UsageError, match="not written to a terminal"),
        streams.streams(["a.png"], "-"),
    ):
        pass


@pytest.mark.slow
def test_interrupted_it_leaves_whole_files(desk: Path, fast_models: Path) -> None:
    first = photo("photos/0.png", 200, 300)
    for number in range(1, 40):
        shutil.copy(first, f"photos/{number}.png")
    child = subprocess.Popen(
        [sys.executable, "-m", "iiccli", "gray", "photos", "-o", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(fast_models),
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    made = sorted(Path("out").iterdir())
    assert 0 < len(made) < 40
    assert all(read_carrier(path).state == "whole" for path in made)
