"""What a training runs on."""

import pytest
import torch

from iiccli.errors import TrainingError, UsageError
from iiccli.training.engine import Pace, choose_precision, make_engine, mean_of

CPU = torch.device("cpu")


def test_precision_by_name_and_by_hardware(monkeypatch):
    assert choose_precision("fp32", CPU) == "fp32"
    assert choose_precision("bf16", CPU) == "bf16"
    assert choose_precision("auto", torch.device("cuda")) == "bf16"
    assert choose_precision("fp16", torch.device("cuda")) == "fp16"
    assert choose_precision("auto", torch.device("mps")) == "fp32"
    for amx, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx, raising=False)
        assert choose_precision("auto", CPU) == expected
    with pytest.raises(TrainingError, match="no precision 'half'"):
        choose_precision("half", CPU)
    with pytest.raises(TrainingError, match="fp16 is not for training on a CPU"):
        choose_precision("fp16", CPU)


def test_one_process_after_another_with_other_precisions():
    for precision, wanted in (("fp32", "no"), ("bf16", "bf16"), ("fp32", "no")):
        engine = make_engine(CPU, precision)
        assert engine.mixed_precision == wanted
        assert engine.num_processes == 1
        assert engine.device == CPU


def test_several_processes_do_not_share_a_card(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="cuda:1"):
        make_engine(torch.device("cuda:1"))


def test_without_accelerate_there_is_a_hint(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "accelerate", None)
    with pytest.raises(TrainingError) as caught:
        make_engine(CPU)
    assert "iiccli[train]" in caught.value.hint


def test_means_over_steps():
    engine = make_engine(CPU)
    assert mean_of(engine, []) == {}
    seen = [
        {"a": torch.tensor(1.0), "b": torch.tensor(5)},
        {"a": torch.tensor(2.0), "b": torch.tensor(7)},
    ]
    assert mean_of(engine, seen) == {"a": 1.5, "b": 6.0}


def test_alone_one_keeps_ones_own_pace():
    pace = Pace(make_engine(CPU))
    assert [pace.at(step, step / 2, step == 3) for step in (1, 3)] == [(0.5, False), (1.5, True)]
