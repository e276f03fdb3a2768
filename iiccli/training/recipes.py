"""What is trained how: one frozen record per model that ships."""

from __future__ import annotations

from dataclasses import dataclass

from iiccli.networks.adaptive import AdaptiveConfig
from iiccli.training.loop import Schedule

_STILL = ((3, 3, 3), (4, 4, 4), (8, 8, 8))
_NEAR = ((2, 2, 2), (3, 3, 3), (4, 4, 4))
_FAINT = ((3, 3, 3), (4, 4, 4), (4, 4, 8))


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model's weights, but for the pictures.

    Attributes:
        name: of the model, with its version.
        task: the conversion.
        network: hyper-parameters.
        schedule: of the enhancer.
        samples: how many the tables are fitted to.
        side: of the samples in pixels.
        crop: side of the enhancer's crops in pixels.
        batch: crops in a batch.
        start: name of the model whose enhancer to start from, if it is at hand.
    """

    name: str
    task: str
    network: AdaptiveConfig
    schedule: Schedule
    samples: int = 60
    side: int = 320
    crop: int = 96
    batch: int = 8
    start: str = ""


def _schedule(minutes: float) -> Schedule:
    return Schedule(minutes=minutes, rate=4e-4)


def hide(secrets: int, minutes: float) -> Recipe:
    """Pictures that the cover shows nothing of."""
    network = AdaptiveConfig(
        secrets + 1, prediction="none", joint=False, moduli=_STILL, width=48, depth=4
    )
    return Recipe(
        name=f"hide-{secrets}.v1",
        task="hide",
        network=network,
        schedule=_schedule(minutes),
        samples=80 // secrets,
        start="hide-1" if secrets > 1 else "",
    )


def video(pictures: int, minutes: float, scale: int = 1) -> Recipe:
    """Frames, moved against the cover; with a scale, in a carrier that is smaller."""
    network = AdaptiveConfig(
        pictures, scale=scale, motion=8, moduli=_FAINT if scale == 1 else _STILL
    )
    return Recipe(
        name=f"video-{pictures}.v2" if scale == 1 else f"video-half-{pictures}.v1",
        task="video",
        network=network,
        schedule=_schedule(minutes),
        samples=120 // pictures + 12,
        side=256 if pictures < 7 else 192,
        start=f"video-{pictures}.v1" if pictures in (3, 5, 9) else "video-9.v1",
    )


def mono(minutes: float) -> Recipe:
    """A stereo pair: the right view, moved against the left."""
    network = AdaptiveConfig(2, motion=8, moduli=_NEAR)
    return Recipe("mono.v1", "mono", network, _schedule(minutes), samples=70, start="video-3.v1")


def dual(minutes: float) -> Recipe:
    """A near view, of which the wide one shows the coarse."""
    network = AdaptiveConfig(2, prediction="zoom", motion=8, moduli=_NEAR)
    return Recipe("dual.v1", "dual", network, _schedule(minutes), samples=150, start="video-3.v1")


def layers(minutes: float) -> Recipe:
    """Background and alpha of a composite."""
    network = AdaptiveConfig(3, kind="layers", moduli=_NEAR)
    return Recipe(
        "layers.v1", "layers", network, _schedule(minutes), samples=70, start="video-3.v1"
    )


def gray(minutes: float) -> Recipe:
    """The colour of a picture in gray."""
    network = AdaptiveConfig(1, kind="gray", moduli=((2,), (3,)))
    return Recipe("gray.v1", "gray", network, _schedule(minutes), samples=100, start="video-3.v1")


def rescale(scale: int, minutes: float) -> Recipe:
    """The detail of a picture made smaller."""
    network = AdaptiveConfig(1, scale=scale, moduli=((4, 4, 4), (6, 6, 6), (8, 8, 8)))
    return Recipe(
        name=f"rescale-{scale}.v1",
        task="rescale",
        network=network,
        schedule=_schedule(minutes),
        samples=60,
        side=384,
        start="video-3.v1",
    )


def recipe_for(task: str, pictures: int, scale: int, minutes: float) -> Recipe:
    """The recipe for a task.

    Args:
        task: see `sources.trainable`.
        pictures: how many are embedded: frames of a video, secrets; others have their own.
        scale: the carrier is so many times smaller, where the task has that choice.
        minutes: of the enhancer's training.

    Raises:
        ValueError: no such network.
    """
    if task == "video":
        return video(pictures, minutes, scale)
    if task == "hide":
        return hide(pictures, minutes)
    if task == "rescale":
        return rescale(scale, minutes)
    return {"mono": mono, "dual": dual, "layers": layers, "gray": gray}[task](minutes)


SHIPPED: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        hide(1, 20),
        video(5, 20),
        rescale(2, 12),
        rescale(4, 12),
        gray(12),
        mono(10),
        dual(10),
        layers(10),
        hide(2, 4),
        hide(4, 4),
        video(3, 8),
        video(9, 8),
        video(3, 8, scale=2),
        hide(3, 4),
        video(7, 8),
        video(5, 8, scale=2),
    )
}
"""The models of `models/`, in the order in which they are trained."""
