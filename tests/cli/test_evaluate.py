"""`iic evaluate`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from statistics import mean

import pytest

from iiccli.media.clip import write_clip
from tests.cli.conftest import Iic
from tests.conftest import moving_clip


@pytest.fixture
def data(desk: Path) -> Path:
    """Two clips, a hidden file, and a picture that is no clip."""
    folder = desk / "data"
    write_clip(folder / "one", moving_clip(48, 64, 9, (2, 1), seed=1), Fraction(25))
    write_clip(folder / "two.apng", moving_clip(40, 40, 5, (1, 1), seed=2), Fraction(25))
    (folder / ".hidden").touch()
    write_clip(desk / "stray", moving_clip(40, 40, 1), Fraction(25))
    (desk / "stray" / "0001.png").rename(folder / "stray.png")
    return folder


def test_the_table(iic: Iic, data: Path) -> None:
    done = iic("evaluate", "--data", data)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines] == ["clip", "one", "two.apng", "mean"]
    assert all(len(line.split()) == 6 for line in lines[1:])


def test_json(iic: Iic, data: Path, desk: Path) -> None:
    facts = iic("evaluate", "--data", data, "--json", "--quality", "content", "--first", 2).json
    assert set(facts) == {"model", "sha256", "quality", "data", "protocol", "mean", "clips"}
    assert (facts["model"], facts["quality"], facts["data"]) == ("video-5.v1", "content", "data")
    assert [clip["name"] for clip in facts["clips"]] == ["one", "two.apng"]
    for column, value in facts["mean"].items():
        assert value == pytest.approx(mean(clip[column] for clip in facts["clips"]))
    # As the verbs find it, one by one: frames 2 to 6.
    words = ("--start", 2 / 25, "--every", 1, "--quality", "content", "--preview", "s.png")
    shown = iic("embed-video", data / "one", "-o", "cover.png", "--json", *words).json
    assert shown["frames"] == [2, 3, 4, 5, 6]
    # Their headers differ (only one has a rate), and with them some samples at the border.
    clip = facts["clips"][0]
    assert clip["cover_psnr"] == pytest.approx(shown["psnr"]["cover"], abs=0.05)
    assert clip["reference_psnr"] == pytest.approx(shown["psnr"]["reference"], abs=0.05)
    assert clip["others_psnr"] == pytest.approx(shown["psnr"]["restored"], abs=0.05)
    assert clip["cover_ssim"] == pytest.approx(shown["ssim"]["cover"], abs=0.001)
    assert clip["others_ssim"] == pytest.approx(shown["ssim"]["restored"], abs=0.001)


def test_nothing_to_evaluate(iic: Iic, desk: Path, still: Path, data: Path) -> None:
    iic("evaluate", "--data", "none").fails(3, "There is no folder none")
    iic("evaluate", "--data", still.parent).fails(3, "holds no clips", "a sub-folder of frames")
    iic("evaluate", "--data", data, "--model", "none").fails(6, "There is no model 'none'")
    iic("evaluate", "--data", data, "--device", "tpu").fails(9, "There is no device 'tpu'")
