"""The standard test sets, on a miniature of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from iiccli.errors import InputError, ModelError
from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.protocol import evaluate_plan, means, protocol_of
from iiccli.evaluation.standard import SETS, check_sets, distinct_qualities, measure
from iiccli.tasks.conversion import MODULES
from iiccli.tasks.models import LoadedModel, Loader
from tests.task_models import disc, photograph, save

Load = Callable[[str], tuple[LoadedModel, Loader]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / "Kodak24" / f"{number}.png", photograph(32, 48, number))
        save(tmp_path / "DIV2K_valid_crop256" / f"{number}.png", photograph(24, 24, number))
    for number, name in enumerate(("a_L", "a_R", "b_L", "b_R")):
        save(tmp_path / "stereo" / f"{name}.png", photograph(24, 32, number))
    save(tmp_path / "matting" / "a.png", photograph(30, 30, 9), disc(30, 30))
    return tmp_path


def test_every_task_has_sets() -> None:
    assert set(SETS) == set(MODULES)
    for sets in SETS.values():
        assert len({test_set.name for test_set in sets}) == len(sets)


def test_a_set_at_all_qualities(root: Path, load: Load) -> None:
    model, loader = load("mono")
    told: list[str] = []
    figures = measure(model, loader, root, report=told.append)
    assert figures is not None
    assert set(figures) == {"protocol", "sets", "cases"}
    assert figures["protocol"] == protocol_of("mono")
    assert figures["cases"] == {"stereo": 2}
    plan = plan_cases(model.converter.card, root / "stereo", CaseOptions())
    expected = means(evaluate_plan(plan, model, loader, "content"))
    assert figures["sets"]["stereo"]["content"] == pytest.approx(expected, abs=1e-4)
    assert list(figures["sets"]["stereo"]) == ["cover", "balanced", "content"]
    assert len(told) == 3


def test_several_sets_at_the_one_quality(root: Path, load: Load) -> None:
    figures = measure(*load("gray"), root)
    assert figures is not None
    assert figures["cases"] == {"Kodak24": 3, "DIV2K_valid_crop256": 3}
    assert {name: list(rows) for name, rows in figures["sets"].items()} == {
        "Kodak24": ["balanced"],
        "DIV2K_valid_crop256": ["balanced"],
    }


def test_the_first_cases_only(root: Path, load: Load) -> None:
    model, loader = load("gray")
    figures = measure(model, loader, root, limit=2)
    assert figures is not None
    assert figures["cases"] == {"Kodak24": 2, "DIV2K_valid_crop256": 2}
    assert figures["cut_from"] == {"Kodak24": 3, "DIV2K_valid_crop256": 3}
    plan = plan_cases(model.converter.card, root / "Kodak24", CaseOptions(limit=2))
    expected = means(evaluate_plan(plan, model, loader, "balanced"))
    assert figures["sets"]["Kodak24"]["balanced"] == pytest.approx(expected, abs=1e-4)
    whole = measure(model, loader, root, limit=3)
    assert whole is not None
    assert "cut_from" not in whole


def test_backgrounds_are_found(root: Path, load: Load) -> None:
    figures = measure(*load("layers"), root)
    assert figures is not None
    assert figures["cases"] == {"matting on Kodak24": 1}
    row = figures["sets"]["matting on Kodak24"]["balanced"]
    assert 0 <= row["alpha_error"] < 0.1
    assert not np.isnan(list(row.values())).any()


def test_a_stop(root: Path, load: Load) -> None:
    told: list[str] = []
    assert measure(*load("gray"), root, report=told.append, stop=lambda: True) is None
    assert len(told) == 1


def test_a_set_that_is_missing(root: Path, load: Load) -> None:
    check_sets("gray", root)
    with pytest.raises(InputError, match=r"test set .*Set5 is not there"):
        measure(*load("rescale-2"), root)
    with pytest.raises(InputError, match="video is not there"):
        check_sets("video", root)
    (root / "Kodak24").rename(root / "elsewhere")
    with pytest.raises(InputError, match="Kodak24 is not there"):
        check_sets("layers", root)
    with pytest.raises(ModelError, match="no test sets for 'magic'"):
        check_sets("magic", root)


def test_qualities_that_differ() -> None:
    assert distinct_qualities(1) == ["balanced"]
    assert distinct_qualities(2) == ["cover", "balanced"]
    assert distinct_qualities(3) == distinct_qualities(9) == ["cover", "balanced", "content"]
