"""What a folder gives to be measured, for each task."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import Header
from iiccli.errors import InputError, ModelError, UsageError
from iiccli.evaluation.cases import RULES, Case, CaseOptions, Plan, plan_cases
from iiccli.media.clip import write_clip
from iiccli.tasks.conversion import MODULES, conversion
from iiccli.zoo.modelfile import Card
from tests.conftest import moving_clip
from tests.task_models import disc, photograph, save


def plan(task: str, folder: Path, *, pictures: int = 2, scale: int = 1, **options: object) -> Plan:
    card = Card(task, task, "transform", {"pictures": pictures, "scale": scale})
    return plan_cases(card, folder, CaseOptions(**options))  # type: ignore[arg-type]


def read(found: Plan) -> list[Case]:
    return [case.read() for case in found.cases]


def test_every_task_has_a_rule() -> None:
    assert set(RULES) == set(MODULES)


def test_clips_for_covers_of_half_the_size(tmp_path: Path) -> None:
    frames = moving_clip(30, 41, 8)
    write_clip(tmp_path / "one", frames, Fraction(25))
    (case,) = read(plan("video", tmp_path, pictures=3, scale=2))
    assert case.reference == 1
    assert all((a == b).all() for a, b in zip(case.pictures, frames[3:6], strict=True))
    (case,) = read(plan("video", tmp_path, pictures=3, first=0))
    assert (case.pictures[0] == frames[0]).all()


@pytest.mark.parametrize(
    "names",
    [
        ("a_L.png", "a_R.png", "b_L.webp", "b_R.png"),
        ("a_left.png", "a_right.png", "b-LEFT.png", "b-Right.png"),
        ("a.l.png", "a.r.png", "b l.png", "b r.png"),
        ("left/a.png", "right/a.png", "left/b.png", "right/b.bmp"),
        ("L/a_L.png", "R/a_R.png", "L/b.png", "R/b.png"),
    ],
)
def test_stereo_pairs(tmp_path: Path, names: tuple[str, ...]) -> None:
    views = [photograph(20, 30, seed) for seed in range(4)]
    for name, view in zip(names, views, strict=True):
        save(tmp_path / name.replace("webp", "bmp"), view)
    save(tmp_path / ".hidden_L.png", views[0])
    found = plan("mono", tmp_path)
    assert [case.name for case in found.cases] == ["a", "b"]
    assert found.left_out == []
    for case, pair in zip(read(found), (views[:2], views[2:]), strict=True):
        assert case.reference == 0
        assert all((a == b).all() for a, b in zip(case.pictures, pair, strict=True))


def test_views_without_a_partner_are_named(tmp_path: Path) -> None:
    for name in ("a_L", "a_R", "b_L", "c_R", "royal", "whole"):
        save(tmp_path / f"{name}.png", photograph(9, 9, 0))
    found = plan("mono", tmp_path)
    assert [case.name for case in found.cases] == ["a"]
    assert found.left_out == ["b_L.png has no partner", "c_R.png has no partner"]
    save(tmp_path / "a_R.png", photograph(9, 10, 0))
    with pytest.raises(InputError, match=r"a_L\.png and a_R\.png differ in size"):
        found.cases[0].read()


def test_no_pairs(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photograph(9, 9, 0))
    with pytest.raises(InputError, match="holds no stereo pairs"):
        plan("mono", tmp_path)


@pytest.mark.parametrize("zoom", [2, 4])
def test_dual_views(tmp_path: Path, zoom: int) -> None:
    picture = photograph(48 * zoom + 3, 64 * zoom + 1, 1)
    save(tmp_path / "a.png", picture)
    save(tmp_path / "small.png", photograph(48 * zoom - 1, 400, 2))
    found = plan("dual", tmp_path, zoom=zoom)
    assert found.left_out == [f"small.png is too small for a zoom of {zoom}"]
    (case,) = read(found)
    wide, tele = case.pictures
    assert wide.shape == tele.shape == (48, 64, 3)
    assert case.zoom == zoom
    top, left = 1 + 24 * (zoom - 1), 32 * (zoom - 1)
    assert (tele == picture[top : top + 48, left : left + 64]).all()
    whole = picture[1 : 1 + 48 * zoom, : 64 * zoom]
    small = np.array(Image.fromarray(whole).resize((64, 48), Image.Resampling.BICUBIC))
    assert (wide == small).all()


def test_a_carrier_tells_the_zoom_of_a_case(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photograph(192, 192, 1))
    (case,) = read(plan("dual", tmp_path, zoom=4))
    header = Header(
        task="dual",
        model="m",
        model_hash="0" * 64,
        size=(48, 48),
        pictures=2,
        reference=0,
        valid=2,
        **case.header,
    )
    assert conversion("dual").zoom(header) == case.zoom == 4


def test_all_too_small_for_the_zoom(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photograph(95, 200, 1))
    with pytest.raises(InputError, match="no picture large enough for a zoom of 2") as error:
        plan("dual", tmp_path)
    assert "96 pixels" in error.value.hint


def test_groups_for_hiding(tmp_path: Path) -> None:
    sizes = [(20, 30), (33, 22), (24, 24), (18, 40)]
    pictures = [photograph(*size, seed) for seed, size in enumerate(sizes)]
    for number, picture in zip((1, 2, 10, 11), pictures, strict=True):
        save(tmp_path / f"p{number}.png", picture)
    cases = read(plan("hide", tmp_path, pictures=3))
    assert [case.name for case in cases] == ["p1", "p2", "p10", "p11"]
    # The second is a portrait and lies down for the first; the third is square.
    turned = np.rot90(pictures[1])
    expected = [pictures[0][:, 3:27], turned[1:21, 4:28], pictures[2][2:22]]
    assert all((a == b).all() for a, b in zip(cases[0].pictures, expected, strict=True))
    # After the last comes the first.
    assert cases[3].pictures[0].shape == (18, 30, 3)
    assert (cases[3].pictures[1] == pictures[0][1:19]).all()
    with pytest.raises(InputError, match=r"holds 4 pictures; a group takes 5"):
        plan("hide", tmp_path, pictures=5)


def test_a_landscape_stands_up_for_a_portrait(tmp_path: Path) -> None:
    portrait, landscape = photograph(30, 20, 0), photograph(20, 30, 1)
    save(tmp_path / "a.png", portrait)
    save(tmp_path / "b.png", landscape)
    first, second = read(plan("hide", tmp_path))
    assert (first.pictures[1] == np.rot90(landscape)).all()
    assert (second.pictures[1] == np.rot90(portrait)).all()


def test_cut_outs_over_photographs(tmp_path: Path) -> None:
    grounds = [photograph(60, 80, 1), photograph(80, 60, 2)]
    for number, ground in enumerate(grounds):
        save(tmp_path / "grounds" / f"{number}.png", ground)
    for name, size in (("a", (200, 100)), ("b", (30, 30)), ("c", (40, 90))):
        save(tmp_path / "cut" / f"{name}.png", photograph(*size, 3), disc(*size))
    cases = read(plan("layers", tmp_path / "cut", pictures=3, backgrounds=tmp_path / "grounds"))
    assert [case.name for case in cases] == ["a", "b", "c"]
    for case, ground in zip(cases, [*grounds, grounds[0]], strict=True):
        composite, background, gray = case.pictures
        assert case.foreground is not None
        assert (background == ground).all()
        assert (gray == gray[..., :1]).all()
        alpha = gray[..., :1] / 255
        expected = np.rint(alpha * case.foreground + (1 - alpha) * background)
        assert np.abs(composite - expected).max() == 0
        rows, columns = (np.flatnonzero(gray[..., 0].any(axis=1 - axis)) for axis in (0, 1))
        filled = (np.ptp(rows) + 1) / len(gray), (np.ptp(columns) + 1) / gray.shape[1]
        assert max(filled) == pytest.approx(0.9, abs=0.04)
        assert abs(rows[0] + rows[-1] + 1 - len(gray)) <= 2  # in the middle
        assert abs(columns[0] + columns[-1] + 1 - gray.shape[1]) <= 2


def test_what_is_no_cut_out(tmp_path: Path) -> None:
    picture = photograph(30, 30, 1)
    save(tmp_path / "a.png", picture)
    save(tmp_path / "b.png", picture, np.zeros((30, 30), np.uint8))
    found = plan("layers", tmp_path, pictures=3, backgrounds=tmp_path)
    for case in found.cases:
        with pytest.raises(InputError, match="is no cut-out"):
            case.read()
    with pytest.raises(UsageError, match="Layers need photographs") as error:
        plan("layers", tmp_path, pictures=3)
    assert "--backgrounds" in error.value.hint
    with pytest.raises(InputError, match="There is no folder"):
        plan("layers", tmp_path, pictures=3, backgrounds=tmp_path / "none")


def test_photographs_for_gray_and_rescale(tmp_path: Path) -> None:
    picture = photograph(23, 30, 1)
    save(tmp_path / "b.png", picture)
    save(tmp_path / "a.tif", picture, disc(23, 30))
    (tmp_path / "README.md").write_text("no picture")
    (tmp_path / ".c.png").write_bytes(b"hidden")
    first, second = read(plan("gray", tmp_path, pictures=1))
    assert (first.name, second.name) == ("a", "b")
    assert (first.pictures[0] == picture).all()
    assert (second.pictures[0] == picture).all()
    first, _ = read(plan("rescale", tmp_path, pictures=1, scale=4))
    assert (first.pictures[0] == picture[:20, :28]).all()
    save(tmp_path / "b.png", picture[:3])
    found = plan("rescale", tmp_path, pictures=1, scale=4)
    assert [case.name for case in found.cases] == ["a"]
    assert found.left_out == ["b.png is too small for a scale of 4"]
    (tmp_path / "a.tif").unlink()
    with pytest.raises(InputError, match="large enough for a scale of 4"):
        plan("rescale", tmp_path, pictures=1, scale=4)


def test_damaged_pictures_are_named_when_they_are_read(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photograph(200, 200, 1))
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    (tmp_path / "c.jpg").write_text("no picture")
    for task in ("gray", "rescale", "dual"):
        found = plan(task, tmp_path, scale=2 if task == "rescale" else 1)
        assert [case.name for case in found.cases] == ["a", "b", "c"]
        found.cases[0].read()
        for case, name in zip(found.cases[1:], (r"b\.png", r"c\.jpg"), strict=True):
            with pytest.raises(InputError, match=name):
                case.read()


def test_a_limit(tmp_path: Path) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.png", photograph(9, 9, 0))
    assert [case.name for case in plan("gray", tmp_path, limit=2).cases] == ["a", "b"]
    assert len(plan("gray", tmp_path, limit=9).cases) == 3


@pytest.mark.parametrize("options", [{"limit": 0}, {"first": -1}, {"zoom": 1}, {"zoom": 2.5}])
def test_numbers_that_make_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=f"no {next(iter(options))}"):
        CaseOptions(**options)
    with pytest.raises(UsageError):
        replace(CaseOptions(), **options)


def test_folders_that_give_nothing(tmp_path: Path) -> None:
    for task in ("dual", "hide", "gray", "rescale", "mono"):
        with pytest.raises(InputError, match="There is no folder"):
            plan(task, tmp_path / "none")
        with pytest.raises(InputError, match="no pictures"):
            plan(task, tmp_path)
    with pytest.raises(ModelError, match="no conversion 'magic'"):
        plan("magic", tmp_path)
