"""Pictures into a carrier and back, at any size, by tiles and by regions."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from iiccli.coding import layout
from iiccli.errors import ModelError
from iiccli.inference.converter import Restored, make_converter
from iiccli.inference.tiles import DEFAULT_TILE
from iiccli.inference.transform import TransformConverter
from iiccli.networks.transform import TransformNet
from iiccli.zoo.modelfile import Card
from tests.conftest import Pixels, moving_clip, psnr, reference_first

CPU = torch.device("cpu")


def converter_of(card: Card, net: TransformNet, tile: int = DEFAULT_TILE) -> TransformConverter:
    converter = make_converter(card, net.state_dict(), CPU, tile)
    assert isinstance(converter, TransformConverter)
    return converter


@pytest.fixture(scope="module")
def converter(tiny_card: Card, tiny_net: TransformNet) -> TransformConverter:
    return converter_of(tiny_card, tiny_net)


@pytest.fixture(scope="module")
def busy_net(tiny_net: TransformNet) -> TransformNet:
    """The tiny network with an enhancer that changes pictures by three levels or so."""
    net = copy.deepcopy(tiny_net)
    torch.manual_seed(4)
    tail = net.enhancer.tail.weight
    torch.nn.init.normal_(tail)
    x, planes = torch.rand(1, 9, 32, 32), torch.rand(1, net.config.groups + 3, 16, 16)
    tail *= 3 / 255 / (net.enhancer(x, planes) - x).std()
    return net


def everywhere(picture: Pixels) -> np.ndarray:
    return np.ones(picture.shape, bool)


def round_trip(
    converter: TransformConverter, pictures: list[Pixels], quality: int = 2
) -> tuple[Pixels, Restored]:
    height, width = pictures[0].shape[:2]
    free = everywhere(pictures[0])
    carrier = converter.embed(pictures, quality, free)
    return carrier, converter.restore(carrier, (width, height), quality, free)


@pytest.mark.parametrize("quality", [0, 1, 2])
def test_a_moving_clip_comes_back_far_better_than_copies_of_the_cover(converter, quality):
    pictures = reference_first(moving_clip(128, 144, speed=(3, -2), seed=50))
    carrier, restored = round_trip(converter, pictures, quality)
    assert restored.damaged == 0
    assert len(restored.pictures) == 3
    for original, picture in zip(pictures[1:], restored.pictures[1:], strict=True):
        assert picture.dtype == np.uint8
        assert picture.shape == original.shape
        assert psnr(picture, original) > psnr(carrier, original) + 12
        assert psnr(picture, original) > 36
    assert psnr(carrier, pictures[0]) > (45.8, 43.1, 40.2)[quality]


def test_a_higher_quality_number_is_a_coarser_cover(converter):
    pictures = reference_first(moving_clip(64, 80, seed=51))
    free = everywhere(pictures[0])
    covers = [psnr(converter.embed(pictures, i, free), pictures[0]) for i in range(3)]
    assert converter.qualities == 3
    assert covers[0] > covers[1] > covers[2]


@pytest.mark.parametrize("quality", [0, 1, 2])
def test_the_carrier_is_the_nearest_to_the_cover_and_leaves_what_is_not_free(converter, quality):
    pictures = reference_first(moving_clip(64, 70, seed=52))
    pictures[0][:20, :20] = 0
    pictures[0][:20, 30:50] = 255
    free = np.random.default_rng(0).random(pictures[0].shape) < 0.9
    carrier = converter.embed(pictures, quality, free)
    difference = np.abs(carrier.astype(int) - pictures[0])
    assert (difference[~free] == 0).all()
    q = np.array(converter.config.moduli[quality])
    cover = pictures[0].astype(int)
    in_range = (cover >= q // 2) & (cover <= 255 - q // 2)
    assert (difference <= np.where(in_range, q // 2, q - 1)).all()
    assert difference[in_range].max() == q.max() // 2
    restored = converter.restore(carrier, (70, 64), quality, free)
    assert restored.damaged == 0
    assert psnr(restored.pictures[1], pictures[1]) > psnr(pictures[0], pictures[1]) + 3


def test_embedding_leaves_its_inputs_alone(converter):
    pictures = reference_first(moving_clip(40, 40))
    before = [p.copy() for p in pictures]
    carrier, _ = round_trip(converter, pictures)
    assert carrier is not pictures[0]
    for picture, original in zip(pictures, before, strict=True):
        assert (picture == original).all()


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 9), (2, 2), (5, 300), (300, 5), (15, 17), (33, 65), (63, 129), (100, 37)]
)
def test_any_size_comes_back_at_that_size(converter, size):
    pictures = reference_first(moving_clip(*size, seed=53))
    carrier, restored = round_trip(converter, pictures)
    assert carrier.shape == pictures[0].shape
    assert [p.shape for p in restored.pictures] == [p.shape for p in pictures]
    assert restored.damaged == 0
    assert converter.carrier_size(size[1], size[0]) == (size[1], size[0])
    # Never worse than taking the cover for the others, but for the carrier's own noise.
    error = (restored.pictures[1].astype(float) - pictures[1]).std()
    copied = (pictures[0].astype(float) - pictures[1]).std()
    assert error < copied + 2.5


def test_the_same_twice(tiny_card, busy_net):
    pictures = reference_first(moving_clip(48, 64))
    first, second = (round_trip(converter_of(tiny_card, busy_net), pictures) for _ in range(2))
    assert (first[0] == second[0]).all()
    for a, b in zip(first[1].pictures, second[1].pictures, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("tile", [16, 50, 64])
def test_tiles_leave_no_trace(tiny_card, busy_net, tile):
    pictures = reference_first(moving_clip(150, 133, seed=54))
    whole = converter_of(tiny_card, busy_net, 4096)
    parts = converter_of(tiny_card, busy_net, tile)
    plain = whole.restore(pictures[0], (133, 150), 0, everywhere(pictures[0])).pictures
    carrier, restored = round_trip(whole, pictures)
    other_carrier, tiled = round_trip(parts, pictures)
    assert (carrier == other_carrier).all()
    for a, b in zip(restored.pictures, tiled.pictures, strict=True):
        difference = np.abs(a.astype(int) - b)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3
    # The enhancer does change pictures here, or tiles would be no test.
    assert np.abs(plain[0].astype(int) - pictures[0]).mean() > 0.5


@pytest.fixture
def small_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "REGION", 1)


@pytest.mark.usefixtures("small_regions")
def test_regions_leave_no_seams(converter):
    # Steep motion, so that vectors point across the borders between regions.
    pictures = reference_first(moving_clip(200, 210, speed=(9, 7), seed=55))
    assert len(list(layout.regions(200, 210, 16))) == 9
    _, restored = round_trip(converter, pictures)
    assert restored.damaged == 0
    for original, picture in zip(pictures[1:], restored.pictures[1:], strict=True):
        error = picture.astype(float) - original
        assert psnr(picture, original) > 34
        # Beside a region's border no more error than elsewhere, away from the picture's own.
        inside = error[16:-16, 16:-16]
        at_borders = np.concatenate(
            [
                part.ravel()
                for border in (64, 128)
                for near in [slice(border - 4, border + 4)]
                for part in (error[near, 16:-16], error[16:-16, near])
            ]
        )
        assert at_borders.std() < 1.5 * inside.std()
        # And no step in the error from one side to the other.
        for border in (64, 128):
            down = error[border, 16:-16] - error[border - 1, 16:-16]
            assert abs(down.mean()) < 0.5
            across = error[16:-16, border] - error[16:-16, border - 1]
            assert abs(across.mean()) < 0.5


def test_regions_are_predicted_as_well_as_the_whole(converter, monkeypatch):
    """Vectors reach into neighbouring regions, and no region's border is predicted worse."""
    pictures = reference_first(moving_clip(200, 210, speed=(9, 7), seed=55))

    def left_over() -> float:
        parts = layout.regions(200, 210, converter.config.cell)
        return sum(float(converter._analyse(pictures, r).z.square().sum()) for r in parts)

    whole = left_over()
    monkeypatch.setattr(layout, "REGION", 1)
    assert left_over() < 1.04 * whole


@pytest.mark.usefixtures("small_regions")
def test_damage_stays_in_its_region(converter):
    pictures = reference_first(moving_clip(128, 192, seed=56))
    carrier, whole = round_trip(converter, pictures)
    painted = carrier.copy()
    painted[64:128, 64:128] = 128
    restored = converter.restore(painted, (192, 128), 2, everywhere(carrier))
    assert restored.damaged == pytest.approx(1 / 6)
    for original, picture, before in zip(
        pictures[1:], restored.pictures[1:], whole.pictures[1:], strict=True
    ):
        # Motion vectors of other regions may point into the paint, so only most stays the same.
        far = np.s_[:48, :]
        assert (picture[far] == before[far]).all()
        assert psnr(picture[:, 136:], original[:, 136:]) > 30


def test_a_painted_corner_is_reported_and_the_rest_survives(converter):
    pictures = reference_first(moving_clip(192, 256, seed=57))
    carrier, _ = round_trip(converter, pictures)
    painted = carrier.copy()
    painted[:64, :64] = (200, 30, 60)
    restored = converter.restore(painted, (256, 192), 2, everywhere(carrier))
    assert 1 / 12 <= restored.damaged < 0.5
    lower = np.s_[128:]
    assert psnr(restored.pictures[1][lower], pictures[1][lower]) > 34


def test_a_picture_without_message_is_all_damage_and_comes_back_as_itself(converter):
    (picture, *_) = moving_clip(64, 128)
    restored = converter.restore(picture, (128, 64), 1, everywhere(picture))
    assert restored.damaged == 1
    for each in restored.pictures:
        assert (each == picture).all()


def test_noise_everywhere_does_not_fail(tiny_card, busy_net):
    noise = np.random.default_rng(0).integers(0, 256, (70, 81, 3), np.uint8)
    restored = converter_of(tiny_card, busy_net).restore(noise, (81, 70), 0, everywhere(noise))
    assert restored.damaged == 1
    assert restored.pictures[2].shape == (70, 81, 3)


def test_progress_rises_to_one(converter):
    pictures = reference_first(moving_clip(40, 56))
    free = everywhere(pictures[0])
    embedding: list[float] = []
    carrier = converter.embed(pictures, 0, free, embedding.append)
    restoring: list[float] = []
    converter.restore(carrier, (56, 40), 0, free, restoring.append)
    for shares in (embedding, restoring):
        assert shares == sorted(shares)
        assert shares[0] >= 0
        assert shares[-1] == 1
    assert len(restoring) > 2


def test_all_pictures_of_any_number_come_back_in_order(tiny_card):
    """Five flat pictures of different greys: nobody can take one for another."""
    config = dataclasses.replace(TransformNet(_config(tiny_card)).config, pictures=5)
    card = dataclasses.replace(tiny_card, config=dataclasses.asdict(config))
    net = TransformNet(config)
    net.allocation.scales.fill_(-64)
    pictures = [np.full((64, 64, 3), 40 + 40 * i, np.uint8) for i in range(5)]
    _, restored = round_trip(converter_of(card, net), pictures)
    for i, picture in enumerate(restored.pictures):
        assert abs(float(picture.mean()) - 40 - 40 * i) < 6


def _config(card: Card):
    from iiccli.networks.registry import build

    return build(card.network, card.config).config


def test_an_unknown_network_is_a_model_error(tiny_card, tiny_net):
    card = dataclasses.replace(tiny_card, network="telepathy")
    with pytest.raises(ModelError, match="telepathy"):
        make_converter(card, tiny_net.state_dict(), CPU)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 9},
        {"pictures": 4},
        {"pictures": "many"},
        {"moduli": 4},
        {"bands": None},
        {"colour": "blue"},
    ],
)
def test_weights_that_do_not_fit_are_a_model_error(tiny_card, tiny_net, change):
    card = dataclasses.replace(tiny_card, config={**tiny_card.config, **change})
    with pytest.raises(ModelError, match="video-3-tiny"):
        make_converter(card, tiny_net.state_dict(), CPU)


def test_missing_weights_are_a_model_error(tiny_card, tiny_net):
    state = dict(tiny_net.state_dict())
    del state["quantiser.codebooks"]
    with pytest.raises(ModelError):
        make_converter(tiny_card, state, CPU)
    with pytest.raises(ModelError):
        make_converter(dataclasses.replace(tiny_card, config={}), tiny_net.state_dict(), CPU)
