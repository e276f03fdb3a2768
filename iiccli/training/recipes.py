"""What is trained how: one frozen record per model that ships."""

from __future__ import annotations

from dataclasses import dataclass

from iiccli.networks.transform import TransformConfig
from iiccli.training.loop import Schedule


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model's weights, but for the pictures.

    Attributes:
        name: of the model, with its version.
        task: the conversion.
        network: hyper-parameters.
        schedule: of the enhancer.
        crop: side of the training crops in pixels.
        batch: crops in a batch.
        windows: groups cut out of each clip.
        camera: groups filmed from photographs.
        frame: side of those in pixels.
    """

    name: str
    task: str
    network: TransformConfig
    schedule: Schedule
    crop: int = 96
    batch: int = 8
    windows: int = 2
    camera: int = 60
    frame: int = 320


def video(pictures: int, minutes: float, windows: int = 2, camera: int = 60) -> Recipe:
    """The recipe of the video models."""
    return Recipe(
        name=f"video-{pictures}.v1",
        task="video",
        network=TransformConfig(pictures, ranks=(2, 6)),
        schedule=Schedule(minutes=minutes, rate=5e-4),
        windows=windows,
        camera=camera,
    )


SHIPPED: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (video(5, 30), video(3, 12, camera=40), video(9, 12, windows=1, camera=30))
}
"""The models of `models/`, in the order in which they are trained."""
