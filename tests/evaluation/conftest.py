"""Small models for every task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from iiccli.networks.transform import TransformNet
from iiccli.tasks.models import LoadedModel, Loader
from iiccli.zoo.catalogue import find
from tests.task_models import save_task_models


@pytest.fixture(scope="session")
def task_models(tiny_net: TransformNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models; see `save_task_models`."""
    return save_task_models(tmp_path_factory.mktemp("task-models"), tiny_net)


@pytest.fixture
def load(task_models: Path) -> Callable[[str], tuple[LoadedModel, Loader]]:
    """Give a small model by its name without version, and what restores with it."""

    def loaded(name: str) -> tuple[LoadedModel, Loader]:
        path = task_models / f"{name}.v1.safetensors"
        loader = Loader(device="cpu", override=str(path))
        return loader.load(find(str(path))), loader

    return loaded
