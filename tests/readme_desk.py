"""All files that README.md names, small: a desk at which one of its readers could sit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from iiccli.media.clip import write_clip
from iiccli.media.resize import resize
from iiccli.media.stereo_writing import write_mpo
from tests.conftest import Pixels, moving_clip
from tests.networks.iicnet_parity import fill, official_shapes
from tests.task_models import disc, photograph

FRAMES, RATE = 11, 5
"""Of `holiday.mp4`: not a multiple of what a cover takes, so that the last one is filled up."""

PAIRS = 3
"""Frames of `3d-holiday.mp4`."""

ZOOM = 3
"""How many times nearer `tele.jpg` is than `wide.jpg`."""


def put_everything(desk: Path) -> None:
    """Write all files into the folder."""
    write_clip(desk / "holiday.mp4", moving_clip(72, 96, FRAMES), Fraction(RATE))
    _stereo(desk)
    _views(desk)
    _stills(desk)
    _batches(desk)
    _clips(desk / "my-clips")
    _flickr1024(desk / "datasets" / "flicker1024")
    torch.save(fill(official_shapes("st-01")), desk / "st-01.pth")


def _stereo(desk: Path) -> None:
    for folder in ("lefts", "rights"):
        (desk / folder).mkdir()
    for number in range(2):
        for side, view in zip(("left", "right"), _pair(number), strict=True):
            _save(desk / f"{side}s" / f"{number}.jpg", view)
    left, right = _pair(2)
    _save(desk / "left.jpg", left)
    _save(desk / "right.jpg", right)
    write_mpo(desk / "holiday.mpo", left, right)
    _save(desk / "wide.png", np.hstack((left, right)))
    lefts, rights = (moving_clip(64, 80, PAIRS, (2, 0), seed) for seed in (6, 6))
    shifted = [np.roll(frame, -3, axis=1) for frame in rights]
    both = [np.hstack(views) for views in zip(lefts, shifted, strict=True)]
    write_clip(desk / "3d-holiday.mp4", both, Fraction(RATE))


def _flickr1024(root: Path) -> None:
    """Two pairs a folder of the published layout."""
    for part in ("Train_1", "Train_2", "Train_3", "Train_4", "Validation", "Test"):
        (root / part).mkdir(parents=True)
        for number in range(2):
            for side, view in zip("LR", _pair(number), strict=True):
                _save(root / part / f"{number:04}_{side}.png", view)


def _pair(seed: int) -> tuple[Pixels, Pixels]:
    left, right = moving_clip(64, 80, 2, (4, 0), seed)
    return left, right


def _views(desk: Path) -> None:
    height, width = 80, 96
    large = photograph(ZOOM * height, ZOOM * width, 20)
    _save(desk / "wide.jpg", resize(large, (width, height)))
    top, left = (ZOOM - 1) * height // 2, (ZOOM - 1) * width // 2
    _save(desk / "tele.jpg", large[top : top + height, left : left + width])


def _stills(desk: Path) -> None:
    _save(desk / "photo.jpg", photograph(144, 192, 30))
    _save(desk / "secret.png", photograph(480, 640, 31))
    (desk / "phrase.txt").write_text("correct horse battery staple\n")
    _save(desk / "one.png", photograph(90, 70, 32))
    _save(desk / "two.jpg", photograph(60, 120, 33))
    _save(desk / "three.png", photograph(50, 50, 34))
    _save(desk / "huge.jpg", photograph(163, 201, 35))
    _save(desk / "person.png", np.dstack((photograph(50, 40, 36), disc(50, 40))))
    _save(desk / "beach.jpg", photograph(72, 96, 37))


def _batches(desk: Path) -> None:
    _save(desk / "photos" / "large.jpg", photograph(200, 192, 40))
    _save(desk / "photos" / "small.png", photograph(64, 72, 41))
    _save(desk / "photos" / "trip" / "boat.jpg", photograph(61, 75, 42))
    _save(desk / "cut-outs" / "cat.png", np.dstack((photograph(60, 48, 43), disc(60, 48))))


def _clips(folder: Path) -> None:
    for number in range(3):
        for index, frame in enumerate(moving_clip(64, 80, 6, (2, number), seed=number)):
            _save(folder / f"clip-{number}" / f"{index:03}.png", frame)


def _save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
