"""What is fitted for pictures in sequence: weights of the modes, colours, levels."""

import copy

import numpy as np
import pytest
import torch

from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.sequence import Weighing
from iiccli.training.samples import Sample
from iiccli.training.sequencing import Cells, begin_modes, fit_modes, sequenced
from tests.adaptive_models import CPU, KINDS, calibrated, card_of, converter_of, pictures_of


def samples(count: int, seed: int = 300) -> list[Sample]:
    return [Sample(tuple(pictures_of("sequence", 64, 80, seed + i))) for i in range(count)]


def rate(net: AdaptiveNet, sample: Sample, level: int = -1200) -> float:
    """Bits of a sample that the network never saw."""
    converter = AdaptiveConverter(card_of("sequence"), net, CPU, 512)
    item = sequenced(converter, sample, 0, np.random.default_rng(0))
    code = converter.in_turn.coding(item.sequence, item.wanted, item.message(converter))
    return float(code(level).rates.sum())


@pytest.mark.parametrize("table", ["gains", "frequencies", "weights", "scales"])
def test_every_table_saves_bits_on_pictures_it_never_saw(table):
    net = copy.deepcopy(calibrated("sequence"))
    (sample,) = samples(1)
    fitted = rate(net, sample)
    fresh = AdaptiveNet(net.config).state_dict()[table]
    getattr(net, table).copy_(fresh)
    assert rate(net, sample) > 1.01 * fitted


def test_the_first_mode_takes_the_cover_as_it_is():
    gains = calibrated("sequence").gains
    assert (gains[0, 0] == 1).all()
    assert (gains[0, 1] == 0).all()
    assert not torch.equal(gains[1], gains[2])
    assert gains.abs().max() <= 1.5


def test_weights_that_made_the_pictures_are_found():
    """Half of the cells are mostly the cover, the others mostly the picture before."""
    net = AdaptiveNet(KINDS["sequence"].config).requires_grad_(False)
    begin_modes(net)
    random = torch.Generator().manual_seed(0)

    def noise(scale: float) -> torch.Tensor:
        return scale * torch.randn(64, 3, 400, generator=random)

    cover, before = noise(1), noise(1)
    half = torch.arange(400) < 200
    wanted = torch.where(half, 0.4 * cover + 0.1 * before, 0.9 * before) + noise(0.001)
    fit_modes(net, [Cells(1, wanted, cover, before, 0.01)])
    found = sorted(net.gains[1:].mean((2, 3)).tolist())
    assert found[0] == pytest.approx([0.0, 0.9], abs=0.01)
    assert found[1] == pytest.approx([0.4, 0.1], abs=0.01)
    chosen = Weighing(net, 1).choose(0.01, wanted, cover, before)
    assert len(torch.unique(chosen[half])) == len(torch.unique(chosen[~half])) == 1


def test_levels_begin_where_samples_came_to():
    converter = converter_of("sequence")
    assert len(converter.net.starts) == converter.qualities
    for quality in range(converter.qualities):
        (sample,) = samples(1, 100 + quality)
        item = sequenced(converter, sample, quality, np.random.default_rng(0))
        coded = item.coded(converter)
        assert coded is not None
        assert abs(coded.level - int(converter.net.starts[quality])) < 128


def test_a_sample_of_another_quality_is_coded_for_it():
    converter = converter_of("sequence")
    (sample,) = samples(1)
    item = sequenced(converter, sample, 0, np.random.default_rng(0))
    other = item.at(1)
    assert other.quality == 1
    contents = [i.content(converter) for i in (item, other)]
    assert all(c is not None for c in contents)
    levels = [int(c.levels[0]) for c in contents if c is not None]
    assert levels[1] < levels[0]
