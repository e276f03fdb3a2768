"""What the enhancer learns from: pictures as they come out of a carrier."""

import numpy as np
import pytest
import torch

from iiccli.coding.layout import Span
from iiccli.inference.adaptive.decoded import Decoded
from iiccli.inference.adaptive.quantising import quantise
from iiccli.inference.adaptive.repairing import spread as spread_tile
from iiccli.inference.tiles import Tile
from iiccli.networks.adaptive.planes import as_pictures
from iiccli.training.groups import Group
from iiccli.training.repair import spread
from iiccli.training.samples import FIXED, Sample, analysed, examples, sample_of
from iiccli.training.sequencing import sequenced
from tests.adaptive_models import KINDS, converter_of, everywhere, pictures_of

kinds = pytest.mark.parametrize("kind", KINDS)


def made(kind: str, quality: int = 0, size: tuple[int, int] = (53, 70)):
    converter = converter_of(kind)
    sample = Sample(tuple(pictures_of(kind, *size, 3)), KINDS[kind].zoom)
    if converter.config.modes:
        item = sequenced(converter, sample, quality, np.random.default_rng(1))
    else:
        item = analysed(converter, sample, quality)
    return converter, item, examples(converter, item, np.random.default_rng(0))


@kinds
def test_an_example_is_what_goes_in_and_what_should_come_out(kind):
    converter, item, parts = made(kind)
    config = converter.config
    assert len(parts) == (1 if config.joint else config.pictures)
    channels = config.channels if config.joint else 3
    for part in parts:
        assert part.decoded.shape == part.original.shape == (channels, 52, 70)
        assert part.decoded.dtype == part.original.dtype == torch.int16
        assert part.side.dtype == torch.float16
        assert part.side.shape[1:] == (-(-53 // config.cell), -(-70 // config.cell))
        error = (part.decoded - part.original).float() / FIXED
        assert 0 < error.square().mean() < 0.05**2
    if config.joint:
        planes = parts[0].original.float() / FIXED
    else:
        planes = torch.cat([p.original for p in parts]).float() / FIXED
    for picture, plane in zip(item.sample.pictures, as_pictures(config, planes), strict=True):
        wanted = torch.from_numpy(picture[:52, :70].transpose(2, 0, 1) / 255)
        assert (plane - wanted).abs().max() < 0.004


@pytest.mark.parametrize("kind", ["hide", "gray", "sequence"])
def test_an_example_is_as_a_carrier_would_be_decoded(kind):
    """The restored pictures, where no enhancer does anything, are as far off as the example."""
    converter, item, parts = made(kind, size=(64, 80))
    pictures = list(item.sample.pictures)
    free = everywhere(converter, pictures)
    carrier = converter.embed(pictures, 0, free)
    restored = converter.restore(carrier, (80, 64), 0, free).pictures
    if converter.config.joint:
        planes = parts[0].decoded.float() / FIXED
    else:
        planes = torch.cat([p.decoded for p in parts]).float() / FIXED
    for picture, plane, original in zip(
        restored, as_pictures(converter.config, planes), pictures, strict=True
    ):
        pixels = (plane * 255).clamp(0, 255).permute(1, 2, 0).numpy()
        errors = [float(np.square(p - original.astype(float)).mean()) for p in (picture, pixels)]
        assert errors[1] == pytest.approx(errors[0], rel=0.25)


def test_what_does_not_fit_makes_no_example():
    converter = converter_of("hide")
    item = analysed(converter, Sample(tuple(pictures_of("hide", 3, 4))), 0)
    assert examples(converter, item, np.random.default_rng(0)) == []


def test_a_group_becomes_a_sample():
    pictures = torch.randint(0, 256, (3, 3, 20, 31), dtype=torch.uint8)
    # Views of larger pictures, as they are cut out of them.
    group = Group(tuple(p[:, 2:18, 4:30] for p in pictures), 4.0)
    sample = sample_of(group)
    assert sample.zoom == 4
    for found, picture in zip(sample.pictures, pictures, strict=True):
        assert found.shape == (16, 26, 3)
        assert found.dtype == np.uint8
        assert found.flags["C_CONTIGUOUS"]
        assert (found == picture.numpy()[:, 2:18, 4:30].transpose(1, 2, 0)).all()


def test_an_analysed_sample_knows_its_quality():
    converter = converter_of("hide")
    sample = Sample(tuple(pictures_of("hide", 64, 64)))
    rooms = [analysed(converter, sample, q).message(converter).stream.room for q in range(3)]
    assert rooms == sorted(set(rooms))
    item = analysed(converter, sample, 0)
    assert quantise(item.z, -1000).shape == (64, 6, 64)


def test_training_and_restoring_spread_the_side_planes_alike():
    side = torch.rand(1, 4, 3, 5)
    window = (6, 20, 2, 38)
    tile = Tile(window, window)
    decoded = Decoded(3, (1, 4), (3, 5), 8)
    decoded.advance(0, 24)
    decoded.side.part(Span(0, 3, 0, 5))[:] = side.numpy()
    inferred = torch.from_numpy(spread_tile(decoded, tile, True))
    assert torch.equal(spread(side[0], window, 8), inferred)
