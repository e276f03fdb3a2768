"""What README.md shows is run: every `$ iic` line and the Python example, in their order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image

from iiccli.cli.app import app
from iiccli.media.clip import open_clip, write_clip
from iiccli.networks.transform import TransformConfig, TransformNet
from iiccli.zoo.catalogue import FOLDER_VARIABLE
from iiccli.zoo.modelfile import Card, save_model
from tests.conftest import moving_clip
from tests.networks.iicnet_parity import fill, official_shapes

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = sorted((ROOT / "models").glob("video-5.*.safetensors"))

FRAMES, RATE = 25, 5
MORE = {"train": ["--steps", "2", "--threads", "1"]}
"""What a verb gets besides, so that it does not take as long as for a reader."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small untrained model under the name of the one that ships."""
    config = TransformConfig(5, ranks=(2, 6), width=8, depth=1)
    net = TransformNet(config)
    folder = tmp_path_factory.mktemp("stand-in")
    card = Card(name="video-5.v1", task="video", network="transform", config=asdict(config))
    save_model(folder / "video-5.v1.safetensors", card, net.state_dict())
    return folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a reader of README.md could sit, with all the files it names."""
    write_clip(tmp_path / "holiday.mp4", moving_clip(96, 128, FRAMES), Fraction(RATE))
    for number in range(3):
        folder = tmp_path / "my-clips" / f"clip-{number}"
        folder.mkdir(parents=True)
        for index, frame in enumerate(moving_clip(112, 128, 6, (2, number), seed=number)):
            Image.fromarray(frame).save(folder / f"{index:03}.png")
    torch.save(fill(official_shapes("st-01")), tmp_path / "st-01.pth")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words: Sequence[str]) -> None:
    program, verb, *rest = words
    assert program == "iic"
    code = app([verb, *rest, *MORE.get(verb, [])], prog_name="iic", standalone_mode=False)
    assert not code, f"{shlex.join(words)} left with {code}"


def run_all() -> None:
    for words in commands():
        run(words)
        for option in ("-o", "--preview"):
            if option in words:
                target = Path(words[words.index(option) + 1])
                assert target.exists(), f"{shlex.join(words)} made no {target}"
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


def check(desk: Path) -> None:
    assert len(list((desk / "frames").iterdir())) == 5
    assert len(list((desk / "covers").iterdir())) == -(-FRAMES // 5)
    back = open_clip(desk / "back.mp4").info
    assert (back.frames, back.fps) == (FRAMES, RATE)
    assert len(list((desk / "api-frames").iterdir())) == 5


def test_the_readme_with_a_small_model(
    desk: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(stand_in))
    run_all()
    check(desk)


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED, reason="no model of five pictures is in models/")
def test_the_readme_with_the_model_that_ships(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    run_all()
    check(desk)


def test_every_verb_is_in_the_readme() -> None:
    verbs = {command.name for command in app.registered_commands}
    verbs |= {group.name for group in app.registered_groups}
    assert verbs == {words[1] for words in commands()}


def test_every_target_that_is_named_exists() -> None:
    (targets,) = re.findall(
        r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M
    )
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for words in re.findall(r"(?:^|`)make ((?:[a-z]+ ?)+)(?=`| *#|ARGS|TORCH)", text, re.M):
            assert set(words.split()) <= set(targets.split()), f"{name}: make {words}"
