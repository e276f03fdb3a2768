"""`iic evaluate`."""

from __future__ import annotations

import json
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from statistics import mean

import pytest

from iiccli.datasets.manifest import Heading, Item, Picture, write_manifest
from iiccli.media.clip import write_clip
from iiccli.networks.transform import TransformNet
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic
from tests.conftest import moving_clip
from tests.task_models import disc, photograph, save, save_task_models


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
    titles, *lines = done.out.splitlines()
    assert titles.replace("-", "").split() == ["carrier", "restored", "no", "reference"]
    assert [line.split()[0] for line in lines] == ["case", "one", "two.apng", "mean"]
    assert lines[0].split()[1:] == ["PSNR", "Y", "SSIM"] * 3
    assert all(len(line.split()) == 10 for line in lines)
    assert all(len(line) == len(titles) <= 100 for line in lines)


def test_json(iic: Iic, data: Path, desk: Path) -> None:
    facts = iic("evaluate", "--data", data, "--json", "--quality", "content", "--first", 2).json
    assert set(facts) == {
        *("model", "sha256", "task", "quality", "data", "protocol", "mean", "cases"),
        *("left_out", "failed"),
    }
    assert (facts["model"], facts["quality"], facts["data"]) == ("video-5.v1", "content", "data")
    assert [clip["name"] for clip in facts["cases"]] == ["one", "two.apng"]
    for column, value in facts["mean"].items():
        assert value == pytest.approx(mean(clip[column] for clip in facts["cases"]))
    # As the verbs find it, one by one: frames 2 to 6.
    words = ("--start", 2 / 25, "--every", 1, "--quality", "content", "--preview", "s.png")
    shown = iic("embed-video", data / "one", "-o", "cover.png", "--json", *words).json
    assert shown["frames"] == [2, 3, 4, 5, 6]
    # Their headers differ (only one has a rate), and with them some samples at the border.
    clip = facts["cases"][0]
    assert clip["cover_psnr"] == pytest.approx(shown["psnr"]["cover"], abs=0.05)
    assert clip["reference_psnr"] == pytest.approx(shown["psnr"]["reference"], abs=0.05)
    assert clip["others_psnr"] == pytest.approx(shown["psnr"]["restored"], abs=0.05)
    assert len(clip["pictures"]) == 5
    for column in ("psnr", "ssim", "y_psnr", "y_ssim"):
        each = [picture[column] for picture in clip["pictures"]]
        assert clip[f"restored_{column}"] == pytest.approx(mean(each))
        assert clip[f"others_{column}"] == pytest.approx(mean(each[:2] + each[3:]))
    assert clip["cover_ssim"] == pytest.approx(shown["ssim"]["cover"], abs=0.001)
    assert clip["others_ssim"] == pytest.approx(shown["ssim"]["restored"], abs=0.001)


@pytest.fixture(scope="module")
def task_models(tiny_net: TransformNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_task_models(tmp_path_factory.mktemp("task-models"), tiny_net)


@pytest.fixture
def stills(desk: Path, task_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of folders of pictures, and models for all tasks."""
    monkeypatch.setattr(catalogue, "folders", lambda: iter([task_models]))
    for number in range(3):
        save(desk / "photos" / f"{number}.png", photograph(104, 112, number))
    save(desk / "pairs" / "a_L.png", photograph(32, 48, 1))
    save(desk / "pairs" / "a_R.png", photograph(32, 48, 2))
    save(desk / "cut" / "a.png", photograph(40, 40, 2), disc(40, 40))
    return desk


@pytest.mark.parametrize("task", ["mono", "dual", "hide", "layers", "gray", "rescale"])
def test_every_task(iic: Iic, stills: Path, task: str) -> None:
    folder = {"mono": "pairs", "layers": "cut"}.get(task, "photos")
    words = ["--data", folder, "--limit", 1, "--backgrounds", "photos"]
    done = iic("evaluate", "--task", task, *words)
    assert (done.code, done.err) == (0, "")
    titles, heading, line, mean_line = done.out.splitlines()
    assert ("reference" in titles) == (task not in ("gray", "rescale"))
    assert heading.split()[7:] == {
        "gray": [],
        "rescale": [],
        "layers": ["PSNR", "Y", "SSIM", "back", "front", "alpha"],
    }.get(task, ["PSNR", "Y", "SSIM"])
    assert line.split()[1:] == mean_line.split()[1:]
    assert len(line) == len(heading) <= 100
    facts = iic("evaluate", "--task", task, *words, "--json").json
    assert facts["task"] == task
    for place, column in ((1, "cover_psnr"), (4, "restored_psnr")):
        assert facts["mean"][column] == pytest.approx(float(line.split()[place]), abs=0.01)
    assert facts.get("zoom") == (2 if task == "dual" else None)


def test_a_file_of_figures(iic: Iic, stills: Path) -> None:
    words = ("evaluate", "--data", "photos", "--model", "gray", "--output", "figures.json")
    done = iic(*words)
    assert done.out.splitlines()[1].startswith("case")
    written = (stills / "figures.json").read_text(encoding="utf-8")
    assert json.loads(written)["cases"][2]["name"] == "2"
    iic(*words).fails(7, "figures.json exists already")
    iic(*words[:-1], "photos").fails(2, "photos is a folder")
    done = iic(*words, "--json", "--force")
    assert done.out == (stills / "figures.json").read_text(encoding="utf-8")


def test_pictures_that_cannot_be_read(iic: Iic, stills: Path) -> None:
    (stills / "photos" / "1.png").write_bytes((stills / "photos" / "0.png").read_bytes()[:500])
    (stills / "photos" / "3.jpg").write_text("no picture")
    done = iic("evaluate", "--data", "photos", "--model", "gray", "--json", "--quiet")
    assert done.code == 3
    assert [case["name"] for case in done.json["cases"]] == ["0", "2"]
    assert [case["name"] for case in done.json["failed"]] == ["1", "3"]
    first, second = done.err.splitlines()
    assert first.startswith("1 cannot be measured: ")
    assert "3.jpg is not a picture" in second
    done = iic("evaluate", "--data", "pairs", "--model", "dual")
    done.fails(3, "no picture large enough")


def test_what_is_left_out_is_said(iic: Iic, stills: Path) -> None:
    save(stills / "pairs" / "b_L.png", photograph(9, 9, 1))
    done = iic("evaluate", "--data", "pairs", "--model", "mono")
    assert (done.code, done.err) == (0, "note: b_L.png has no partner; left out.\n")
    assert iic("evaluate", "--data", "pairs", "--model", "mono", "--quiet").err == ""


def test_options_that_do_not_fit(iic: Iic, stills: Path) -> None:
    words = ("evaluate", "--data", "photos")
    iic(*words, "--model", "gray", "--task", "hide").fails(6, "gray.v1 is for gray, not for hide")
    iic(*words, "--task", "magic").fails(2, "no task 'magic'", "mono, dual")
    iic(*words, "--model", "layers").fails(2, "Layers need photographs", "--backgrounds")
    iic("evaluate", "--data", "pairs", "--model", "hide-2").fails(3, "a group takes 3")


def test_nothing_to_evaluate(iic: Iic, desk: Path, still: Path, data: Path) -> None:
    iic("evaluate", "--data", "none").fails(3, "There is no folder none")
    iic("evaluate", "--data", still.parent).fails(3, "holds no clips", "a sub-folder of frames")
    iic("evaluate", "--data", data, "--model", "none").fails(6, "There is no model 'none'")
    iic("evaluate", "--data", data, "--device", "tpu").fails(9, "There is no device 'tpu'")


@pytest.fixture
def datasets(desk: Path) -> Path:
    """A folder of data sets that holds one clip of DAVIS, one frame too few for two windows."""
    frames = moving_clip(32, 40, 6, (1, 1), seed=4)
    pictures = []
    for number, frame in enumerate(frames):
        path = f"DAVIS-2017/clip/{number:05}.png"
        save(desk / "datasets" / path, frame)
        digest = sha256((desk / "datasets" / path).read_bytes()).hexdigest()
        pictures.append(Picture("frame", path, 40, 32, digest))
    heading = Heading("davis", "test", "video", 5, (3, 1))
    folder = desk / "datasets" / "manifests"
    folder.mkdir()
    write_manifest(folder / "davis-test.jsonl", heading, [Item("clip", tuple(pictures))])
    return desk / "datasets"


def test_the_official_split_of_a_data_set(iic: Iic, datasets: Path) -> None:
    done = iic("evaluate", "--data", "datasets", "--task", "davis")
    assert (done.code, done.err) == (0, "")
    names = [line.split()[0] for line in done.out.splitlines()[2:]]
    assert names == ["clip-step1-00000", "clip-step1-00001", "mean"]
    manifest = "datasets/manifests/davis-test.jsonl"
    facts = iic("evaluate", "--data", manifest, "--json").json
    assert [case["name"] for case in facts["cases"]] == names[:2]
    assert (facts["data"], facts["model"]) == ("davis-test.jsonl", "video-5.v1")
    assert "the test split of davis: windows of 5 frames" in facts["protocol"]
    line = done.out.splitlines()[-1].split()
    assert facts["mean"]["restored_psnr"] == pytest.approx(float(line[4]), abs=0.01)
    facts = iic("evaluate", "--data", manifest, "--model", "video-3", "--step", 1, "--json").json
    assert len(facts["cases"]) == 4


def test_data_sets_that_do_not_fit(iic: Iic, datasets: Path) -> None:
    words = ("evaluate", "--data", "datasets", "--task", "davis")
    hint = "hint: Make it with: iic data prepare davis --root datasets\n"
    iic(*words, "--split", "val").fails(3, "no manifest datasets/manifests/davis-val.jsonl", hint)
    iic(*words, "--split", "all").fails(2, "davis has no split 'all'")
    iic(*words, "--first", 0).fails(2, "--first says nothing about a manifest")
    iic(*words, "--exclude", "a*").fails(2, "--exclude says nothing")
    iic(*words, "--step", 2).fails(2, "no windows of step 2", "3, 1")
    manifest = "datasets/manifests/davis-test.jsonl"
    iic("evaluate", "--data", manifest, "--task", "mono").fails(
        2, "for video (davis), not for mono"
    )
    iic("evaluate", "--data", manifest, "--split", "val").fails(2, "--split goes with a data set")
    iic("evaluate", "--data", "datasets", "--split", "val").fails(2, "--split goes with")
    (datasets / "DAVIS-2017" / "clip" / "00005.png").unlink()
    iic(*words).fails(3, "00005.png", "is not there")


def test_a_damaged_file_of_a_data_set_is_named(iic: Iic, datasets: Path) -> None:
    (datasets / "DAVIS-2017" / "clip" / "00005.png").write_text("no picture")
    done = iic("evaluate", "--data", "datasets", "--task", "davis", "--json")
    assert done.code == 3
    assert [case["name"] for case in done.json["cases"]] == ["clip-step1-00000"]
    assert "00005.png" in done.json["failed"][0]["problem"]
    assert done.err.startswith("clip-step1-00001 cannot be measured: ")
