"""The order in which pictures are coded, and what they are predicted from."""

import pytest

from iiccli.networks.adaptive import AdaptiveConfig
from iiccli.networks.adaptive.links import Link, followers, links


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (1, [(0, None)]),
        (2, [(0, None), (1, 0)]),
        (4, [(1, None), (0, 0), (2, 0), (3, 2)]),
        (8, [(3, None), (2, 0), (1, 1), (0, 2), (4, 0), (5, 4), (6, 5), (7, 6)]),
    ],
)
def test_the_nearest_to_the_middle_come_first(count, wanted):
    assert links(count) == tuple(Link(picture, None, before) for picture, before in wanted)


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("count", range(1, 30))
def test_every_picture_is_predicted_from_those_that_are_there(count, covered):
    sequence = links(count, covered=covered)
    assert sorted(link.picture for link in sequence) == list(range(count))
    for place, link in enumerate(sequence):
        assert link.before is None or 0 <= link.before < place
        assert link.anchor == (0 if covered and place else None)
    assert followers(sequence) == [p for p, link in enumerate(sequence) if link.before is not None]


def test_what_the_cover_shows_comes_first_where_the_carrier_is_smaller():
    assert links(1, covered=True) == (Link(0, None, None),)
    assert links(3, covered=True) == (Link(0, None, None), Link(1, 0, None), Link(2, 0, 1))


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"pictures": 5, "motion": 8}, 4),
        ({"pictures": 5, "motion": 8, "modes": 4}, 7),
        ({"pictures": 5, "motion": 8, "modes": 4, "scale": 2}, 8),
        ({"pictures": 5, "modes": 4}, 0),
        ({"pictures": 1, "motion": 8, "modes": 4, "scale": 2}, 1),
    ],
)
def test_there_is_a_field_for_each_prediction(values, fields):
    assert AdaptiveConfig(**values).fields == fields
