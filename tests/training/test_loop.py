"""The training loop: it learns, stops when told, and goes on as if it had never stopped."""

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from iiccli.errors import TrainingError
from iiccli.training.loop import Average, Schedule, choose_precision, train

FAR = 1e6  # minutes: so many that the number of steps alone drives the schedule


class Line:
    """Fit a line through noisy points: the smallest objective there is."""

    def __init__(self, poison: Callable[[int], bool] = lambda _: False) -> None:
        torch.manual_seed(7)
        self.module: nn.Module = nn.Linear(2, 1)
        self.poison = poison
        self.draws = 0
        self.losses: list[float] = []
        self.was_training: list[bool] = []

    def loss(self, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        x = torch.randn(16, 2, generator=generator)
        loss = (self.module(x) - x @ torch.tensor([[2.0], [-1.0]]) - 0.5).square().mean()
        if self.poison(self.draws):
            loss = loss * float("nan")
        self.draws += 1
        self.losses.append(loss.item())
        self.was_training.append(self.module.training)
        return loss, {"loss": loss.detach()}

    def validate(self, module: nn.Module) -> dict[str, float]:
        assert not module.training
        weight = module.weight.detach()
        return {"distance": float((weight - torch.tensor([[2.0, -1.0]])).norm())}


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def weights(objective: Line) -> list[Tensor]:
    return [p.detach().clone() for p in objective.module.parameters()]


def test_the_loss_falls_and_the_average_is_left_in_the_module(tmp_path):
    objective = Line()
    figures = train(objective, Schedule(FAR, rate=0.1, steps=150), tmp_path)
    assert len(objective.losses) == 150
    assert sum(objective.losses[-10:]) < 0.01 * sum(objective.losses[:10])
    assert figures["distance"] < 0.1
    assert not objective.module.training
    assert all(objective.was_training)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    for name, value in objective.module.named_parameters():
        assert torch.equal(value, state["average"][name])
        assert not torch.equal(value, state["module"][name])


def test_the_log_says_how_it_went(tmp_path):
    reported: list[dict] = []
    train(Line(), Schedule(FAR, steps=4), tmp_path, report=reported.append)
    lines = log_of(tmp_path)
    assert lines == reported
    assert lines[0]["step"] == lines[-1]["step"] == 4
    assert lines[0]["loss"] > 0
    assert lines[-1]["validation"].keys() == {"distance"}


def test_a_budget_of_no_time_trains_nothing(tmp_path):
    objective = Line()
    before = weights(objective)
    train(objective, Schedule(minutes=0), tmp_path)
    assert objective.draws == 0
    assert all(torch.equal(a, b) for a, b in zip(before, weights(objective), strict=True))


def test_a_budget_of_time_ends_the_training(tmp_path, monkeypatch):
    clock = iter(range(10_000))  # every look at the clock takes a second
    monkeypatch.setattr("iiccli.training.loop.time.monotonic", lambda: next(clock))
    objective = Line()
    train(objective, Schedule(minutes=0.5), tmp_path)
    assert objective.draws == 30
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["used"] == 30


def test_the_rate_warms_up_and_falls(tmp_path, monkeypatch):
    rates: list[float] = []
    step = torch.optim.Adam.step

    def spy(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    train(Line(), Schedule(FAR, rate=0.1, warmup=0.1, steps=100), tmp_path)
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
        return calls == steps

    return stop


@pytest.mark.parametrize("first", [1, 5, 9])
def test_stopping_and_resuming_equals_an_uninterrupted_run_bit_for_bit(tmp_path, first):
    schedule = Schedule(FAR, rate=0.05, steps=10)
    whole = Line()
    train(whole, schedule, tmp_path / "whole")
    begun = Line()
    train(begun, schedule, tmp_path / "parts", stop=stop_after(first))
    assert begun.draws == first
    resumed = Line()
    torch.manual_seed(999)  # a restart has other weights and other chance
    resumed.module = nn.Linear(2, 1)
    train(resumed, schedule, tmp_path / "parts", resume=True)
    assert resumed.draws == 10 - first
    assert begun.losses + resumed.losses == whole.losses
    for a, b in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(a, b)
    left, right = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    )
    for key in ("module", "average"):
        for name, value in left[key].items():
            assert torch.equal(value, right[key][name])
    assert left["step"] == right["step"] == 10


def test_without_resume_a_checkpoint_is_ignored(tmp_path):
    train(Line(), Schedule(FAR, steps=3), tmp_path)
    objective = Line()
    train(objective, Schedule(FAR, steps=3), tmp_path)
    assert objective.draws == 3


def test_resuming_what_is_done_trains_no_more_and_gives_the_same(tmp_path):
    first, again = Line(), Line()
    figures = train(first, Schedule(FAR, steps=5), tmp_path)
    assert train(again, Schedule(FAR, steps=5), tmp_path, resume=True) == figures
    assert again.draws == 0


def test_resume_without_a_checkpoint_starts(tmp_path):
    objective = Line()
    train(objective, Schedule(FAR, steps=2), tmp_path / "new", resume=True)
    assert objective.draws == 2


def test_time_used_counts_across_restarts(tmp_path, monkeypatch):
    clock = iter(range(100_000))
    monkeypatch.setattr("iiccli.training.loop.time.monotonic", lambda: next(clock))
    train(Line(), Schedule(minutes=0.5), tmp_path, stop=stop_after(12))
    for _ in range(1000):
        next(clock)  # the machine was off for a while
    objective = Line()
    train(objective, Schedule(minutes=0.5), tmp_path, resume=True)
    assert objective.draws == 18


def test_a_larger_budget_may_resume(tmp_path):
    train(Line(), Schedule(FAR, steps=3), tmp_path)
    objective = Line()
    longer = Schedule(FAR / 2, steps=5, checkpoint_minutes=9)
    train(objective, longer, tmp_path, resume=True)
    assert objective.draws == 2


@pytest.mark.parametrize("change", [{"rate": 0.25}, {"ema": 0.5}, {"seed": 3}, {"clip": 9.0}])
def test_a_checkpoint_of_another_schedule_is_refused_and_the_difference_named(tmp_path, change):
    train(Line(), Schedule(FAR, steps=2), tmp_path)
    (key, value) = next(iter(change.items()))
    with pytest.raises(TrainingError) as caught:
        train(Line(), Schedule(FAR, steps=2, **change), tmp_path, resume=True)
    assert f"{key}: {getattr(Schedule(FAR), key)} there, {value} here" in caught.value.message
    assert str(tmp_path / "checkpoint.pt") in caught.value.message


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    train(Line(), Schedule(FAR, steps=2), tmp_path)
    other = Line()
    other.module = nn.Linear(3, 1)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt"):
        train(other, Schedule(FAR, steps=2), tmp_path, resume=True)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half a file"])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt"):
        train(Line(), Schedule(FAR, steps=2), tmp_path, resume=True)


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"weights": torch.zeros(3)}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt"):
        train(Line(), Schedule(FAR, steps=2), tmp_path, resume=True)


def test_gradients_that_are_not_finite_are_skipped(tmp_path):
    """One bad batch changes nothing: neither the weights nor their average."""
    seen: list[tuple[int, list[Tensor]]] = []
    objective = Line(poison=lambda draw: draw in (4, 5))

    def stop() -> bool:
        seen.append((objective.draws, weights(objective)))
        return False

    train(objective, Schedule(FAR, rate=0.1, steps=40), tmp_path, stop=stop)
    same = [
        all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        for (_, before), (_, after) in pairwise(seen)
    ]
    assert [i + 2 for i, equal in enumerate(same) if equal] == [5, 6]
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
    train(Line(), Schedule(FAR, clip=0.25, steps=5), tmp_path)
    assert max(norms) == pytest.approx(0.25, rel=1e-3)


def test_checkpoints_are_written_in_time(tmp_path, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr("iiccli.training.loop.time.monotonic", lambda: next(clock))
    saved: list[int] = []
    save = torch.save

    def spy(state, path):
        saved.append(state["step"])
        save(state, path)

    monkeypatch.setattr(torch, "save", spy)
    train(Line(), Schedule(minutes=0.5, checkpoint_minutes=1 / 6), tmp_path)
    assert saved == [11, 22, 30]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_mixed_precision_trains_too(tmp_path):
    objective = Line()
    train(objective, Schedule(FAR, rate=0.1, steps=60), tmp_path, precision=torch.bfloat16)
    assert objective.losses[-1] < 0.1 * objective.losses[0]
    assert objective.module.weight.dtype == torch.float32


def test_the_average_follows_quickly_at_first_and_slowly_later():
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = Average(module, 0.9)
    nn.init.ones_(module.weight)
    average.update(module, 0)
    assert float(average.values["weight"]) == pytest.approx(0.9)  # decay 1 / 10
    nn.init.zeros_(module.weight)
    average.update(module, 10_000)
    assert float(average.values["weight"]) == pytest.approx(0.81)  # decay 0.9
    average.copy_to(module)
    assert module.weight.item() == pytest.approx(0.81)
    nn.init.zeros_(module.weight)
    assert float(average.values["weight"]) == pytest.approx(0.81)  # not the module's own tensor


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_resuming_on_a_gpu(tmp_path):
    class OnGpu(Line):
        def __init__(self) -> None:
            super().__init__()
            self.module = self.module.cuda()

        def loss(self, generator):
            x = torch.randn(16, 2, generator=generator).cuda()
            loss = self.module(x).square().mean()
            return loss, {"loss": loss.detach()}

        def validate(self, module):
            return {}

    train(OnGpu(), Schedule(FAR, steps=6), tmp_path, stop=stop_after(3))
    objective = OnGpu()
    train(objective, Schedule(FAR, steps=6), tmp_path, resume=True)
    assert all(p.is_cuda and p.isfinite().all() for p in objective.module.parameters())


def test_precision_by_name_and_by_hardware(monkeypatch):
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == torch.float32
    assert choose_precision("bf16", cpu) == torch.bfloat16
    assert choose_precision("auto", torch.device("cuda")) == torch.bfloat16
    for amx, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx, raising=False)
        assert choose_precision("auto", cpu) == expected
    with pytest.raises(TrainingError, match="no precision 'half'"):
        choose_precision("half", cpu)
