"""Damaged inputs for all that reads: a result or one of our errors, in time and in memory.

The slow suite feeds as many inputs as `IIC_FUZZ` says, shared out by the targets' weights, from
the seed `IIC_FUZZ_SEED`, and is left out without; the fast one some hundreds. A failure names
target, seed and number, and keeps the input.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iiccli import limits
from tests.fuzz.harness import Target, feed
from tests.fuzz.seeds import put_seeds, read_seeds
from tests.fuzz.targets import MOST_PIXELS, targets
from tests.shared import shared

NAMES = (
    *("carrier", "header", "stamp", "adaptive", "transform", "codec", "model", "packed"),
    *("checkpoint", "manifest", "recipe", "clip", "picture", "claim", "photos", "words"),
)
FAST = 3
"""Inputs of the fast suite for each unit of weight."""
COUNT = int(os.environ.get("IIC_FUZZ", "0"))
SEED = int(os.environ.get("IIC_FUZZ_SEED", "1"))


@pytest.fixture(scope="module")
def all_targets(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict[str, Target]:
    patch = pytest.MonkeyPatch()
    patch.setenv("IIC_MODELS", "")  # making seeds sets it; this puts it back
    patch.setenv(limits.VARIABLE, str(MOST_PIXELS))
    folder = shared(tmp_path_factory, "seeds", lambda folder: put_seeds(folder, tiny_model))
    seeds = read_seeds(folder)
    patch.setenv("IIC_MODELS", str(seeds.models))
    found = targets(seeds)
    assert set(found) == set(NAMES)
    yield found
    patch.undo()


@pytest.mark.parametrize("name", NAMES)
def test_damaged_inputs(name: str, all_targets: dict[str, Target], tmp_path: Path) -> None:
    target = all_targets[name]
    outcomes = feed(name, target, FAST * target.weight, 0, tmp_path)
    assert sum(outcomes.values()) == FAST * target.weight


@pytest.mark.slow
@pytest.mark.skipif(not COUNT, reason="takes twenty minutes; IIC_FUZZ=20000 runs it")
@pytest.mark.parametrize("name", NAMES)
def test_many_damaged_inputs(name: str, all_targets: dict[str, Target], tmp_path: Path) -> None:
    target = all_targets[name]
    whole = sum(other.weight for other in all_targets.values())
    count = -(-COUNT * target.weight // whole)
    outcomes = feed(name, target, count, SEED, tmp_path)
    print(f"{name}: {count} inputs, {outcomes}")
    assert sum(outcomes.values()) == count
    assert "result" in outcomes, "the damage destroys everything: nothing behind it is tried"
