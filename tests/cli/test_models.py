"""`iic models`, and models that are not ours from import to restored frames."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from iiccli.carrier import read_carrier
from iiccli.media.clip import write_clip
from iiccli.networks.fast import FastConfig, FastNet
from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import Card, read_card, save_model, sha256
from tests.cli.conftest import Iic, pictures
from tests.conftest import Pixels, moving_clip, psnr
from tests.networks.iicnet_parity import fill, official_shapes


def test_list(iic: Iic, tiny_models: Path) -> None:
    listed = iic("models", "list", "--json").json
    assert [model["name"] for model in listed] == ["video-3.v1", "video-5.v1"]
    path = tiny_models / "video-5.v1.safetensors"
    assert listed[1] == {
        "name": "video-5.v1",
        "path": str(path),
        "task": "video",
        "network": "transform",
        "pictures": 5,
        "scale": 1,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "problem": "",
    }
    assert iic("models", "--json").json == listed
    lines = iic("models").out.splitlines()
    assert lines == iic("models", "list").out.splitlines()
    assert lines[1].split()[:4] == ["video-5.v1", "video", "5", "pictures"]
    assert "Your own models belong into" in lines[-1]


def test_show(iic: Iic, tiny_models: Path) -> None:
    facts = iic("models", "show", "video-5", "--json").json
    assert facts["config"]["pictures"] == 5
    assert facts["sha256"] == sha256(tiny_models / "video-5.v1.safetensors")
    text = iic("models", "show", tiny_models / "video-3.v1.safetensors").out
    assert "name: video-3.v1\n" in text
    assert "  pictures: 3\n" in text
    iic("models", "show", "none").fails(6, "There is no model 'none'", "video-3.v1, video-5.v1")


def test_figures_and_scale(iic: Iic, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"sets": {"Set5": {"balanced": {"cover_psnr": 40.5, "others_psnr": 33.25}}}}
    card = Card("rescale-2.v1", "rescale", "fast", {"pictures": 1, "scale": 2}, metrics=figures)
    save_model(desk / "rescale-2.v1.safetensors", card, {"x": torch.zeros(1)})
    monkeypatch.setattr(catalogue, "folders", lambda: iter([desk]))
    assert iic("models").out.startswith("rescale-2.v1       rescale  1 picture    1/2 size")
    assert iic("models", "--json").json[0]["scale"] == 2
    text = iic("models", "show", "rescale-2").out
    assert "  sets:\n    Set5:\n      balanced: cover_psnr 40.5, others_psnr 33.25\n" in text


@pytest.fixture
def own_models(desk: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the tiny models that a test may spoil."""
    folder = desk / "models"
    shutil.copytree(tiny_models, folder)
    monkeypatch.setattr(catalogue, "folders", lambda: iter([folder]))
    return folder


def test_verify(iic: Iic, own_models: Path) -> None:
    done = iic("models", "verify")
    assert (done.code, done.out) == (0, "video-3.v1: whole\nvideo-5.v1: whole\n")
    assert iic("models", "verify", "video-3", "--json").json[0]["problem"] == ""


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "folder"])
def test_a_damaged_model_is_named_and_stands_in_nobody_s_way(
    iic: Iic, own_models: Path, clips: Path, damage: str
) -> None:
    path = own_models / "video-3.v1.safetensors"
    data = path.read_bytes()
    path.unlink()
    match damage:
        case "cut":
            path.write_bytes(data[:-100])
        case "text":
            path.write_text("once upon a time")
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
    done = iic("models", "verify")
    assert done.code == 6
    assert done.err == ""
    assert done.out.splitlines()[1] == "video-5.v1: whole"
    assert done.out.startswith("video-3.v1: ")
    assert "whole" not in done.out.splitlines()[0]
    assert iic("models", "verify", "--json").code == 6
    assert iic("models", "verify", "video-5").code == 0
    assert iic("models").code == 0
    assert iic("models", "--json").json[0]["problem"]
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", "--frames", 3, "--json")
    assert done.json["model"] == "video-5.v1"
    assert iic("restore", "cover.png", "-o", "back").code == 0
    iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--model", "video-3").fails(6, "video-3")


def test_another_file_than_was_published(iic: Iic, own_models: Path) -> None:
    table = own_models / "README.md"
    right = sha256(own_models / "video-3.v1.safetensors")
    text = "- File: [{0}]({0}), 0.09 MB, SHA-256\n  `{1}`\n"
    table.write_text(text.format("video-3.v1.safetensors", right))
    assert iic("models", "verify").code == 0
    table.write_text(text.format("video-3.v1.safetensors", "0" * 64))
    done = iic("models", "verify")
    assert done.code == 6
    assert "video-3.v1.safetensors is not the file that was published." in done.out


def test_without_any_model(
    iic: Iic, clips: Path, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "folders", lambda: iter([desk / "none"]))
    assert iic("models").out.startswith("There is no model at hand.\n")
    assert iic("models", "--json").json == []
    assert iic("models", "verify").code == 0
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png")
    done.fails(6, "There is no model for video.", "IIC_MODELS")


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official checkpoint of five pictures, its weights filled by the parity rule."""
    path = tmp_path_factory.mktemp("official") / "st-01.pth"
    torch.save(fill(official_shapes("st-01")), path)
    return path


def test_import_an_official_checkpoint_and_use_it(iic: Iic, official: Path, clips: Path) -> None:
    done = iic("models", "import", official, "--task", "video", "-o", "mine.safetensors", "--json")
    assert done.json["config"] == {
        "pictures": 5,
        "blocks": 10,
        "relation": True,
        "relation_features": 64,
        "downscale": "none",
        "conv1x1": done.json["config"]["conv1x1"],
        "order": done.json["config"]["order"],
        "out_channels": 3,
    }
    card = read_card(Path("mine.safetensors"))
    assert (card.name, card.task, card.colour, card.reference) == ("mine", "video", "BGR", "middle")
    assert iic("models", "verify", "mine.safetensors").code == 0
    again = ("models", "import", official, "--task", "video", "-o", "mine.safetensors")
    iic(*again).fails(7, "mine.safetensors exists already")
    assert "iicnet for video (pictures 5, blocks 10" in iic(*again, "--force").out
    words = ("--max-side", 24, "--model", "mine.safetensors", "--json")
    done = iic("embed-video", clips / "clip.mp4", "-o", "cover.png", *words)
    assert done.json["model"] == "mine"
    iic("restore", "cover.png", "-o", "back").fails(6, "made by mine", "--model")
    done = iic("restore", "cover.png", "-o", "back", "--model", "mine.safetensors", "--json")
    assert (done.json["pictures"], done.json["damaged"]) == (5, None)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["{path}", "--task", "dance", "-o", "m.safetensors"], 2, "There is no task 'dance'"),
        (["{path}", "--task", "video", "-o", "m.pth"], 2, "NAME.safetensors, not m.pth"),
        (["{path}", "--task", "video", "--order", "up", "-o", "m.safetensors"], 2, "order 'up'"),
        (["no.pth", "--task", "video", "-o", "m.safetensors"], 6, "no.pth"),
        (["text.pth", "--task", "video", "-o", "m.safetensors"], 6, "text.pth"),
        (["other.pth", "--task", "video", "-o", "m.safetensors"], 6, "other.pth"),
        (["evil.pth", "--task", "video", "-o", "m.safetensors"], 6, "evil.pth"),
    ],
)
def test_what_cannot_be_imported(
    iic: Iic, official: Path, words: list[str], code: int, said: str
) -> None:
    Path("text.pth").write_text("weights")
    torch.save({"layer.weight": torch.ones(3)}, "other.pth")
    torch.save({"layer.weight": Path("/")}, "evil.pth")  # an object, which is never unpickled
    iic("models", "import", *(w.format(path=official) for w in words)).fails(code, said)
    assert not Path("m.safetensors").exists()


def small_iicnet(**more: object) -> IICNet:
    torch.manual_seed(1)
    options = {"pictures": 3, "blocks": 2, "relation": False, **more}
    net = IICNet(IICNetConfig(**options))  # type: ignore[arg-type]
    for parameter in net.parameters():
        parameter.data.mul_(0.5)
    return net


@pytest.mark.parametrize("size", [(48, 40), (1, 1), (8, 8), (3, 50), (37, 21)])
@pytest.mark.parametrize("colour", ["BGR", "RGB"])
def test_an_iicnet_on_any_size(iic: Iic, size: tuple[int, int], colour: str) -> None:
    net = small_iicnet(relation=True, relation_features=4)
    card = Card("tiny", "video", "iicnet", asdict(net.config), colour=colour)
    save_model(Path("tiny.safetensors"), card, net.state_dict())
    originals = moving_clip(size[1], size[0], 3, (1, 0), seed=3)
    write_clip("in", originals, Fraction(25))
    done = iic("embed-video", "in", "-o", "cover.png", "--model", "./tiny.safetensors")
    assert done.code == 0, done.err
    assert read_carrier(Path("cover.png")).pixels.shape == originals[0].shape
    iic("restore", "cover.png", "-o", "back", "--model", "./tiny.safetensors")
    assert [f.shape for f in pictures(Path("back"))] == [f.shape for f in originals]


def reference_pass(net: IICNet, frames: list[Pixels]) -> tuple[Pixels, list[Pixels]]:
    """The middle frame first, BGR, in one piece: what the official scripts do."""
    ordered = [frames[1], frames[0], frames[2]]
    x = np.concatenate([frame[..., ::-1] for frame in ordered], axis=2).transpose(2, 0, 1)
    with torch.no_grad():
        y = net.quantisation(net.embed(torch.from_numpy(x.copy()).float()[None] / 255))
        back = (net.restore(y)[0] * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    cover = (y[0] * 255).round().byte().permute(1, 2, 0).numpy()[..., ::-1]
    middle, first, last = (back[..., i : i + 3][..., ::-1] for i in (0, 3, 6))
    return cover, [first, middle, last]


@pytest.mark.parametrize("tile", [64, 512])
def test_an_iicnet_runs_as_the_official_one_whatever_the_tiles(iic: Iic, tile: int) -> None:
    net = small_iicnet().eval()
    card = Card("tiny", "video", "iicnet", asdict(net.config), colour="BGR")
    save_model(Path("tiny.safetensors"), card, net.state_dict())
    frames = moving_clip(100, 140, 3, (1, 0), seed=3)
    write_clip("in", frames, Fraction(25))
    words = ("--model", "tiny.safetensors", "--tile", tile)
    assert iic("embed-video", "in", "-o", "cover.png", *words).code == 0
    cover, back = reference_pass(net, frames)
    found = read_carrier(Path("cover.png")).pixels
    inner = np.s_[6:-6, 6:-6]  # around it stands the header
    assert np.abs(found.astype(int) - cover).max() <= 1
    assert (found[inner] != cover[inner]).mean() < 1e-3
    assert iic("restore", "cover.png", "-o", "back", *words).code == 0
    for picture, expected in zip(pictures(Path("back")), back, strict=True):
        assert psnr(picture, expected) > 38
        deep = np.s_[40:-40, 40:-40]
        assert np.abs(picture[deep].astype(int) - expected[deep]).max() <= 2


@pytest.mark.parametrize("quantiser", ["plain", "modulo"])
def test_a_fast_network(iic: Iic, quantiser: str) -> None:
    torch.manual_seed(2)
    net = FastNet(FastConfig(3, width=8, blocks=1, quantiser=quantiser))  # type: ignore[arg-type]
    card = Card("fast-3", "video", "fast", asdict(net.config))
    save_model(Path("fast-3.safetensors"), card, net.state_dict())
    frames = moving_clip(63, 81, 3, (1, 0), seed=3)
    write_clip("in", frames, Fraction(25))
    words = ("--model", "fast-3.safetensors")
    for tile in (64, 512):
        done = iic("embed-video", "in", "-o", f"{tile}.png", *words, "--tile", tile, "--json")
        assert done.code == 0
        assert iic("restore", f"{tile}.png", "-o", f"back{tile}", *words, "--tile", tile).code == 0
    small, large = (read_carrier(Path(f"{tile}.png")).pixels for tile in (64, 512))
    assert (small != large).mean() < 1e-3
    if quantiser == "modulo":
        assert psnr(large, frames[1]) > 38
    for picture, frame in zip(pictures(Path("back512")), frames, strict=True):
        assert psnr(picture, frame) > 18


def test_a_model_for_another_task_does_not_embed_clips(iic: Iic, clips: Path) -> None:
    net = small_iicnet(pictures=1, downscale="haar", order="hl")
    save_model(
        Path("g.safetensors"), Card("g", "rescale", "iicnet", asdict(net.config)), net.state_dict()
    )
    done = iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--model", "./g.safetensors")
    done.fails(6, "The model g is for rescale, not for video.")


def test_a_model_of_a_newer_network(iic: Iic, clips: Path) -> None:
    card = Card("n", "video", "telepathy", {"pictures": 5})
    save_model(Path("n.safetensors"), card, {"x": torch.zeros(1)})
    done = iic("embed-video", clips / "clip.mp4", "-o", "c.png", "--model", "./n.safetensors")
    done.fails(6, "telepathy", "Upgrade iic")
    assert iic("models", "verify", "./n.safetensors").code == 6
