"""`iic restore` on carriers of every conversion: names, targets, several, folders."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import load_model, save_model
from tests.cli.conftest import Iic
from tests.conftest import moving_clip, psnr
from tests.fast_models import save_fast_models
from tests.tasks.stills import disc, put_still_models


@pytest.fixture(scope="session")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = put_still_models(
        save_fast_models(tmp_path_factory.mktemp("still-models")), tiny_models
    )
    card, state = load_model(tiny_models / "video-3.v1.safetensors")
    save_model(folder / "mono.v1.safetensors", replace(card, name="mono.v1", task="mono"), state)
    shutil.copy(tiny_models / "video-3.v1.safetensors", folder)
    return folder


@pytest.fixture(scope="session")
def made(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """carriers/: a, b (gray), pair, one and sub/two (hidden), sub/layers, small, clip."""
    folder = tmp_path_factory.mktemp("made")
    sources = []
    for i, pixels in enumerate(moving_clip(96, 128, 3, (1, 0), seed=2)):
        sources.append(folder / f"source{i}.png")
        Image.fromarray(pixels).save(sources[-1])
    cut = Image.fromarray(moving_clip(96, 128, 1, seed=5)[0])
    cut.putalpha(Image.fromarray(disc(96, 128)))
    cut.save(folder / "cut.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "folders", lambda: iter([models]))
        carriers = folder / "carriers"
        first, second, third = sources
        iiccli.gray(first, carriers / "a.png")
        iiccli.gray(Path(folder / "cut.png"), carriers / "b.png")
        iiccli.rescale(first, carriers / "small.png")
        iiccli.mononize(first, second, carriers / "pair.png")
        iiccli.hide(first, second, carriers / "one.png")
        iiccli.hide(first, [second, third], carriers / "sub/two.png")
        iiccli.compose(folder / "cut.png", first, carriers / "sub/layers.png")
    return folder


@pytest.fixture(autouse=True)
def carriers(desk: Path, made: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to work with."""
    monkeypatch.setattr(catalogue, "folders", lambda: iter([models]))
    shutil.copytree(made / "carriers", "carriers")
    return Path("carriers")


def tree(folder: str) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("a.png", ["colour.png"], "1 picture"),
        ("small.png", ["full.png"], "1 picture"),
        ("pair.png", ["left.png", "right.png"], "left and right"),
        ("one.png", ["cover.png", "secret-1.png"], "secret-1 and cover"),
        (
            "sub/two.png",
            ["cover.png", "secret-1.png", "secret-2.png"],
            "secret-1, secret-2 and cover",
        ),
        ("sub/layers.png", ["background.png", "foreground.png"], "background and foreground"),
    ],
)
def test_a_folder_gets_a_file_for_each(iic: Iic, name: str, files: list[str], said: str) -> None:
    done = iic("restore", f"carriers/{name}", "-o", "back")
    assert (done.code, done.out, done.err) == (0, f"back: {said} restored.\n", "")
    assert tree("back") == files


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.png", "a.restored.png"),
        ("one.png", "one.restored/"),
        ("small.png", "small.restored.png"),
    ],
)
def test_without_a_target_it_lies_beside(iic: Iic, name: str, target: str) -> None:
    done = iic("restore", f"carriers/{name}")
    assert done.out.startswith(f"carriers/{target}: ")
    assert Path("carriers", target).exists()
    again = iic("restore", f"carriers/{name}")
    assert again.out == f"carriers/{target}: there already; --force makes it anew.\n"
    assert iic("restore", f"carriers/{name}", "--force").out == done.out


def test_one_picture_as_a_file(iic: Iic, made: Path) -> None:
    original = np.asarray(Image.open(made / "source1.png"))
    for name in ("secret.png", "secret.webp", "secret.tif", "secret.jpg"):
        # Of a secret and the cover, the secret is meant.
        assert iic("restore", "carriers/one.png", "-o", name).code == 0
        assert psnr(np.asarray(Image.open(name).convert("RGB")), original) > 24
    facts = iic("restore", "carriers/one.png", "-o", "c.png", "--only", "cover", "--json").json
    assert (facts["names"], facts["pictures"], facts["task"]) == (["cover"], 1, "hide")


def test_alpha_is_kept_where_it_can_be(iic: Iic) -> None:
    iic("restore", "carriers/sub/layers.png", "-o", "cut.png", "--only", "foreground")
    assert Image.open("cut.png").mode == "RGBA"
    iic("restore", "carriers/sub/layers.png", "-o", "layers/")
    assert Image.open("layers/foreground.png").mode == "RGBA"
    assert Image.open("layers/background.png").mode == "RGB"
    jpeg = iic("restore", "carriers/sub/layers.png", "-o", "cut.jpg", "--only", "foreground")
    jpeg.fails(2, "cannot hold transparency")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["carriers/pair.png", "-o", "x.png"], 2, "--only: left, right"),
        (["carriers/sub/two.png", "-o", "x.png"], 2, "--only: secret-1, secret-2, cover"),
        (["carriers/a.png", "-o", "x.mp4"], 2, "names a clip, but what comes back is a colour"),
        (["carriers/a.png", "-o", "x.gif"], 2, "names a clip"),
        (["carriers/a.png", "-o", "x/", "--only", "left"], 2, "holds a colour picture, and no 'l"),
        (["carriers/a.png", "-o", "x/", "--as", "sbs"], 2, "does not come as 'sbs'"),
        (["carriers/pair.png", "-o", "x/", "--as", "3d"], 2, "Choose one of: pair, sbs"),
        (
            ["carriers/pair.png", "-o", "x/", "--as", "sbs", "--only", "left"],
            2,
            "--only and --as do not go together",
        ),
        (["carriers/a.png", "-o", "carriers/a.png", "--force"], 2, "would overwrite the carrier"),
        (["carriers", "-o", "x.png"], 2, "does not belong to the same clip"),
        (["carriers", "-o", "x", "--preview", "s.png"], 2, "--preview shows one carrier"),
        (["carriers/missing.png"], 3, "does not exist"),
        (["carriers/one.png", "-o", "-", "--json"], 2, "both go to standard output"),
    ],
)
def test_refused(iic: Iic, desk: Path, words: list[str], code: int, said: str) -> None:
    before = set(desk.rglob("*"))
    iic("restore", *words).fails(code, said)
    assert set(desk.rglob("*")) == before


def test_a_folder_never_overwrites_its_carrier(iic: Iic) -> None:
    Path("carriers/pair.png").rename("carriers/left.png")
    done = iic("restore", "carriers/left.png", "-o", "carriers", "--force")
    done.fails(2, "carriers would overwrite the carrier carriers/left.png")


ALL = [
    "a.png",
    "b.png",
    *("one/cover.png", "one/secret-1.png"),
    *("pair/left.png", "pair/right.png"),
    "small.png",
]
BELOW = [
    *("sub/layers/background.png", "sub/layers/foreground.png"),
    *("sub/two/cover.png", "sub/two/secret-1.png", "sub/two/secret-2.png"),
]


def test_a_folder_of_carriers(iic: Iic) -> None:
    done = iic("restore", "carriers", "-o", "back")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "5 carriers: 5 done."
    assert tree("back") == ALL
    again = iic("restore", "carriers", "-o", "back", "--recursive")
    assert again.out.splitlines()[-1] == "7 carriers: 2 done, 5 skipped."
    assert tree("back") == sorted(ALL + BELOW)
    Path("back/one/secret-1.png").unlink()
    Path("back/small.png").write_bytes(Path("back/a.png").read_bytes()[:900])
    third = iic("restore", "carriers", "-o", "back", "-r")
    # Both are not whole any more, and neither is replaced without being told.
    assert (third.code, third.out) == (7, "7 carriers: 0 done, 5 skipped, 2 failed.\n")
    assert iic("restore", "carriers", "-o", "back", "-r", "--force").code == 0


def test_results_beside_are_no_carriers(iic: Iic) -> None:
    for _ in range(2):
        assert iic("restore", "carriers", "-r").code == 0
    assert iic("restore", "carriers", "-r", "-o", "carriers/out").code == 0
    assert tree("carriers/out") == sorted(ALL + BELOW)
    assert not Path("carriers/a.restored.restored.png").exists()


def test_going_on_after_a_bad_one(iic: Iic, made: Path) -> None:
    shutil.copy(made / "source0.png", "carriers/no.png")
    Path("carriers/cut.png").write_bytes(Path("carriers/a.png").read_bytes()[:-300])
    done = iic("restore", "carriers", "-o", "back", "--json")
    assert done.code == 1
    facts = {Path(f["input"]).name: f for f in map(json.loads, done.out.splitlines())}
    assert (facts["no.png"]["status"], facts["no.png"]["exit_code"]) == ("failed", 4)
    assert (facts["cut.png"]["status"], facts["cut.png"]["exit_code"]) == ("failed", 3)
    assert facts["pair.png"]["names"] == ["left", "right"]
    assert facts["pair.png"]["output"] == "back/pair"
    assert done.err.splitlines()[-1] == "7 carriers: 5 done, 2 failed."
    assert tree("back") == ALL
    only = iic("restore", "carriers", "-o", "left", "--only", "left")
    assert only.code == 1
    assert tree("left") == ["pair.png"]


def test_a_clip_among_others(iic: Iic, made: Path) -> None:
    iic("embed-video", f"{made}/source*.png", "-o", "clip/parts", "--all", "--frames", 2)
    shutil.copy("carriers/a.png", "clip")
    assert iic("restore", "clip", "-o", "back", "-r").code == 0
    assert tree("back") == ["a.png", "parts/0001.png", "parts/0002.png", "parts/0003.png"]
    assert iic("restore", "clip/parts", "carriers/a.png", "-o", "both/").code == 0
    assert tree("both") == tree("back")
    Path("clip/parts/0001.png").unlink()
    (Path("clip") / "parts" / "more.png").write_bytes(Path("carriers/a.png").read_bytes())
    assert iic("restore", "clip/parts", "-o", "rest").code == 0
    assert tree("rest") == ["0002/0001.png", "more.png"]
    assert iic("restore", "clip/parts/0002.png").out.startswith("clip/parts/0002.restored/: 1 pic")


def test_two_of_one_name(iic: Iic) -> None:
    shutil.copy("carriers/a.png", "carriers/sub/a.png")
    done = iic("restore", "carriers/a.png", "carriers/sub/a.png", "-o", "back2/")
    done.fails(2, "carriers/a.png and carriers/sub/a.png would both become back2/a.png")


@pytest.mark.parametrize("name", ["a", "pair", "sub/layers", "sub/two", "small"])
def test_every_preview(iic: Iic, name: str) -> None:
    done = iic("restore", f"carriers/{name}.png", "-o", "back", "--preview", "sheet.png")
    assert done.code == 0
    assert Image.open("sheet.png").height > 2 * 96


def test_no_preview_of_what_is_there(iic: Iic) -> None:
    iic("restore", "carriers/a.png")
    done = iic("restore", "carriers/a.png", "--preview", "sheet.png")
    assert (done.code, done.err[:28]) == (0, "note: there is no preview of")
    assert not Path("sheet.png").exists()


@pytest.mark.parametrize("suffix", [".webp", ".tif"])
def test_gray_in_every_format(iic: Iic, made: Path, suffix: str) -> None:
    assert iic("gray", made / "source0.png", "-o", f"g{suffix}").code == 0
    assert iic("inspect", f"g{suffix}", "--json").json["state"] == "whole"
    assert iic("restore", f"g{suffix}", "-o", "back.png").code == 0
    iic("restore", "carriers/a.png", "-o", "same.png")
    assert np.array_equal(np.asarray(Image.open("back.png")), np.asarray(Image.open("same.png")))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a", "a.png holds a colour picture, made by gray.v1. It is whole."),
        ("small", "small.png holds a picture of 128 × 96 pixels, made by rescale-2.v1."),
        ("pair", "pair.png holds a stereo pair, made by mono.v1."),
        ("one", "one.png holds a hidden picture, made by hide-2.v1."),
        ("sub/two", "two.png holds 2 hidden pictures, made by hide-2.v1."),
        ("sub/layers", "layers.png holds a background and a foreground with its alpha, made"),
    ],
)
def test_inspect_says_what_is_in_it(iic: Iic, name: str, sentence: str) -> None:
    assert iic("inspect", f"carriers/{name}.png").out.startswith(sentence)
