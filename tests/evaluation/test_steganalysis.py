"""The steganalysis check: statistics, features, classifier, figures, and the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iiccli.errors import InputError
from iiccli.evaluation.detecting import features as kinds
from iiccli.evaluation.detecting.check import CARRIER, Check, check, ways
from iiccli.evaluation.detecting.ensemble import Ensemble, train
from iiccli.evaluation.detecting.features import COUNT, features
from iiccli.evaluation.detecting.rating import best_threshold, rate
from iiccli.evaluation.detecting.specimens import Manner, specimen, split_groups
from iiccli.evaluation.detecting.statistics import (
    _excess,
    chi_square,
    regular_singular,
    sample_pairs,
)
from iiccli.evaluation.detecting.yardsticks import matched, remainders, replaced
from iiccli.evaluation.metrics import Pixels
from iiccli.locking import Phrase
from iiccli.tasks.models import LoadedModel, Loader
from tests.task_models import save

Load = Callable[[str], tuple[LoadedModel, Loader]]


def drawn(seed: int, side: int = 96) -> Pixels:
    """A smooth picture with noise of the kind that cameras have, different in each."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(draw.uniform(2, 9) * (x * a + y * b)) for a, b in draw.normal(size=(3, 2))]
    smooth = 128 + 60 * np.stack(waves, -1) * draw.uniform(0.5, 1)
    noise = draw.normal(size=(side, side, 3)) * draw.uniform(0.9, 1.1)
    soft = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 1.5
    return np.clip(np.rint(smooth + soft), 0, 255).astype(np.uint8)


# statistics


def test_chi_square_of_known_counts() -> None:
    pixels = np.repeat(np.array([10, 11], np.uint8), [30, 10])[:, None, None]
    # 20 expected of each: 2 * 10² / 20
    assert chi_square(pixels) == pytest.approx(10)
    assert chi_square(np.zeros((1, 1, 1), np.uint8)) == 1


def test_chi_square_is_one_where_all_lowest_bits_are_replaced() -> None:
    # Counts of even and odd values that differ much.
    cover = (drawn(1, 256) >> 1 << 1).astype(np.uint8)
    assert chi_square(cover) > 20
    stego = replaced(cover, 1.0, np.random.default_rng(0))
    assert chi_square(stego) == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5])
def test_sample_pairs_estimate_what_was_replaced(share: float) -> None:
    cover = np.concatenate([drawn(seed, 256) for seed in range(3)])
    stego = replaced(cover, share, np.random.default_rng(0))
    assert sample_pairs(stego) == pytest.approx(share, abs=0.06)


def test_sample_pairs_see_nothing_where_there_is_nothing() -> None:
    chess = (np.indices((8, 8)).sum(axis=0) % 2 * 90 + 3).astype(np.uint8)[..., None]
    assert sample_pairs(chess) == 0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_rs_analysis_estimates_what_was_replaced(share: float) -> None:
    cover = np.concatenate([drawn(seed, 256) for seed in range(3)])
    stego = replaced(cover, share, np.random.default_rng(0))
    assert regular_singular(stego) == pytest.approx(share, abs=0.05)


def test_rs_analysis_of_plain_pictures() -> None:
    assert regular_singular(np.full((8, 8, 3), 77, np.uint8)) == pytest.approx(0)
    assert regular_singular(np.zeros((2, 3, 1), np.uint8)) == 0
    draw = np.random.default_rng(0)
    assert np.isfinite(regular_singular(draw.integers(0, 256, (16, 16, 3)).astype(np.uint8)))


def test_groups_by_hand() -> None:
    row = np.array([10, 11, 10, 11], np.uint8)[None, :, None]
    # 10 10 11 11 is smoother, 10 12 9 11 rougher.
    assert _excess(row) == (-1, 1)


# features


def test_residuals_of_a_row() -> None:
    row = np.array([[[5], [6], [9], [9], [3]]], np.int16)
    assert kinds.first_order(row).ravel().tolist() == [1, 3, 0, -3]
    # second differences 2, -3, -6, halved, halves away from zero
    assert kinds.second_order(row).ravel().tolist() == [1, -2, -3]
    # 5 - 18 + 27 - 9 = 5 with the other sign, and 3, in thirds
    assert kinds.third_order(row).ravel().tolist() == [-2, -1]
    spot = np.zeros((3, 3, 1), np.int16)
    spot[1, 1] = 1
    assert kinds.square(spot).ravel().tolist() == [1]
    assert kinds.square(np.full((5, 4, 1), 9, np.int16)).shape == (3, 2, 1)


def test_features_are_frequencies_that_know_no_sign_and_no_side() -> None:
    picture = drawn(3, 40)
    found = features(picture)
    assert found.shape == (COUNT,)
    assert found.sum() == pytest.approx(8)
    for same in (255 - picture, picture[::-1], picture[:, ::-1], picture.transpose(1, 0, 2)):
        assert features(np.ascontiguousarray(same)) == pytest.approx(found)
    assert np.abs(features(drawn(4, 40)) - found).max() > 1e-3


def test_a_flat_picture_has_one_feature_of_each_part() -> None:
    found = features(np.full((8, 8, 3), 77, np.uint8))
    assert sorted(found[found > 0]) == [1.0] * 8


# yardsticks


def test_matching_moves_half_of_the_samples_by_one() -> None:
    cover = drawn(0, 64)
    cover[:2] = [[[0]], [[255]]]
    moved = matched(cover, 1.0, np.random.default_rng(0)).astype(int) - cover
    assert set(np.unique(moved)) == {-1, 0, 1}
    assert np.mean(moved != 0) == pytest.approx(0.5, abs=0.02)
    assert moved[0].min() == 0
    assert moved[1].max() == 0
    few = matched(cover, 0.1, np.random.default_rng(0)) != cover
    assert few.mean() == pytest.approx(0.05, abs=0.01)
    assert (matched(cover, 0.0, np.random.default_rng(0)) == cover).all()


def test_replacing_touches_the_lowest_bit_alone() -> None:
    cover = drawn(0, 64)
    stego = replaced(cover, 1.0, np.random.default_rng(0))
    assert (stego >> 1 == cover >> 1).all()
    assert np.mean(stego != cover) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("moduli", [(3, 3, 3), (4, 4, 4), (2, 5, 8)])
def test_remainders_are_uniform_and_near(moduli: tuple[int, ...]) -> None:
    cover = drawn(0, 64)
    cover[:2] = [[[0]], [[255]]]
    stego = remainders(cover, moduli, np.random.default_rng(0))
    away = np.abs(stego.astype(int) - cover)
    for channel, q in enumerate(moduli):
        assert away[2:, :, channel].max() == q // 2
        assert away[..., channel].max() < q
        shares = np.bincount(stego[..., channel].ravel() % q) / 64**2
        assert shares == pytest.approx(1 / q, abs=0.04)


# figures


def test_figures_of_known_scores() -> None:
    covers, carriers = np.array([0.0, 1, 2, 3]), np.array([2.0, 2.5, 4, 5])
    found = rate(covers, carriers, 1.5)
    assert found.accuracy == pytest.approx((2 + 4) / 8)
    assert found.auc == pytest.approx((4 + 4 + 3 + 2.5) / 16)
    # At 2: one of four covers is above, one of four carriers not.
    assert found.equal_error == pytest.approx(0.25)
    # No cover at all may be accused, as one of four is more than 5 %.
    assert found.missed == pytest.approx(0.5)


def test_five_false_alarms_of_a_hundred_are_allowed() -> None:
    covers = np.arange(100.0)
    assert rate(covers, np.full(10, 94.5), 50).missed == 0
    assert rate(covers, np.full(10, 93.5), 50).missed == 1


def test_alike_scores_are_guessing() -> None:
    same = np.array([1.0, 1, 1])
    found = rate(same, same, best_threshold(same, same))
    assert (found.accuracy, found.auc, found.equal_error, found.missed) == (0.5, 0.5, 0.5, 1)


def test_the_threshold_is_between_the_classes() -> None:
    assert best_threshold(np.array([0.0, 1]), np.array([3.0, 4])) == 2


# classifier


def classes(count: int, shift: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pair shares what is large; a small step along one direction tells them apart."""
    draw = np.random.default_rng(seed)
    shared = 5 * draw.normal(size=(count, 1)) * np.ones(12)
    covers = shared + draw.normal(size=(count, 12))
    step = np.zeros(12)
    step[3] = shift
    return covers, shared + draw.normal(size=(count, 12)) + step


def test_the_ensemble_finds_a_direction_and_nothing_where_there_is_none() -> None:
    found = train(*classes(60, 4, 0))
    covers, carriers = (found.scores(some) for some in classes(200, 4, 1))
    assert rate(covers, carriers, 0).auc > 0.95
    assert rate(covers, carriers, 0).accuracy > 0.85
    assert found.covers.shape == found.carriers.shape == (60,)
    nothing = train(*classes(60, 0, 0))
    chance = rate(*(nothing.scores(some) for some in classes(400, 0, 1)), 0)
    assert chance.auc == pytest.approx(0.5, abs=0.08)
    # What it tells of its own training pictures is no flattery either.
    assert rate(nothing.covers, nothing.carriers, 0).auc == pytest.approx(0.5, abs=0.2)


def test_training_is_repeatable_and_bears_constant_features() -> None:
    covers, carriers = classes(20, 2, 0)
    covers[:, 5] = carriers[:, 5] = 7

    def trained(seed: int) -> Ensemble:
        return train(covers, carriers, seed)

    assert (trained(1).weights == trained(1).weights).all()
    assert (trained(1).weights != trained(2).weights).any()
    assert trained(1).weights[5] == 0
    same = train(covers, covers)
    assert np.isfinite(same.scores(covers)).all()


def test_strong_embedding_is_found_in_drawn_pictures_and_covers_are_not() -> None:
    draw = np.random.default_rng(0)

    def seen(seeds: range, embed: Callable[[Pixels], Pixels]) -> np.ndarray:
        return np.stack([features(embed(drawn(seed))) for seed in seeds])

    def strong(cover: Pixels) -> Pixels:
        return matched(cover, 1.0, draw)

    def none(cover: Pixels) -> Pixels:
        return cover

    found = train(seen(range(24), none), seen(range(24), strong))
    covers = found.scores(seen(range(100, 130), none))
    assert rate(covers, found.scores(seen(range(100, 130), strong)), 0).auc > 0.95
    # Covers against other covers.
    nothing = train(seen(range(24), none), seen(range(200, 224), none))
    others = nothing.scores(seen(range(300, 330), none))
    chance = rate(nothing.scores(seen(range(100, 130), none)), others, 0)
    assert chance.auc == pytest.approx(0.5, abs=0.2)
    assert chance.accuracy == pytest.approx(0.5, abs=0.2)


# the whole


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(16):
        save(tmp_path / "photos" / f"{number}.png", drawn(number, 80))
    return tmp_path / "photos"


def test_halves_by_name_share_no_picture(photos: Path) -> None:
    first, second = split_groups(photos, None, 1)
    assert [group[0].stem for group in first] == [str(n) for n in range(8)]
    assert [group[0].stem for group in second] == [str(n) for n in range(8, 16)]
    assert [path.stem for path in first[-1]] == ["7", "0"]
    assert not {p for g in first for p in g} & {p for g in second for p in g}
    train_on, try_on = split_groups(photos, photos.parent / "photos", 3, limit=2)
    assert [len(group) for group in (*train_on, *try_on)] == [4] * 4
    with pytest.raises(InputError, match="too few"):
        split_groups(photos, None, 8)


def test_a_carrier_is_as_it_would_be_in_a_file(photos: Path, load: Load) -> None:
    model, _ = load("hide-2")
    group = (photos / "0.png", photos / "1.png")
    cover, carrier = specimen(group, model, Manner(size=64))
    assert cover.shape == carrier.shape == (64, 64, 3)
    assert 0 < np.abs(cover.astype(int) - carrier).max() <= 8
    quiet = specimen(group, model, Manner(header=False, size=64))[1]
    changed = (quiet != carrier).any(axis=2)
    assert changed.any()
    assert not changed[20:-20, 20:-20].any()  # the header stands along the border
    secret = replace(model, phrase=Phrase("a phrase of several words"))
    locked = specimen(group, secret, Manner(size=64))[1]
    assert np.mean(locked[20:-20, 20:-20] != quiet[20:-20, 20:-20]) > 0.3
    with pytest.raises(InputError, match="too small for a locked carrier"):
        specimen(group, secret, Manner(header=False, size=16))
    veiled = specimen(group, secret, Manner(header=False, size=80))[1]
    assert veiled.shape == (80, 80, 3)


def test_the_check_finds_what_is_strong(photos: Path, load: Load) -> None:
    model, _ = load("hide-2")
    told: list[int] = []

    def run() -> Check:
        return check(
            *split_groups(photos, None, 1),
            model,
            Manner(),
            progress=lambda done, total, share: told.append(total - done),
        )

    found = run()
    assert (found.trained, found.tried) == (8, 8)
    assert told == list(range(16, -1, -1))
    plain = ways(model, "balanced")
    assert [v.way for v in found.verdicts[::4]] == [CARRIER, *plain]
    by = {(v.way, v.detector): v for v in found.verdicts}
    assert by[CARRIER, "features"].rating.auc > 0.9
    assert by["±1, 1 bit a sample", "features"].psnr == pytest.approx(51.1, abs=0.2)
    assert by["LSB, 0.1 bits a sample", "sample pairs"].psnr == pytest.approx(61.1, abs=0.4)
    assert run() == found


def test_what_cannot_be_read_is_told_or_ends_it(photos: Path, load: Load) -> None:
    model, _ = load("hide-2")
    (photos / "3.png").write_bytes(b"no picture")
    groups = split_groups(photos, None, 1)
    with pytest.raises(InputError, match=r"3\.png"):
        check(*groups, model, Manner())
    failures: list[str] = []
    found = check(*groups, model, Manner(), failed=lambda name, error: failures.append(name))
    assert failures == ["2.png", "3.png"]
    assert (found.trained, found.tried) == (6, 8)
    with pytest.raises(InputError, match="too few"):
        check(groups[0][:2], groups[1], model, Manner())
