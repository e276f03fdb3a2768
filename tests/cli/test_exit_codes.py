"""Every row of the table of exit codes, by a command that ends with it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from iiccli.cli.topics import TOPICS, exit_code_table
from iiccli.errors import exit_codes
from tests.cli.conftest import Iic
from tests.cli.test_process import IIC, environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ends(
    iic: Iic,
    desk: Path,
    clips: Path,
    still: Path,
    tiny_models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[int, Callable[[], int]]:
    """For each code a command that ends with it."""
    clip = clips / "clip.mp4"

    def code(*words: object) -> int:
        return iic(*words).code

    def embed(*words: object) -> int:
        return code("embed-video", clip, *words)

    def damaged() -> int:
        assert embed("-o", "cover.png", "--frames", 3) == 0
        with Image.open("cover.png") as cover:
            text, size = cover.text["iic"], cover.size  # type: ignore[attr-defined]
        noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
        info = PngInfo()
        info.add_itxt("iic", text)
        Image.fromarray(noise).save("noise.png", pnginfo=info)
        return code("restore", "noise.png", "-o", "back/")

    def there_already() -> int:
        Path("there.png").write_text("")
        return embed("-o", "there.png", "--frames", 3)

    def locked() -> int:
        Path("phrase").write_text("five random words or more")
        assert embed("-o", "l.png", "--frames", 3, "--key-file", "phrase") == 0
        return code("restore", "l.png", "-o", "open/")

    def signalled(number: int) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(
                "iiccli.tasks.video.open_clip", lambda *_, **__: signal.raise_signal(number)
            )
            return embed("-o", "s.png", "--frames", 3)

    def mistaken() -> int:
        def fail(*_: object, **__: object) -> NoReturn:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.delenv("IIC_DEBUG", raising=False)
            patch.setattr("iiccli.tasks.video.open_clip", fail)
            return embed("-o", "m.png", "--frames", 3)

    def unread() -> int:
        with subprocess.Popen(
            [*IIC, "help", "carriers"], stdout=subprocess.PIPE, env=environment(tiny_models)
        ) as child:
            assert child.stdout is not None
            child.stdout.close()
            return child.wait(60)

    def untrained() -> int:
        Path("empty").mkdir()
        return code("train", "--data", "empty", "--run", "run", "--steps", 1)

    return {
        0: lambda: code("devices"),
        1: lambda: code("restore", "missing.png", still, "-o", "out/"),
        2: lambda: code("bogus"),
        3: lambda: code("inspect", "missing.png"),
        4: lambda: code("inspect", still),
        5: damaged,
        6: lambda: embed("-o", "n.png", "--model", "none"),
        7: there_already,
        8: lambda: embed("-o", "lossy.jpg", "--frames", 3),
        9: lambda: embed("-o", "d.png", "--frames", 3, "--device", "cuda:99"),
        10: untrained,
        11: locked,
        70: mistaken,
        129: lambda: signalled(signal.SIGHUP),
        130: lambda: signalled(signal.SIGINT),
        141: unread,
        143: lambda: signalled(signal.SIGTERM),
    }


def test_each_code_of_the_table_is_one_that_a_command_ends_with(
    ends: dict[int, Callable[[], int]],
) -> None:
    assert set(ends) == {code for code, _, _ in exit_codes()}
    assert {code: end() for code, end in ends.items()} == {code: code for code in ends}


def test_the_table_is_in_the_docs() -> None:
    assert exit_code_table() in (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")


def plain(text: str) -> str:
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("(PSNR", "").split())


@pytest.mark.parametrize("topic", TOPICS)
def test_what_a_topic_says_stands_in_the_docs(topic: str) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    docs = plain("\n".join(page.read_text(encoding="utf-8") for page in pages))
    for paragraph in TOPICS[topic][1].strip().split("\n\n"):
        for line in paragraph.splitlines() if paragraph.startswith("|") else [paragraph]:
            assert plain(line) in docs, f"change iiccli/cli/topics.py and the page together: {line}"


def test_help(iic: Iic) -> None:
    listed = iic("help")
    assert listed.code == 0
    for topic in TOPICS:
        assert topic in listed.out
        assert len(iic("help", topic).out.splitlines()) > 5
    assert "PhraseError" in iic("help", "exit-codes").out
    assert "Usage: iic hide" in iic("help", "hide").out
    iic("help", "bogus").fails(2, "neither a topic nor a verb 'bogus'", "exit-codes")
