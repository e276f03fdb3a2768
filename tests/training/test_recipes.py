"""What is trained how."""

import pytest

from iiccli.training.recipes import SHIPPED, recipe_for
from iiccli.training.sources import trainable


@pytest.mark.parametrize("task", trainable())
def test_every_task_has_a_recipe(task):
    recipe = recipe_for(task, 1 if task == "hide" else 5, 2 if task == "rescale" else 1, 7)
    assert recipe.task == task
    assert recipe.schedule.minutes == 7
    assert recipe.crop <= recipe.side
    assert recipe.crop % recipe.network.cell == 0


@pytest.mark.parametrize(
    ("task", "pictures", "scale", "name", "taken"),
    [
        ("video", 9, 1, "video-9.v2", 9),
        ("video", 3, 2, "video-half-3.v1", 3),
        ("hide", 4, 1, "hide-4.v1", 5),
        ("rescale", 5, 4, "rescale-4.v1", 1),
        ("mono", 5, 1, "mono.v1", 2),
        ("dual", 5, 1, "dual.v1", 2),
        ("layers", 5, 1, "layers.v1", 3),
        ("gray", 5, 1, "gray.v1", 1),
    ],
)
def test_recipes_are_for_as_many_pictures_as_they_say(task, pictures, scale, name, taken):
    recipe = recipe_for(task, pictures, scale, 1)
    assert recipe.name == name
    assert recipe.network.pictures == taken
    assert recipe.network.scale == scale


@pytest.mark.parametrize(
    ("task", "pictures", "scale"),
    [("video", 1, 1), ("video", 3, 3), ("rescale", 5, 1), ("rescale", 5, 3), ("video", 99, 1)],
)
def test_what_no_network_does_is_refused(task, pictures, scale):
    with pytest.raises(ValueError, match=r"\w"):
        recipe_for(task, pictures, scale, 1)


def test_what_ships_is_all_that_must():
    needed = {"hide-1", "hide-2", "hide-4", "mono", "dual", "layers", "gray", "rescale-2"}
    needed |= {"rescale-4", "video-3", "video-5", "video-9", "video-half-3"}
    assert needed <= {name.rsplit(".", 1)[0] for name in SHIPPED}
