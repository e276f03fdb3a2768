"""What README.md shows is run: every `$ iic` line and the Python example, in their order.

So are the scripts behind `make demo` and `make models`, on small clips.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.cli.app import app
from iiccli.media.clip import open_clip
from iiccli.training import recipes
from iiccli.zoo.catalogue import FOLDER_VARIABLE
from iiccli.zoo.modelfile import read_card
from iiccli.zoo.packing import models_in, stem
from tests.readme_desk import FRAMES, PAIRS, RATE, put_everything
from tests.shared import shared
from tests.stand_ins import put_stand_ins

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

NEEDED = {
    "video-3.v3",
    "video-5.v3",
    "video-half-3.v1",
    "mono.v1",
    "dual.v1",
    "hide-1.v1",
    "hide-4.v1",
    "layers.v1",
    "gray.v1",
    "rescale-2.v1",
    "rescale-4.v1",
}
"""Models without which not every command of README.md can be run."""
MISSING = sorted(NEEDED - {stem(path) for path in models_in(ROOT / "models")})

MORE = {"train": ["--steps", "2", "--threads", "1"]}
"""What a verb gets besides, so that it does not take as long as for a reader."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small untrained model under the name of each that ships."""
    return shared(tmp_path_factory, "stand-ins", put_stand_ins)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a reader of README.md could sit, with all the files it names."""
    put_everything(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def _small_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """`iic train` makes a small network out of a few samples, in seconds instead of minutes."""
    whole = recipes.recipe_for

    def small(task: str, **options: object) -> recipes.Recipe:
        recipe = whole(task, **options)
        config = {**recipe.config, "cell": 8, "width": 8, "depth": 1}
        return replace(recipe, config=config, calibration=recipes.Calibration(samples=3))

    monkeypatch.setattr(recipes, "recipe_for", small)


def run(words: Sequence[str]) -> None:
    program, verb, *rest = words
    assert program == "iic"
    more = MORE.get(verb, []) if rest[:1] != ["plot"] else []
    code = app([verb, *rest, *more], prog_name="iic", standalone_mode=False)
    assert not code, f"{shlex.join(words)} left with {code}"


def takes_no_model(words: Sequence[str]) -> bool:
    """Tell whether a command does the same whatever models ship, given that others do."""
    own = {"codec", "coded.png", "mine.safetensors", "st-01.pth", "runs/mine"}
    return words[1] in ("train", "devices") or bool(own & set(words))


def run_all(*, leave_out: Callable[[Sequence[str]], bool] = lambda words: False) -> None:
    """Run everything; a warning of a library, which a reader would see, is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for words in commands():
            if leave_out(words):
                continue
            run(words)
            for option in ("-o", "--preview", "--output"):
                if option in words:
                    target = Path(words[words.index(option) + 1])
                    assert target.exists(), f"{shlex.join(words)} made no {target}"
        for block in blocks("python"):
            exec(compile(block, "README.md", "exec"), {})


def check(desk: Path) -> None:
    """What must be on the desk in the end."""

    def names(folder: str) -> set[str]:
        return {str(p.relative_to(desk / folder)) for p in (desk / folder).rglob("*.*")}

    assert len(names("frames")) == len(names("api-frames")) == 5
    assert names("cover.restored") == names("frames")
    assert len(names("covers")) == -(-FRAMES // 5)
    back = open_clip(desk / "back.mp4").info
    assert (back.frames, back.fps) == (FRAMES, RATE)
    assert names("views") == {"left.png", "right.png"}
    assert names("pairs") == {"0.png", "1.png"}
    assert (desk / "holiday.mono.png").is_file()
    assert len(names("carriers")) == PAIRS
    again = open_clip(desk / "3d-again.mp4").info
    assert (again.frames, again.fps) == (PAIRS, RATE)
    assert names("wide-and-tele") == {"wide.png", "tele.png"}
    assert names("secrets") >= {f"secret-{number}.png" for number in (1, 2, 3)}
    assert names("layers") == {"background.png", "foreground.png"}
    assert names("gray") == names("coloured") == {"large.png", "small.png", "trip/boat.png"}


def alike(name: str, other: str) -> None:
    """Two pictures are of one size, and show the same."""
    with Image.open(name) as a, Image.open(other) as b:
        assert a.size == b.size, (name, other)
        one, two = (np.asarray(p.convert("RGB").resize((12, 12)), float) for p in (a, b))
    assert np.abs(one - two).mean() < 6, (name, other)


def test_the_readme_with_small_models(
    desk: Path, stand_ins: Path, _small_training: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(stand_ins))
    run_all()
    check(desk)
    check_pictures()


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not in models/ yet: {', '.join(MISSING)}")
def test_the_readme_with_the_models_that_ship(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    run_all(leave_out=takes_no_model)
    check(desk)
    check_pictures()


def check_pictures() -> None:
    """What came back shows what went in, upright and in its place."""
    for original, back in (
        ("left.jpg", "views/left.png"),
        ("right.jpg", "views/right.png"),
        ("wide.jpg", "wide-and-tele/wide.png"),
        ("tele.jpg", "wide-and-tele/tele.png"),
        ("secret.png", "secret-again.png"),
        ("secret.png", "told.png"),
        ("one.png", "secrets/secret-1.png"),
        ("two.jpg", "secrets/secret-2.png"),
        ("three.png", "secrets/secret-3.png"),
        ("beach.jpg", "layers/background.png"),
        ("photo.jpg", "colours.png"),
        ("huge.jpg", "huge-again.png"),
        ("photos/trip/boat.jpg", "coloured/trip/boat.png"),
    ):
        alike(original, back)


def test_every_verb_is_in_the_readme() -> None:
    verbs = {command.name for command in app.registered_commands}
    verbs |= {group.name for group in app.registered_groups}
    named = {words[1] for words in commands()}
    # What takes hours is not run here.
    named |= set(re.findall(r"^iic ([\w-]+)", "".join(blocks("sh")), re.M))
    assert verbs == named


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
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
    )


@pytest.mark.slow
def test_the_demo_ends_with_a_table_also_where_it_ran_before(desk: Path, stand_ins: Path) -> None:
    demo = desk / "demo"
    (demo / "frames").mkdir(parents=True)
    (desk / "holiday.mp4").rename(demo / "bikes.mp4")  # as if downloaded before
    files = ("cover.png", "embed.png", "restored.mp4", "restore.png", "frames/0009.png")
    for name in files:
        (demo / name).write_text("of the first time")
    run = script("demo.py", "--clip", "bikes", **{FOLDER_VARIABLE: str(stand_ins)})
    assert run.returncode == 0, run.stderr
    assert "PSNR" in run.stdout
    assert "SSIM" in run.stdout
    assert run.stdout.rstrip().endswith(str(Path("demo", "embed.png")))
    assert all((demo / name).stat().st_size > 1000 for name in files[:-1])
    assert len(list((demo / "frames").iterdir())) == 5


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
def test_models_are_exported_with_figures_and_then_left_alone(desk: Path, stand_ins: Path) -> None:
    name = "video-3.v3"
    run = desk / "runs" / name
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes((stand_ins / f"{name}.safetensors").read_bytes())
    (desk / "test").mkdir()
    (desk / "test" / "video").symlink_to(desk / "my-clips")
    words = ["--only", name, "--as-is", "--train-data", "my-clips", "--test-data", "test"]
    words += ["--limit", "1", "--threads", "1"]
    done = script("models.py", *words)
    assert done.returncode == 0, done.stderr
    target = desk / "models" / f"{name}.safetensors"
    figures = read_card(target).metrics
    assert set(figures["sets"]["DAVIS"]) == {"cover", "balanced", "content"}
    assert (figures["cases"], figures["cut_from"]) == ({"DAVIS": 1}, {"DAVIS": 3})
    table = (desk / "models" / "README.md").read_text(encoding="utf-8")
    assert table.count(f"| {name} | 3 | DAVIS, 1 of 3 cases |") == 3
    before = target.read_bytes()
    assert "is there already" in script("models.py", *words).stdout
    assert target.read_bytes() == before
