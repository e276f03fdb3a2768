"""Small models, small test sets, and what a benchmark makes of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from iiccli.benchmarking.book import NAME, Book
from iiccli.benchmarking.fidelity import measure_fidelity
from iiccli.benchmarking.robustness import measure_robustness
from iiccli.benchmarking.subjects import Subject, chosen_models, subjects
from iiccli.media.clip import write_clip
from iiccli.networks.transform import TransformNet
from iiccli.tasks.models import Loader
from iiccli.zoo import catalogue
from tests.conftest import moving_clip
from tests.task_models import photograph, save, save_task_models


@pytest.fixture(scope="session")
def bench_models(tiny_net: TransformNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models for all tasks but clips of full size."""
    return save_task_models(tmp_path_factory.mktemp("bench-models"), tiny_net)


@pytest.fixture
def models(bench_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No other models are at hand."""
    monkeypatch.setattr(catalogue, "folders", lambda: iter([bench_models]))
    return bench_models


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all test sets, in small."""
    root = tmp_path_factory.mktemp("sets")
    for number in range(4):
        save(root / "Kodak24" / f"{number}.png", photograph(96, 128, number))
    write_clip(root / "video" / "walk", moving_clip(64, 96, 7, (2, 1), seed=3), Fraction(25))
    return root


def planned(root: Path, *names: str, limit: int | None = 2) -> list[Subject]:
    """What is measured of some models."""
    notes: list[str] = []
    return subjects(root, chosen_models((), names), ("balanced",), limit, notes.append)


@pytest.fixture(scope="session")
def measured(
    bench_models: Path, sets: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Book, Path]:
    """A book on two models, and its folder."""
    folder = tmp_path_factory.mktemp("bench")
    book = Book(folder / NAME)
    names = [str(bench_models / f"{name}.v1.safetensors") for name in ("hide-2", "gray")]
    found = planned(sets, *names)
    loader = Loader(device="cpu")
    measure_fidelity(found, book, loader)
    measure_robustness(planned(sets, *names, limit=1), book, loader)
    book.facts["protocol"] = "as told"
    book.save()
    return book, folder
