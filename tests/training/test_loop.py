"""The training loop: it learns, stops when told, and goes on as if it had never stopped."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from iiccli.errors import TrainingError
from iiccli.training import checkpoints
from iiccli.training.chance import Chance
from iiccli.training.engine import make_engine
from iiccli.training.loop import CHECKPOINTS, train
from iiccli.training.recipes import Recipe, as_table, recipe_of
from iiccli.training.watching.base import Watchers
from iiccli.training.watching.log import JsonLog, read_log


def recipe(steps: int | None = None, minutes: float | None = None, **values: object) -> Recipe:
    """A recipe; the loop reads nothing of the network."""
    tables: dict[str, dict[str, object]] = {"loop": {"steps": steps, "minutes": minutes}}
    for key, value in values.items():
        part = "optimiser" if key in ("rate", "warmup", "clip", "ema", "decay") else "loop"
        tables.setdefault(part, {})[key] = value
    return recipe_of(
        {
            "name": "line",
            "task": "gray",
            "network": "fast",
            "config": {"pictures": 1, "out_channels": 1, "quantiser": "plain", "start": "gray"},
            "loss": [{"of": "restored", "kind": "l2"}],
            **tables,
        },
        "line",
    )


class Line:
    """Fit a line through noisy points: the smallest objective there is."""

    def __init__(self, poison: Callable[[int], bool] = lambda _: False) -> None:
        torch.manual_seed(7)
        self.module: nn.Module = nn.Linear(2, 1)
        self.poison = poison
        self.draws = 0
        self.losses: list[float] = []
        self.was_training: list[bool] = []

    def batch(self, step: int, share: range) -> Tensor:
        return torch.randn(16, 2, generator=Chance(3, step).generator)

    def loss(self, module: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        loss = (module(batch) - batch @ torch.tensor([[2.0], [-1.0]]) - 0.5).square().mean()
        if self.poison(self.draws):
            loss = loss * float("nan")
        self.draws += 1
        self.losses.append(loss.item())
        self.was_training.append(module.training)
        return loss, {"distance": self.distance(module)}

    def distance(self, module: nn.Module) -> Tensor:
        return (next(module.parameters()).detach() - torch.tensor([[2.0, -1.0]])).norm()

    def validate(self, module: nn.Module) -> dict[str, float]:
        assert not module.training
        return {"distance": float(self.distance(module))}

    def sheet(self, module: nn.Module) -> None:
        return None


def learn(
    objective: Line,
    wanted: Recipe,
    run: Path,
    *,
    precision: str = "fp32",
    **options: object,
) -> dict[str, float] | None:
    """Train on the CPU, with a log."""
    log = JsonLog(run / "log.jsonl")
    log.started({})
    engine = make_engine(torch.device("cpu"), precision)
    try:
        return train(objective, wanted, run, engine, log, **options)  # type: ignore[arg-type]
    finally:
        log.close()


def state_of(run: Path) -> dict:
    state = checkpoints.load(run / CHECKPOINTS, None)
    assert state is not None
    return state


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that each batch moves by a second."""
    now = [100.0]
    monkeypatch.setattr("iiccli.training.loop.time.monotonic", lambda: now[0])
    draw = Line.batch

    def slow(self: Line, step: int, share: range) -> Tensor:
        now[0] += 1
        return draw(self, step, share)

    monkeypatch.setattr(Line, "batch", slow)
    return now


def weights(objective: Line) -> list[Tensor]:
    return [p.detach().clone() for p in objective.module.parameters()]


def test_the_loss_falls_and_the_average_is_left_in_the_module(tmp_path):
    objective = Line()
    figures = learn(objective, recipe(rate=0.1, steps=150), tmp_path)
    assert len(objective.losses) == 150
    assert sum(objective.losses[-10:]) < 0.01 * sum(objective.losses[:10])
    assert figures["distance"] < 0.1
    assert not objective.module.training
    assert all(objective.was_training)
    state = state_of(tmp_path)
    for name, value in objective.module.named_parameters():
        assert torch.equal(value, state["average"][name])
        assert not torch.equal(value, state["module"][name])


def test_the_log_says_how_it_went(tmp_path):
    learn(Line(), recipe(steps=5, report_steps=2, rate=0.1), tmp_path)
    lines = read_log(tmp_path / "log.jsonl")
    assert [line["step"] for line in lines] == [2, 4, 5, 5]
    for line in lines[:3]:
        assert line["loss"] > 0
        assert line["distance"] > 0
        assert line["pictures_per_second"] > 0
        assert line["skipped"] == 0
        assert 0 < line["rate"] <= 0.1
    assert lines[-1]["validation"].keys() == {"distance"}


def test_a_budget_of_no_time_trains_nothing(tmp_path):
    objective = Line()
    before = weights(objective)
    learn(objective, recipe(minutes=0), tmp_path)
    assert objective.draws == 0
    assert all(torch.equal(a, b) for a, b in zip(before, weights(objective), strict=True))


def test_a_budget_of_time_ends_the_training(tmp_path, clock):
    objective = Line()
    learn(objective, recipe(minutes=0.5), tmp_path)
    assert objective.draws == 30
    assert state_of(tmp_path)["used"] == 30
    speeds = [line.get("pictures_per_second") for line in read_log(tmp_path / "log.jsonl")]
    assert speeds == [8, 8, None]  # after more than 20 seconds, and in the end


def test_whichever_budget_is_used_up_first_drives_the_rate(tmp_path, clock):
    learn(Line(), recipe(minutes=0.5, steps=1000, rate=0.1, report_steps=1), tmp_path)
    rates = [line["rate"] for line in read_log(tmp_path / "log.jsonl")[:-1]]
    assert len(rates) == 30
    assert rates[-1] < 0.002


def test_the_rate_warms_up_and_falls(tmp_path, monkeypatch):
    rates: list[float] = []
    step = torch.optim.Adam.step

    def spy(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    learn(Line(), recipe(rate=0.1, warmup=0.1, steps=100), tmp_path)
    assert len(rates) == 100
    assert rates[0] == pytest.approx(0.001)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == max(rates) == pytest.approx(0.1)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.0505, rel=1e-3)
    assert rates[-1] == pytest.approx(0.001, rel=0.1)


def stop_after(steps: int) -> Callable[[], bool]:
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls == steps + 1  # it is asked before the first step, too

    return stop


@pytest.mark.parametrize("first", [1, 5, 9])
def test_stopping_and_resuming_equals_an_uninterrupted_run_bit_for_bit(tmp_path, first):
    schedule = recipe(rate=0.05, steps=10)
    whole = Line()
    learn(whole, schedule, tmp_path / "whole")
    begun = Line()
    learn(begun, schedule, tmp_path / "parts", stop=stop_after(first))
    assert begun.draws == first
    resumed = Line()
    torch.manual_seed(999)  # a restart has other weights and other chance
    resumed.module = nn.Linear(2, 1)
    learn(resumed, schedule, tmp_path / "parts", resume=True)
    assert resumed.draws == 10 - first
    assert begun.losses + resumed.losses == whole.losses
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(a, b)
    left, right = (state_of(tmp_path / name) for name in ("whole", "parts"))
    for key in ("module", "average"):
        for name, value in left[key].items():
            assert torch.equal(value, right[key][name])
    assert left["step"] == right["step"] == 10


def test_without_resume_a_checkpoint_is_ignored(tmp_path):
    learn(Line(), recipe(steps=3), tmp_path)
    objective = Line()
    learn(objective, recipe(steps=3), tmp_path)
    assert objective.draws == 3


def test_resuming_what_is_done_trains_no_more_and_gives_the_same(tmp_path):
    first, again = Line(), Line()
    figures = learn(first, recipe(steps=5), tmp_path)
    assert learn(again, recipe(steps=5), tmp_path, resume=True) == figures
    assert again.draws == 0


def test_resume_without_a_checkpoint_starts(tmp_path):
    objective = Line()
    learn(objective, recipe(steps=2), tmp_path / "new", resume=True)
    assert objective.draws == 2


def test_time_used_counts_across_restarts(tmp_path, clock):
    learn(Line(), recipe(minutes=0.5), tmp_path, stop=stop_after(12))
    clock[0] += 1000  # the machine was off for a while
    objective = Line()
    learn(objective, recipe(minutes=0.5), tmp_path, resume=True)
    assert objective.draws == 18


def test_validations_in_passing_take_no_time_of_the_training_and_change_nothing(
    tmp_path, clock, monkeypatch
):
    measure = Line.validate

    def slow(self: Line, module: nn.Module) -> dict[str, float]:
        clock[0] += 500
        return measure(self, module)

    monkeypatch.setattr(Line, "validate", slow)
    watched, alone = Line(), Line()
    learn(watched, recipe(minutes=0.5, validate_minutes=0.1), tmp_path / "a")
    learn(alone, recipe(minutes=0.5, validate_minutes=100), tmp_path / "b")
    assert watched.losses == alone.losses
    lines = read_log(tmp_path / "a" / "log.jsonl")
    assert [line["step"] for line in lines if "validation" in line] == [7, 14, 21, 28, 30]


def test_a_larger_budget_may_resume(tmp_path):
    learn(Line(), recipe(steps=3), tmp_path)
    objective = Line()
    longer = recipe(minutes=1e6, steps=5, checkpoint_minutes=9, keep=1)
    learn(objective, longer, tmp_path, resume=True)
    assert objective.draws == 2


@pytest.mark.parametrize("change", [{"rate": 0.25}, {"ema": 0.5}, {"seed": 3}, {"clip": 9.0}])
def test_a_checkpoint_of_another_recipe_is_refused_and_the_difference_named(tmp_path, change):
    learn(Line(), recipe(steps=2), tmp_path)
    (key, value) = next(iter(change.items()))
    with pytest.raises(TrainingError) as caught:
        learn(Line(), recipe(steps=2, **change), tmp_path, resume=True)
    table = as_table(recipe(steps=2))
    before = {**table["loop"], **table["optimiser"]}[key]
    assert f"{key}: {before} there, {value} here" in caught.value.message
    assert "step-00000002.pt" in caught.value.message


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    learn(Line(), recipe(steps=2), tmp_path)
    other = Line()
    other.module = nn.Linear(3, 1)
    with pytest.raises(TrainingError, match="another network"):
        learn(other, recipe(steps=2), tmp_path, resume=True)


def test_gradients_that_are_not_finite_are_skipped(tmp_path):
    """One bad batch changes nothing: neither the weights nor their average."""
    seen: list[tuple[int, list[Tensor]]] = []
    objective = Line(poison=lambda draw: draw in (4, 5))

    def stop() -> bool:
        seen.append((objective.draws, weights(objective)))
        return False

    learn(objective, recipe(rate=0.1, steps=40), tmp_path, stop=stop)
    same = [
        all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        for (_, before), (_, after) in pairwise(seen)
    ]
    assert [i for i, equal in enumerate(same) if equal] == [4, 5]
    assert read_log(tmp_path / "log.jsonl")[0]["skipped"] == 2
    assert all(p.isfinite().all() for p in weights(objective))
    assert math.isfinite(sum(objective.losses[6:]))


def test_gradients_are_clipped(tmp_path, monkeypatch):
    norms: list[float] = []
    step = torch.optim.Adam.step

    def spy(self, *args, **kwargs):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    learn(Line(), recipe(clip=0.25, steps=5), tmp_path)
    assert max(norms) == pytest.approx(0.25, rel=1e-3)


def test_checkpoints_are_written_in_time_and_the_last_kept(tmp_path, clock, monkeypatch):
    saved: list[int] = []
    save = torch.save

    def spy(state, path):
        saved.append(state["step"])
        save(state, path)

    monkeypatch.setattr(torch, "save", spy)
    learn(Line(), recipe(minutes=0.5, checkpoint_minutes=1 / 6, keep=2), tmp_path)
    assert saved == [11, 22, 30]
    names = [p.name for p in checkpoints.found(tmp_path / CHECKPOINTS)]
    assert names == ["step-00000030.pt", "step-00000022.pt"]
    learn(Line(), recipe(steps=7, checkpoint_steps=3, keep=9), tmp_path / "b")
    assert saved[3:] == [3, 6, 7]


def test_mixed_precision_trains_too(tmp_path):
    objective = Line()
    learn(objective, recipe(rate=0.1, steps=60), tmp_path, precision="bf16")
    assert objective.losses[-1] < 0.1 * objective.losses[0]
    assert objective.module.weight.dtype == torch.float32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_resuming_on_a_gpu(tmp_path):
    class OnGpu(Line):
        def __init__(self) -> None:
            super().__init__()
            self.module = self.module.cuda()

        def batch(self, step, share):
            return super().batch(step, share).cuda()

        def loss(self, module, batch):
            loss = module(batch).square().mean()
            return loss, {}

        def validate(self, module):
            return {}

    engine = make_engine(torch.device("cuda"), "bf16")
    wanted = recipe(steps=6)
    train(OnGpu(), wanted, tmp_path, engine, Watchers(()), stop=stop_after(3))
    objective = OnGpu()
    train(objective, wanted, tmp_path, engine, Watchers(()), resume=True)
    assert all(p.is_cuda and p.isfinite().all() for p in objective.module.parameters())
