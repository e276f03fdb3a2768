"""Averaged weights."""

import numpy as np
import pytest
import torch
from torch import nn

from iiccli.training.average import Average


def module() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def moved(net: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(value)


def test_it_begins_with_the_weights():
    net = module()
    average = Average(net, 0.9)
    assert list(average.values) == ["weight", "bias"]
    for name, parameter in net.named_parameters():
        assert torch.equal(average.values[name], parameter)
    moved(net, 5)
    assert not (average.values["bias"] == 5).any()


def test_it_follows_slowly_and_faster_at_first():
    net = module()
    moved(net, 0)
    average = Average(net, 0.5)
    expected = 0.0
    for step in range(30):
        moved(net, step + 1.0)
        average.update(net, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * (step + 1)
        assert average.values["weight"].flatten().tolist() == pytest.approx([expected] * 6)
    assert (1 + 8) / (10 + 8) == 0.5  # so both are seen above


def test_no_decay_means_the_weights_themselves():
    net = module()
    average = Average(net, 0)
    for step in range(3):
        moved(net, np.pi * step)
        average.update(net, step)
        for name, parameter in net.named_parameters():
            assert torch.equal(average.values[name], parameter)


def test_exchanging_twice_leaves_all_as_it_was():
    net = module()
    average = Average(net, 0.9)
    moved(net, 2)
    before = {k: v.clone() for k, v in average.values.items()}
    average.exchange(net)
    assert (average.values["weight"] == 2).all()
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, before[name])
    average.exchange(net)
    assert all((p == 2).all() for p in net.parameters())
    assert all(torch.equal(average.values[k], v) for k, v in before.items())


def test_a_checkpoint_s_averages_go_on():
    net = module()
    average, again = Average(net, 0.8), Average(net, 0.8)
    moved(net, 3)
    average.update(net, 100)
    # Whatever order a checkpoint has them in.
    again.load(dict(reversed([(k, v.clone()) for k, v in average.values.items()])))
    moved(net, 7)
    for one in (average, again):
        one.update(net, 101)
    assert all(torch.equal(average.values[k], again.values[k]) for k in average.values)


def test_averages_of_another_network_are_an_error():
    with pytest.raises(KeyError):
        Average(module(), 0.8).load({"weight": torch.zeros(2, 3)})


def test_what_is_averaged_has_no_gradients():
    net = module()
    average = Average(net, 0.8)
    net(torch.ones(1, 3)).sum().backward()
    average.update(net, 0)
    assert not any(v.requires_grad for v in average.values.values())
