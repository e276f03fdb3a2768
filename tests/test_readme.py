"""What README.md shows is run: every `$ iic` line and the Python example, in their order.

So are the scripts behind `make demo` and `make models`, on small clips.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
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
from iiccli.zoo.modelfile import Card, read_card, save_model
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


def script(name: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / name), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.slow
def test_the_demo_ends_with_a_table_and_runs_again(desk: Path, stand_in: Path) -> None:
    (desk / "demo").mkdir()
    (desk / "holiday.mp4").rename(desk / "demo" / "bikes.mp4")  # as if downloaded before
    for _ in range(2):
        run = script("demo.py", "--clip", "bikes", **{FOLDER_VARIABLE: str(stand_in)})
        assert run.returncode == 0, run.stderr
        assert "PSNR" in run.stdout
        assert "SSIM" in run.stdout
        assert run.stdout.rstrip().endswith(str(Path("demo", "embed.png")))
    made = {"cover.png", "embed.png", "restored.mp4", "restore.png", "frames"}
    assert made <= {path.name for path in (desk / "demo").iterdir()}


def test_the_demo_says_so_when_there_is_no_clip_to_be_had(tmp_path: Path) -> None:
    run = script(
        "demo.py", "--folder", tmp_path / "demo", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)
    )
    assert run.returncode == 1
    first, second = run.stderr.splitlines()
    assert first.startswith("demo: The demo's clip could not be downloaded")
    assert second.startswith("hint: ")
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_models_are_exported_with_figures_and_then_left_alone(desk: Path, stand_in: Path) -> None:
    (desk / "runs" / "video-5.v1").mkdir(parents=True)
    (stored,) = stand_in.iterdir()
    (desk / "runs" / "video-5.v1" / "model.safetensors").write_bytes(stored.read_bytes())
    words = ["--only", "video-5.v1", "--as-is", "--train-data", "my-clips"]
    (desk / "test").mkdir()
    (desk / "test" / "video").symlink_to(desk / "my-clips")
    words += ["--test-data", "test"]
    run = script("models.py", *words)
    assert run.returncode == 0, run.stderr
    target = desk / "models" / "video-5.v1.safetensors"
    figures = read_card(target).metrics
    assert set(figures["sets"]["DAVIS"]) == {"cover", "balanced", "content"}
    table = (desk / "models" / "README.md").read_text(encoding="utf-8")
    assert table.count("| video-5.v1 | 5 |") == 3
    before = target.read_bytes()
    assert "is there already" in script("models.py", *words).stdout
    assert target.read_bytes() == before
