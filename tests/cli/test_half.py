"""`iic embed-video --half`: covers of half the size, frames at their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iiccli.carrier import read_carrier
from iiccli.inference.covers import cover_of
from iiccli.media.clip import write_clip
from iiccli.networks.fast import FastConfig, FastNet
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import Card, save_model
from tests.cli.conftest import SIZE, Iic, frames_of, pictures
from tests.conftest import moving_clip, psnr


@pytest.fixture(scope="module")
def half_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained models for covers of half the size: for three frames and for five."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("half-models")
    for frames in (3, 5):
        net = FastNet(
            FastConfig(frames, scale=2, start="rescale", quantiser="plain", width=8, blocks=1)
        )
        name = f"video-half-{frames}.v1"
        save_model(
            folder / f"{name}.safetensors",
            Card(name, "video", "fast", asdict(net.config)),
            net.state_dict(),
        )
    return folder


@pytest.fixture(autouse=True)
def both(desk: Path, half_models: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield tiny_models
        yield half_models

    monkeypatch.setattr(catalogue, "folders", folders)


def test_a_cover_of_half_the_size(iic: Iic, clips: Path) -> None:
    facts = iic(
        *("embed-video", clips / "clip.mp4", "-o", "half.png", "--half", "-n", 3, "--json"),
        *("--preview", "sheet.png"),
    ).json
    assert (facts["model"], facts["size"]) == ("video-half-3.v1", [SIZE[0] // 2, SIZE[1] // 2])
    originals = [frames_of(clips / "clip.mp4")[i] for i in facts["frames"]]
    carrier = read_carrier(Path("half.png"))
    assert facts["psnr"]["cover"] == pytest.approx(psnr(carrier.pixels, cover_of(originals[1], 2)))
    assert facts["psnr"]["cover"] > 30
    assert iic("restore", "half.png", "-o", "back").code == 0
    back = pictures(Path("back"))
    assert [frame.shape for frame in back] == [frame.shape for frame in originals]
    assert psnr(back[1], originals[1]) > 25


def test_it_says_against_what_the_cover_is_measured(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "clip.mp4", "-o", "half.png", "--half")
    assert "half.png: 5 frames in 1 cover with video-half-5.v1; the cover against its " in done.out
    assert "against its frame at half size: " in done.out


@pytest.mark.parametrize("size", [(37, 51), (2, 3), (1, 1)])
def test_frames_of_odd_size_come_back_at_exactly_theirs(iic: Iic, size: tuple[int, int]) -> None:
    write_clip("odd", moving_clip(*size, 3, (1, 0)), 25)
    assert iic("embed-video", "odd", "-o", "half.png", "--half").code == 0
    width, height = Image.open("half.png").size
    assert (width, height) == (-(-size[1] // 2), -(-size[0] // 2))
    assert iic("restore", "half.png", "-o", "back").code == 0
    assert {frame.shape for frame in pictures(Path("back"))} == {(*size, 3)}


def test_stripped_covers_know_the_frames_size_too(iic: Iic) -> None:
    write_clip("odd", moving_clip(97, 111, 3, (1, 0)), 25)
    assert iic("embed-video", "odd", "-o", "half.png", "--half").code == 0
    Image.fromarray(np.asarray(Image.open("half.png"))).save("stripped.png")
    assert iic("restore", "stripped.png", "-o", "back").code == 0
    assert {frame.shape for frame in pictures(Path("back"))} == {(97, 111, 3)}


@pytest.mark.parametrize(("half", "model"), [(True, "video-half-5.v1"), (False, "video-5.v1")])
@pytest.mark.parametrize("whole", [True, False])
def test_numbers_without_their_own_model_take_the_next_larger(
    iic: Iic, clips: Path, half: bool, whole: bool, model: str
) -> None:
    options = ["-n", 4, *(["--half"] if half else []), *(["--all"] if whole else [])]
    target = "covers" if whole else "cover.png"
    done = iic("embed-video", clips / "folder", "-o", target, "--json", *options)
    assert done.json["model"] == model
    assert done.err == (
        f"note: 4 frames go into {model}, which takes 5: filled up with repeats of the cover.\n"
    )
    assert iic("restore", target, "-o", "back").code == 0
    assert len(pictures(Path("back"))) == (12 if whole else 4)


def test_more_frames_than_any_model_takes_at_half_size(iic: Iic, clips: Path) -> None:
    done = iic("embed-video", clips / "folder", "-o", "c.png", "--half", "-n", 7)
    done.fails(6, "No model for video takes 7 pictures in a carrier 2 times smaller", "take 3, 5.")


def test_a_model_s_own_size_decides_where_it_is_named(iic: Iic, clips: Path) -> None:
    named = ("embed-video", clips / "folder", "-o", "c.png", "--model")
    assert iic(*named, "video-half-3", "--json").json["size"] == [SIZE[0] // 2, SIZE[1] // 2]
    done = iic(*named, "video-3", "--half", "--force")
    done.fails(6, "video-3.v1 makes carriers of the pictures' size, not 2 times smaller")


def test_a_short_clip_takes_the_model_for_its_frames(iic: Iic) -> None:
    write_clip("short", moving_clip(32, 40, 3, (1, 0)), 25)
    done = iic("embed-video", "short", "-o", "c.png", "--json")
    assert (done.json["model"], done.err) == ("video-3.v1", "")
