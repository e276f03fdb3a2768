from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iiccli.carrier import NewerCarrierError, checksum, header_samples, read_stamp, stamp
from iiccli.carrier.pixels import STAMP_LENGTH
from iiccli.errors import DamagedCarrierError

from .conftest import make_header, noise

BITS = STAMP_LENGTH * 8
SHAPES = [
    (1, 1, 3),
    (1, 1, 1),
    (2, 2, 3),
    (1, 5000, 3),
    (5000, 1, 1),
    (5, 5000, 3),
    (5000, 5, 3),
    (2, 2200, 3),
    (37, 38, 3),
    (38, 38, 3),
    (66, 66, 3),
    (67, 66, 1),
    (256, 256, 3),
    (480, 854, 3),
]


def mask_of(shape: tuple[int, int, int]) -> np.ndarray:
    return header_samples(*shape) if shape[2] == 3 else header_samples(*shape)[..., 0]


def check_round_trip(shape: tuple[int, int, int], seed: int) -> None:
    height, width, channels = shape
    pixels, header = noise(height, width, channels, seed), make_header((width, height))
    before = pixels.copy()
    mask = mask_of(shape)
    stamped = stamp(pixels, header)
    assert (pixels == before).all()
    assert stamped.shape == pixels.shape
    assert stamped.dtype == np.uint8
    difference = stamped.astype(int) - pixels
    assert (difference[~mask] == 0).all()
    assert np.abs(difference).max() <= 1
    found = read_stamp(stamped)
    if not mask.any():
        assert found is None
        return
    assert found is not None
    assert found.intact
    assert found.header.to_bytes() == header.to_bytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_stamp_reads_back_and_touches_only_its_samples(shape: tuple[int, int, int]) -> None:
    check_round_trip(shape, 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([1, 3]), st.integers(0, 99))
def test_any_small_shape_round_trips(height: int, width: int, channels: int, seed: int) -> None:
    check_round_trip((height, width, channels), seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 120), st.integers(1, 120), st.sampled_from([1, 3]))
def test_the_header_takes_at_most_an_eighth(height: int, width: int, channels: int) -> None:
    mask = header_samples(height, width, channels)
    assert mask.shape == (height, width, channels)
    spare = height * width * channels // 8
    assert mask.sum() == (3 * BITS if spare >= 3 * BITS else BITS if spare >= BITS else 0)


def test_a_large_picture_is_stamped_on_its_border_only() -> None:
    mask = header_samples(480, 854, 3).any(axis=2)
    assert not mask[1:-1, 1:-1].any()
    for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
        assert side.mean() > 0.3


def test_extreme_values_stay_in_range() -> None:
    header = make_header((100, 100))
    for value, towards in ((0, -50.0), (255, 300.0)):
        pixels = np.full((100, 100, 3), value, np.uint8)
        stamped = stamp(pixels, header, np.full(pixels.shape, towards))
        assert np.abs(stamped.astype(int) - value).max() == 1
        found = read_stamp(stamped)
        assert found is not None
        assert found.header.to_bytes() == header.to_bytes()


def test_changes_go_towards_the_target() -> None:
    pixels = np.clip(noise(100, 100), 2, 253)
    for shift in (-0.4, 0.4):
        moved = stamp(pixels, make_header((100, 100)), pixels + shift).astype(int) - pixels
        assert set(np.unique(moved)) == {0, int(np.sign(shift))}


def test_a_target_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="target"):
        stamp(noise(80, 80), make_header((80, 80)), noise(80, 81))


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4)), np.zeros((0, 4))])
def test_what_is_no_carrier_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        read_stamp(bad)


@pytest.mark.parametrize("shape", [(480, 854), (256, 256), (100, 100), (854, 480)], ids=str)
@pytest.mark.parametrize("corner", range(4))
@pytest.mark.parametrize("colour", [0, 255, None])
def test_a_painted_corner_leaves_the_header(
    shape: tuple[int, int], corner: int, colour: int | None
) -> None:
    height, width = shape
    header = make_header((width, height))
    stamped = stamp(noise(height, width), header)
    rows, columns = int(height * 0.32), int(width * 0.32)  # a tenth of the picture
    y, x = (height - rows) * (corner // 2), (width - columns) * (corner % 2)
    paint = noise(rows, columns, seed=9) if colour is None else colour
    stamped[y : y + rows, x : x + columns] = paint
    found = read_stamp(stamped)
    assert found is not None
    assert not found.intact
    assert found.header.to_bytes() == header.to_bytes()


def test_one_side_painted_over_leaves_the_header() -> None:
    header = make_header((300, 200))
    for side in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]):
        stamped = stamp(noise(200, 300), header)
        stamped[side] = 77
        found = read_stamp(stamped)
        assert found is not None
        assert found.header.to_bytes() == header.to_bytes()


def test_one_copy_alone_suffices() -> None:
    shape = (100, 100, 3)
    from iiccli.carrier.border import header_places

    positions = header_places(*shape)
    header = make_header((100, 100))
    for kept in range(3):
        stamped = stamp(noise(100, 100), header)
        flat = stamped.reshape(-1)
        rng = np.random.default_rng(kept)
        for copy in {0, 1, 2} - {kept}:
            flat[positions[copy * BITS : (copy + 1) * BITS]] = rng.integers(0, 256, BITS)
        found = read_stamp(stamped)
        assert found is not None
        assert found.header.to_bytes() == header.to_bytes()


def test_scattered_flips_are_repaired_by_majority() -> None:
    from iiccli.carrier.border import header_places

    header = make_header((100, 100))
    stamped = stamp(noise(100, 100), header)
    bits = np.arange(0, BITS, 2)
    stamped.reshape(-1)[header_places(100, 100, 3)[bits + (bits // 2 % 3) * BITS]] ^= 1
    found = read_stamp(stamped)
    assert found is not None
    assert not found.intact
    assert found.header.to_bytes() == header.to_bytes()


def test_one_changed_pixel_is_noticed_everywhere() -> None:
    stamped = stamp(noise(80, 80), make_header((80, 80)))
    for y, x in ((0, 0), (0, 40), (40, 40), (79, 79)):
        changed = stamped.copy()
        changed[y, x] ^= 1
        found = read_stamp(changed)
        assert found is not None
        assert not found.intact


def test_all_copies_damaged_is_said() -> None:
    from iiccli.carrier.border import header_places

    stamped = stamp(noise(100, 100), make_header((100, 100)))
    last = np.arange(200, 260)
    for copy in range(3):
        stamped.reshape(-1)[header_places(100, 100, 3)[last + copy * BITS]] ^= 1
    with pytest.raises(DamagedCarrierError, match="damaged"):
        read_stamp(stamped)


def test_a_newer_stamp_is_said() -> None:
    stamped = stamp(noise(100, 100), make_header((100, 100), version=4))
    with pytest.raises(NewerCarrierError):
        read_stamp(stamped)


@pytest.mark.parametrize("value", [0, 1, 254, 255])
def test_flat_pictures_hold_no_header(value: int) -> None:
    assert read_stamp(np.full((120, 120, 3), value, np.uint8)) is None


def test_noise_holds_no_header() -> None:
    assert all(read_stamp(noise(80, 80, seed=seed)) is None for seed in range(50))


def test_the_checksum_knows_the_shape() -> None:
    flat = np.zeros((4, 6), np.uint8)
    assert checksum(flat) != checksum(flat.reshape(6, 4))
    assert checksum(flat) == checksum(np.asfortranarray(flat))
