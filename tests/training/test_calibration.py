"""Tables fitted to pictures: better than none, and consistent."""

import dataclasses

import numpy as np
import pytest
import torch

from iiccli.coding.coefficients import SYMBOLS
from iiccli.coding.contexts import CLASSES, ONE
from iiccli.coding.rans import TOTAL
from iiccli.inference.adaptive import AdaptiveConverter
from iiccli.inference.adaptive.quantising import quantise
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.training.calibration import (
    _non_negative,
    calibrate,
    first_frequencies,
    fit_components,
    smoothed,
)
from iiccli.training.samples import Sample, analysed
from tests.adaptive_models import (
    CPU,
    KINDS,
    calibrated,
    card_of,
    converter_of,
    pictures_of,
)


def analysis(converter: AdaptiveConverter, kind: str, seed: int = 9):
    pictures = pictures_of(kind, 64, 80, seed)
    return analysed(converter, Sample(tuple(pictures), KINDS[kind].zoom), 0)


def bits(kind: str, **kept: torch.Tensor) -> float:
    """What unseen pictures take with some tables replaced, at the step that fits with none."""
    converter = converter_of(kind)
    item = analysis(converter, kind)
    level = item.message(converter).level(item.z, item.vectors)
    net = AdaptiveNet(KINDS[kind].config).requires_grad_(False)
    net.load_state_dict({**calibrated(kind).state_dict(), **kept})
    converter = converter_of(kind, net)
    item = analysis(converter, kind)
    return float(item.message(converter).coder.rate(quantise(item.z, level), level).sum())


@pytest.mark.parametrize("kind", ["hide", "gray"])
def test_every_table_saves_bits_on_pictures_it_never_saw(kind):
    whole = bits(kind)
    fresh = AdaptiveNet(KINDS[kind].config).state_dict()
    for name in ("transform.mixes", "scales", "weights", "frequencies"):
        assert whole < bits(kind, **{name: fresh[name]}), name
    assert whole < 0.7 * bits(kind, weights=fresh["weights"], frequencies=fresh["frequencies"])


@pytest.mark.parametrize("kind", ["hide", "layers", "video"])
def test_the_mixes_are_orthogonal(kind):
    mixes = calibrated(kind).transform.mixes
    eye = torch.eye(mixes.shape[-1]).expand_as(mixes)
    assert torch.allclose(mixes @ mixes.mT, eye, atol=1e-4)


def test_components_mix_only_what_belongs_together():
    for kind, parts in (("hide", (3, 3)), ("layers", (3, 1))):
        mixes = calibrated(kind).transform.mixes
        outside = torch.ones(mixes.shape[-2:])
        place = 0
        for size in parts:
            outside[place : place + size, place : place + size] = 0
            place += size
        assert (mixes * outside).abs().max() == 0
        assert (mixes[:, :3, :3] - torch.eye(3)).abs().max() > 0.1
    hide = calibrated("hide").transform.mixes
    assert torch.allclose(hide[:, :3, :3], hide[:, 3:, 3:], atol=1e-5)


def test_components_come_most_variance_first():
    converter = converter_of("video")
    items = [analysis(converter, "video", seed) for seed in (100, 101)]
    z = np.concatenate([i.z for i in items], -1)
    variance = np.square(z).mean(-1)
    assert (variance[:, 0] > variance[:, -1]).mean() > 0.9


def test_the_tables_are_what_the_coding_takes():
    net = calibrated("hide")
    assert (net.frequencies.sum(1) == TOTAL).all()
    assert (net.frequencies >= 1).all()
    assert (net.weights >= 0).all()
    assert (net.weights <= 4 * ONE).all()
    assert (net.centres.abs() <= 0.5).all()
    # Laplacian values lie nearer to zero than the middle of their step.
    assert net.centres[:, 1].mean() < 0.1
    # Low frequencies are larger.
    assert (net.scales[0] > net.scales[-1]).all()


def test_calibrating_twice_gives_the_same():
    net = AdaptiveNet(KINDS["gray"].config).eval().requires_grad_(False)
    converter = AdaptiveConverter(card_of("gray"), net, CPU, 512)
    stages: list[str] = []
    samples = [pictures_of("gray", 64, 80, 100 + i) for i in range(2)]
    items = [analysed(converter, Sample(tuple(s)), i % 2) for i, s in enumerate(samples)]
    before = [i.z for i in items]
    again = calibrate(converter, items, stages.append)
    for name, value in calibrated("gray").state_dict().items():
        if not name.startswith("enhancer"):
            assert torch.equal(net.state_dict()[name], value), name
    assert stages[0] == "principal components"
    assert len(stages) == 5
    # The samples come back as the fitted network analyses them.
    for old, item in zip(before, again, strict=True):
        assert np.allclose(item.z, analysed(converter, item.sample, 0).z, atol=1e-5)
        assert not np.allclose(item.z, old, atol=1e-3)
        assert np.square(item.z).sum() == pytest.approx(np.square(old).sum(), rel=1e-4)


def test_pictures_that_show_nothing_calibrate_too():
    """A folder of flat pictures is no reason to fail."""
    net = AdaptiveNet(KINDS["gray"].config).eval().requires_grad_(False)
    converter = AdaptiveConverter(card_of("gray"), net, CPU, 512)
    flat = Sample((np.full((48, 48, 3), 90, np.uint8),))
    calibrate(converter, [analysed(converter, flat, 0)])
    for value in net.state_dict().values():
        assert value.isfinite().all()
    assert (net.frequencies.sum(1) == TOTAL).all()


def test_components_of_one_plane_kind_are_fitted_in_place():
    net = AdaptiveNet(dataclasses.replace(KINDS["gray"].config)).requires_grad_(False)
    converter = AdaptiveConverter(card_of("gray"), net, CPU, 512)
    fit_components(net, [analysis(converter, "gray")])
    assert not torch.equal(net.transform.mixes[0], torch.eye(2))


def test_smoothed_counts_add_up_and_follow_what_was_counted():
    counts = np.zeros((CLASSES, SYMBOLS))
    counts[3, 5] = 1e6
    found = smoothed(counts)
    assert (found.sum(1) == TOTAL).all()
    assert (found >= 1).all()
    assert found[3].argmax() == 5
    assert found[3, 5] > 0.99 * (TOTAL - SYMBOLS)
    first = first_frequencies().astype(int)
    assert (first.sum(1) == TOTAL).all()
    assert first[0, 0] > first[-1, 0]


def test_non_negative_least_squares():
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4))
    wanted = np.array([2.0, 0.5, 0.0, 1.0])
    found = _non_negative(x.T @ x, x.T @ (x @ wanted))
    assert np.allclose(found, wanted, atol=1e-3)
    found = _non_negative(x.T @ x, x.T @ (x @ -wanted))
    assert (found >= 0).all()
