"""The adaptive network on pictures of any size, for every conversion."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from iiccli.coding import layout
from iiccli.coding.layout import Span
from iiccli.errors import ModelError
from iiccli.inference.adaptive.outlook import magnified
from iiccli.inference.converter import make_converter
from iiccli.media.resize import resize
from iiccli.networks.adaptive import AdaptiveNet
from tests.adaptive_models import (
    CPU,
    KINDS,
    calibrated,
    card_of,
    converter_of,
    everywhere,
    photograph,
    pictures_of,
    round_trip,
)
from tests.conftest import Pixels, psnr

LEAST = {
    "hide": [46, 34, 34],
    "video": [40, 37, 37],
    "sequence": [40, 37, 37, 37],
    "half": [32, 30, 30],
    "half-sequence": [32, 31, 31],
    "rescale-2": [32],
    "rescale-4": [28],
    "gray": [31],
    "layers": [46, 43, 48],
    "dual": [46, 44],
    "weighed": [46, 44],
}
"""PSNR in dB that every picture comes back with, at the least."""

kinds = pytest.mark.parametrize("kind", KINDS)


def busy(kind: str) -> AdaptiveNet:
    """The calibrated network with an enhancer that changes pictures by three levels or so."""
    net = copy.deepcopy(calibrated(kind))
    torch.manual_seed(4)
    head, tail = net.enhancer.head, net.enhancer.tail
    torch.nn.init.normal_(tail.weight)
    channels = len(tail.bias) // 4
    x = torch.rand(1, channels, 32, 32)
    planes = torch.rand(1, head.in_channels - 4 * channels, 16, 16)
    tail.weight *= 3 / 255 / (net.enhancer(x, planes) - x).std()
    return net


def check_error(carrier: Pixels, cover: Pixels, moduli: tuple[int, ...]) -> None:
    """Check that every sample is one of those nearest to the cover that hold a digit."""
    difference = np.abs(carrier.astype(int) - cover)
    q = np.array(moduli) if cover.ndim == 3 else moduli[0]
    inside = (cover.astype(int) >= q // 2) & (cover.astype(int) <= 255 - q // 2)
    assert (difference <= np.where(inside, q // 2, q - 1)).all()


@kinds
def test_pictures_come_back(kind):
    config = KINDS[kind].config
    pictures = pictures_of(kind, 71, 93, seed=1)
    quality = len(config.moduli) - 1 if kind == "gray" else 0
    carrier, restored = round_trip(kind, pictures, quality)
    converter = converter_of(kind)
    cover = converter.cover(pictures[0])
    width, height = converter.carrier_size(93, 71)
    assert carrier.shape == cover.shape == (height, width, 3)[: cover.ndim]
    assert carrier.dtype == np.uint8
    assert cover.ndim == (2 if kind == "gray" else 3)
    check_error(carrier, cover, config.moduli[quality])
    assert restored.damaged == 0
    assert len(restored.pictures) == len(pictures)
    for picture, original, least in zip(restored.pictures, pictures, LEAST[kind], strict=True):
        assert picture.shape == original.shape
        assert picture.dtype == np.uint8
        assert psnr(picture, original) > least


@pytest.mark.parametrize("kind", ["rescale-2", "rescale-4"])
def test_rescaling_gives_more_than_enlarging(kind):
    pictures = pictures_of(kind, 96, 128, seed=2)
    carrier, restored = round_trip(kind, pictures)
    enlarged = resize(carrier, (128, 96), method="bicubic")
    assert psnr(restored.pictures[0], pictures[0]) > psnr(enlarged, pictures[0]) + 1


def test_a_higher_quality_number_is_a_coarser_cover_and_finer_content():
    pictures = pictures_of("hide", 64, 80, seed=3)
    covers, secrets = [], []
    for quality in range(3):
        carrier, restored = round_trip("hide", pictures, quality)
        covers.append(psnr(carrier, pictures[0]))
        secrets.append(psnr(restored.pictures[1], pictures[1]))
    assert covers[0] > covers[1] > covers[2]
    assert secrets[0] < secrets[1] < secrets[2]


@kinds
def test_any_size_comes_back_at_that_size(kind):
    for size in ((1, 1), (5, 3), (37, 50)):
        whole = pictures_of(kind, 64, 80)
        pictures = [np.ascontiguousarray(p[: size[0], : size[1]]) for p in whole]
        carrier, restored = round_trip(kind, pictures)
        assert carrier.shape == converter_of(kind).cover(pictures[0]).shape
        assert [p.shape for p in restored.pictures] == [p.shape for p in pictures]
        assert restored.damaged == 0


@pytest.mark.parametrize("kind", ["video", "sequence", "rescale-2", "gray"])
def test_samples_that_are_not_free_keep_the_covers_values(kind):
    pictures = pictures_of(kind, 70, 84, seed=4)
    pictures[0][:20, :20] = 0
    pictures[0][:20, 30:50] = 255
    converter = converter_of(kind)
    cover = converter.cover(pictures[0])
    free = np.random.default_rng(0).random(cover.shape) < 0.9
    carrier = converter.embed(pictures, 0, free)
    assert (carrier[~free] == cover[~free]).all()
    assert (carrier[free] != cover[free]).mean() > 0.3
    check_error(carrier, cover, converter.config.moduli[0])
    restored = converter.restore(carrier, (84, 70), 0, free)
    assert restored.damaged == 0
    assert psnr(restored.pictures[-1], pictures[-1]) > LEAST[kind][-1] - 6


@pytest.mark.parametrize("kind", ["hide", "video", "sequence"])
def test_the_same_twice_and_inputs_are_left_alone(kind):
    pictures = pictures_of(kind, 40, 56)
    before = [p.copy() for p in pictures]
    (carrier, restored), (other, again) = (round_trip(kind, pictures) for _ in range(2))
    assert (carrier == other).all()
    for a, b in zip(restored.pictures, again.pictures, strict=True):
        assert (a == b).all()
    for picture, original in zip(pictures, before, strict=True):
        assert (picture == original).all()


@pytest.mark.parametrize("kind", ["hide", "half"])
def test_tiles_leave_no_trace(kind):
    pictures = pictures_of(kind, 78, 101, seed=5)
    net = busy(kind)
    whole, parts = converter_of(kind, net, 4096), converter_of(kind, net, 40)
    free = everywhere(whole, pictures)
    carrier = whole.embed(pictures, 0, free)
    assert (parts.embed(pictures, 0, free) == carrier).all()
    untiled = whole.restore(carrier, (101, 78), 0, free).pictures
    tiled = parts.restore(carrier, (101, 78), 0, free).pictures
    plain = converter_of(kind).restore(carrier, (101, 78), 0, free).pictures
    for a, b, c in zip(untiled, tiled, plain, strict=True):
        difference = np.abs(a.astype(int) - b)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3
        # The enhancer does change pictures here, or tiles would be no test.
        assert np.abs(a.astype(int) - c).mean() > 0.5


def test_pictures_wider_than_a_region_come_back():
    pictures = pictures_of("gray", 24, 1100, seed=6)
    converter = converter_of("gray")
    assert len(converter.regions(pictures[0])) == 2
    _, restored = round_trip("gray", pictures, 1, tile=300)
    assert restored.damaged == 0
    error = np.abs(restored.pictures[0].astype(float) - pictures[0])
    assert psnr(restored.pictures[0], pictures[0]) > 31
    assert error[:, 500:600].mean() < 1.5 * error.mean()


def test_regions_are_predicted_from_their_surroundings(monkeypatch):
    """Vectors reach into neighbouring regions, and no region's border is predicted worse."""
    pictures = pictures_of("video", 66, 140, seed=7)
    converter = converter_of("video")
    cover = converter.deep_cover(pictures[0])

    def left_over() -> tuple[int, float]:
        places = converter.regions(cover)
        spectra = [converter.together.analyse(pictures, cover, r, 1.0, 1e5)[0] for r in places]
        return len(places), sum(float(np.square(z).sum()) for z in spectra)

    one, whole = left_over()
    monkeypatch.setattr(layout, "REGION", 1)
    two, parts = left_over()
    assert (one, two) == (1, 2)
    assert parts < 1.05 * whole
    _, restored = round_trip("video", pictures)
    assert restored.damaged == 0
    assert psnr(restored.pictures[1], pictures[1]) > LEAST["video"][1] - 1


@pytest.mark.parametrize("kind", ["video", "sequence", "gray"])
def test_damage_stays_where_it_is(kind, monkeypatch):
    monkeypatch.setattr(layout, "REGION", 1)
    scale = KINDS[kind].config.scale
    pictures = pictures_of(kind, 64 * scale, 192 * scale, seed=8)
    carrier, whole = round_trip(kind, pictures)
    painted = carrier.copy()
    painted[:, 128:] = 77
    converter = converter_of(kind)
    size = (192 * scale, 64 * scale)
    restored = converter.restore(painted, size, 0, everywhere(converter, pictures))
    assert restored.damaged == pytest.approx(1 / 3)
    # The first block sees nothing of the third: not even its vectors reach that far.
    far = np.s_[:, : 56 * scale]
    for picture, before in zip(restored.pictures, whole.pictures, strict=True):
        assert (picture[far] == before[far]).all()


def test_a_painted_corner_costs_its_neighbours_little():
    pictures = pictures_of("hide", 128, 192, seed=9)
    carrier, whole = round_trip("hide", pictures)
    painted = carrier.copy()
    painted[:64, :64] = 128
    converter = converter_of("hide")
    restored = converter.restore(painted, (192, 128), 0, everywhere(converter, pictures))
    assert 1 / 6 <= restored.damaged < 0.5
    lower = np.s_[64:, 64:]
    assert psnr(restored.pictures[1][lower], whole.pictures[1][lower]) > 50


@kinds
def test_what_carries_no_message_is_all_damage(kind):
    pictures = pictures_of(kind, 32, 64)
    converter = converter_of(kind)
    cover = converter.cover(pictures[0])
    noise = np.random.default_rng(0).integers(0, 256, cover.shape, np.uint8)
    for carrier in (cover, noise):
        restored = converter.restore(carrier, (64, 32), 0, everywhere(converter, pictures))
        assert restored.damaged == 1
        assert [p.shape for p in restored.pictures] == [(32, 64, 3)] * len(pictures)
    if converter.scale == 1 and kind != "gray":
        found = converter.restore(cover, (64, 32), 0, everywhere(converter, pictures))
        assert (found.pictures[0] == cover).all()


def test_progress_rises_to_one():
    pictures = pictures_of("hide", 40, 56)
    converter = converter_of("hide")
    free = everywhere(converter, pictures)
    embedding: list[float] = []
    carrier = converter.embed(pictures, 0, free, embedding.append)
    restoring: list[float] = []
    converter.restore(carrier, (56, 40), 0, free, restoring.append)
    for shares in (embedding, restoring):
        assert shares == sorted(shares)
        assert shares[0] >= 0
        assert shares[-1] == 1


def test_the_zoom_has_a_part_in_the_prediction():
    pictures = pictures_of("dual", 64, 80, seed=2)
    converter = converter_of("dual")
    cover = converter.deep_cover(pictures[0])
    (region,) = converter.regions(cover)
    right, wrong = (
        float(np.square(converter.together.analyse(pictures, cover, region, zoom, 1e5)[0]).sum())
        for zoom in (2.0, 1.0)
    )
    assert right < 0.5 * wrong


@pytest.mark.parametrize(("zoom", "size"), [(2, (80, 96)), (4, (64, 128)), (3, (81, 97))])
def test_magnified_is_the_centre_enlarged(zoom, size):
    height, width = size
    picture = photograph(height, width)
    found = magnified(picture, Span(0, height, 0, width), float(zoom))
    assert found.shape == (3, height, width)
    x = torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()[None] / 255
    wanted = torch.nn.functional.interpolate(
        x, scale_factor=zoom, mode="bicubic", align_corners=False
    )[0]
    top, left = ((zoom - 1) * side // 2 for side in size)
    wanted = wanted[:, top : top + height, left : left + width]
    assert (found - wanted).abs().max() < 1e-3


def test_magnified_parts_are_parts_of_the_whole():
    picture = photograph(70, 90)
    for zoom in (1.0, 1.7, 3.0, 16.0):
        whole = magnified(picture, Span(0, 80, 0, 96), zoom)
        part = magnified(picture, Span(16, 48, 32, 96), zoom)
        assert (whole[:, 16:48, 32:] - part).abs().max() < 1e-4
    plain = magnified(picture, Span(0, 70, 0, 90), 1.0) * 255
    assert (plain.permute(1, 2, 0).numpy() - picture).max() < 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"width": 9},
        {"pictures": 4},
        {"pictures": "many"},
        {"moduli": 4},
        {"moduli": [[1, 1, 1]]},
        {"cell": 16},
        {"kind": "smell"},
        {"colour": "blue"},
    ],
)
def test_weights_that_do_not_fit_are_a_model_error(change):
    card = card_of("hide")
    card = dataclasses.replace(card, config={**card.config, **change})
    with pytest.raises(ModelError, match="hide-tiny"):
        make_converter(card, calibrated("hide").state_dict(), CPU)


def test_missing_tables_are_a_model_error():
    state = dict(calibrated("hide").state_dict())
    del state["frequencies"]
    with pytest.raises(ModelError, match="hide-tiny"):
        make_converter(card_of("hide"), state, CPU)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequencies", 0),
        ("frequencies", 300),
        ("weights", -1),
        ("weights", 2**30),
        ("gains", 1e9),
        ("transform.mixes", -3.0),
        ("centres", 2.0),
        ("enhancer.head.weight", float("nan")),
        ("gains", float("inf")),
    ],
)
def test_tables_that_nothing_can_be_coded_with_are_a_model_error(name, value):
    state = {k: v.clone() for k, v in calibrated("sequence").state_dict().items()}
    state[name][2] = value
    with pytest.raises(ModelError, match="sequence-tiny"):
        make_converter(card_of("sequence"), state, CPU)


@pytest.mark.parametrize("value", [-(2**31), 2**31 - 1])
def test_a_level_to_begin_with_may_be_anything(value):
    pictures = pictures_of("sequence", 48, 64)
    state = {k: v.clone() for k, v in calibrated("sequence").state_dict().items()}
    state["starts"][:] = value
    converter = make_converter(card_of("sequence"), state, CPU)
    free = everywhere(converter_of("sequence"), pictures)
    restored = converter.restore(converter.embed(pictures, 0, free), (64, 48), 0, free)
    assert psnr(restored.pictures[1], pictures[1]) > 34


def test_highlights_keep_their_brightness() -> None:
    """White has no room above it, so that a carrier is darker there; what comes back is not."""
    picture = np.full((64, 96, 3), 255, np.uint8)
    picture[:, :48] = photograph(64, 48, 3)
    _, restored = round_trip("rescale-2", [picture], quality=2)
    error = restored.pictures[0][8:-8, 64:-8].astype(float) - 255
    assert error.mean() > -2  # -3.6 if predicted from the cover
