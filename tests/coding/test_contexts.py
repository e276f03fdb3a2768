"""Expected magnitudes: from what is known, in the own block, in whole numbers that never change."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iiccli.coding import contexts
from iiccli.coding.contexts import (
    CLASSES,
    FEATURES,
    ONE,
    UNIT,
    Grid,
    Surroundings,
    class_centre,
    class_of,
    exp2,
    make_grid,
    part_of,
    steps,
)
from iiccli.coding.layout import regions
from iiccli.inference.adaptive.stream import cell_blocks

CELL, RANKS = 4, 3


def random_blocks(data: st.DataObject) -> np.ndarray:
    """Numbers of the blocks of a region's cells, blocks of one size and a larger last one."""
    height = data.draw(st.integers(1, 200), "height")
    width = data.draw(st.integers(1, 200), "width")
    (region,) = regions(height, width, 16)
    return cell_blocks(region)


def test_classes_are_limits_of_equal_ratio():
    """These numbers decide where bits stand: they are part of the carrier format."""
    exact = [round(8 * Fraction(13, 10) ** k) for k in range(CLASSES - 1)]
    assert contexts._LIMITS.tolist() == exact


def test_powers_of_two_are_the_nearest_whole_numbers():
    exact = [
        int((Decimal(2) ** (Decimal(k) / UNIT) * 2**24).to_integral_value()) for k in range(UNIT)
    ]
    assert contexts._POWERS.tolist() == exact


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50))
def test_class_of_finds_what_a_search_would(values):
    values = np.sort(np.array([*values, 2**16 - 1, 2**16, 2**16 + 1, 2**31 - 1], np.int32))
    found = class_of(values)
    assert (found == np.searchsorted(contexts._LIMITS, values, side="right")).all()
    assert (np.diff(found) >= 0).all()


def test_every_class_occurs_and_has_its_centre_inside():
    limits = [0, *contexts._LIMITS.tolist(), 2**31 - 1]
    for number in range(CLASSES):
        assert class_of(np.array([limits[number]], np.int32)) == number
        assert class_of(np.array([limits[number + 1] - 1], np.int32)) == number
        assert limits[number] <= class_centre(number) * ONE <= limits[number + 1]


@given(st.integers(-30 * UNIT, 20 * UNIT))
def test_exp2_is_a_power_of_two_in_whole_numbers(step):
    (found,) = exp2(np.array([step], np.int32)).tolist()
    wanted = ONE * 2.0 ** (max(step, -20 * UNIT) / UNIT)
    if step < 13 * UNIT:
        assert wanted * (1 - 1e-6) - 1 <= found <= wanted * (1 + 1e-6)
    assert 0 <= found <= 8191 * ONE


@given(st.data())
def test_cells_around_are_neighbours_in_the_same_block(data):
    blocks = random_blocks(data)
    grid = make_grid(blocks)
    rows, columns = blocks.shape
    assert grid.cells == rows * columns
    assert grid.blocks.tolist() == blocks.ravel().tolist()
    for cell in range(grid.cells):
        y, x = divmod(cell, columns)
        for found, (down, right) in zip(
            grid.around[:, cell], ((-1, 0), (1, 0), (0, -1), (0, 1)), strict=True
        ):
            other = (y + down, x + right)
            inside = 0 <= other[0] < rows and 0 <= other[1] < columns
            if inside and blocks[other] == blocks[y, x]:
                assert found == other[0] * columns + other[1]
            else:
                assert found == grid.cells


@given(st.data())
def test_colours_part_the_cells_block_by_block(data):
    blocks = random_blocks(data)
    grid = make_grid(blocks)
    columns = blocks.shape[1]
    first, second = grid.colours
    assert sorted([*first, *second]) == list(range(grid.cells))
    for number, colour in enumerate(grid.colours):
        assert ((colour // columns + colour % columns) % 2 == number).all()
        assert (np.diff(grid.blocks[colour]) >= 0).all()
        own = set(colour.tolist())
        assert not own & set(grid.around[:, colour].ravel().tolist())


@given(st.data())
def test_a_part_of_a_grid_is_the_grid_of_those_blocks(data):
    blocks = random_blocks(data)
    grid = make_grid(blocks)
    count = int(blocks.max()) + 1
    wanted = data.draw(st.lists(st.integers(0, count - 1), min_size=1, unique=True).map(sorted))
    part, chosen = part_of(grid, np.array(wanted))
    assert np.isin(grid.blocks[chosen], wanted).all()
    assert len(chosen) == np.isin(grid.blocks, wanted).sum() == part.cells
    assert [wanted[b] for b in part.blocks] == grid.blocks[chosen].tolist()
    back = np.append(chosen, grid.cells)
    assert (back[part.around] == grid.around[:, chosen]).all()
    for own, whole in zip(part.colours, grid.colours, strict=True):
        assert chosen[own].tolist() == [c for c in whole if grid.blocks[c] in wanted]


def test_steps_go_through_every_coefficient_once():
    seen = np.zeros((CELL * CELL, RANKS, 2), int)
    layers = []
    for step in steps(CELL, RANKS):
        seen[step.frequencies, step.rank, step.colour] += 1
        layers.append(step.layer)
        u, v = np.divmod(step.frequencies, CELL)
        assert (u + v == step.layer).all()
    assert (seen == 1).all()
    assert layers == sorted(layers)


GRID = make_grid(np.repeat(np.repeat([[0, 1], [2, 3]], 3, 0), 3, 1))
"""Four blocks of three by three cells."""


def magnitudes_of(seed: int, grid: Grid = GRID) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.geometric(0.2, (CELL * CELL, RANKS, grid.cells)) - 1
    return values * random.choice([1, 1, 1, 3000], values.shape)


def walked(magnitudes: np.ndarray, grid: Grid = GRID) -> list[list[np.ndarray]]:
    """The features of every step, in their order."""
    base = np.arange(1, CELL * CELL * RANKS + 1, dtype=np.int32).reshape(CELL * CELL, RANKS)
    around = Surroundings(grid, CELL, base)
    found = []
    for step in steps(CELL, RANKS):
        found.append([f.copy() for f in around.features(step)])
        around.put(
            step, magnitudes[step.frequencies[:, None], step.rank, grid.colours[step.colour]]
        )
    return found


@settings(max_examples=30)
@given(st.integers(0, len(list(steps(CELL, RANKS))) - 1), st.integers(0, 1000))
def test_features_depend_on_nothing_that_comes_later(first, seed):
    """What is decoded later is not known yet; what came before does matter."""
    before, other = magnitudes_of(seed), magnitudes_of(seed + 1)
    changed = before.copy()
    for number, step in enumerate(steps(CELL, RANKS)):
        if number >= first:
            place = (step.frequencies[:, None], step.rank, GRID.colours[step.colour])
            changed[place] = other[place]
    pairs = list(zip(walked(before), walked(changed), strict=True))
    for a, b in pairs[: first + 1]:
        assert all((x == y).all() for x, y in zip(a, b, strict=True))
    if first < len(pairs) - 20:
        assert any((x != y).any() for a, b in pairs[first + 1 :] for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("changed", range(4))
def test_features_depend_on_no_other_block(changed):
    before, other = magnitudes_of(1), magnitudes_of(2)
    other = np.where(GRID.blocks == changed, other, before)
    differences = 0
    for step, a, b in zip(steps(CELL, RANKS), walked(before), walked(other), strict=True):
        mine = GRID.blocks[GRID.colours[step.colour]] == changed
        for x, y in zip(a, b, strict=True):
            assert (x[:, ~mine] == y[:, ~mine]).all()
            differences += (x[:, mine] != y[:, mine]).sum()
    assert differences > 100


def test_features_are_what_they_are_said_to_be():
    """One cell of the second colour, computed by hand."""
    magnitudes = np.minimum(magnitudes_of(3), 8191)
    step = next(s for s in steps(CELL, RANKS) if (s.layer, s.rank, s.colour) == (3, 2, 1))
    found = walked(magnitudes)[list_index(step)]
    row = step.frequencies.tolist().index(1 * CELL + 2)
    cell = 6 + 0  # the first of the second row: no neighbour to the left
    column = GRID.colours[1].tolist().index(cell)
    own, near = magnitudes[..., cell], magnitudes[..., [0, 12, 7]].sum(-1)

    def at(u: int, v: int, rank: int = 2, of: np.ndarray = own) -> int:
        return int(of[u * CELL + v, rank]) if u >= 0 and v >= 0 else 0

    wanted = [
        at(0, 2) + at(1, 1),
        at(0, 1) + at(-1, 2) + at(1, 0),
        at(0, 2, of=near) + at(1, 1, of=near),
        at(1, 2, 1),
        at(1, 2, 0),
        at(1, 2, 1, near),
        at(1, 2, 2, near),
        (1 * CELL + 2) * RANKS + 2 + 1,
    ]
    assert len(found) == FEATURES
    assert [int(f[row, column]) for f in found] == wanted


def list_index(wanted) -> int:
    return next(
        i
        for i, s in enumerate(steps(CELL, RANKS))
        if (s.layer, s.rank, s.colour) == (wanted.layer, wanted.rank, wanted.colour)
    )


def test_expected_is_the_weighted_sum():
    magnitudes = magnitudes_of(4)
    random = np.random.default_rng(0)
    weights = random.integers(0, 2 * ONE, (2 * CELL - 1, RANKS, 2, FEATURES)).astype(np.int32)
    base = np.full((CELL * CELL, RANKS), 5 * ONE, np.int32)
    around = Surroundings(GRID, CELL, base)
    for step in steps(CELL, RANKS):
        expected = around.expected(step, weights)
        own = weights[step.layer, step.rank, step.colour].astype(np.int64)
        *others, last = around.features(step)
        wanted = last.astype(np.int64) * own[-1] // ONE
        wanted = wanted + sum(w * f.astype(np.int64) for w, f in zip(own, others, strict=False))
        assert (expected == wanted).all()
        around.put(
            step, magnitudes[step.frequencies[:, None], step.rank, GRID.colours[step.colour]]
        )


@pytest.mark.parametrize("ranks", [1, 3, 24, 42])
def test_the_largest_sums_stay_within_32_bits(ranks):
    """Damaged carriers may hold the largest magnitudes everywhere."""
    grid = make_grid(np.zeros((3, 3), int))
    around = Surroundings(grid, 2, exp2(np.full((4, ranks), 99 * UNIT, np.int32)))
    weights = np.full((3, ranks, 2, FEATURES), 4 * ONE, np.int32)
    for step in steps(2, ranks):
        expected = around.expected(step, weights)
        assert expected.min() >= 0
        assert class_of(expected).max() < CLASSES
        around.put(step, np.full(expected.shape, 2**26))


def test_a_base_of_each_cell_is_taken_in_its_cell():
    base = np.arange(CELL * CELL * RANKS * GRID.cells, dtype=np.int32)
    base = base.reshape(CELL * CELL, RANKS, GRID.cells)
    around = Surroundings(GRID, CELL, base)
    for step in steps(CELL, RANKS):
        wanted = base[step.frequencies[:, None], step.rank, GRID.colours[step.colour]]
        assert (around.features(step)[-1] == wanted).all()
