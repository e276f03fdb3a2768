"""Groups of frames to train video embedding on: real clips, and photographs filmed."""

from __future__ import annotations

import torch
from torch import Tensor

from iiccli.training.calibration import Group
from iiccli.training.camera import move_camera
from iiccli.training.data import Footage


def clip_groups(footage: Footage, pictures: int, windows: int, seed: int) -> list[Group]:
    """Cut `windows` groups out of every clip, at steps of one to three frames, step one most.

    Half of them run backwards, so that the model learns no direction of time.
    """
    generator = torch.Generator().manual_seed(seed)
    groups = []
    for clip in footage.clips:
        longest = (len(clip) - 1) // (pictures - 1)
        for _ in range(windows):
            step = 1
            if torch.rand((), generator=generator) < 0.4:
                step = 1 + int(torch.randint(min(longest, 3), (), generator=generator))
            room = len(clip) - (pictures - 1) * step
            start = int(torch.randint(room, (), generator=generator))
            window = clip[start : start + (pictures - 1) * step + 1 : step]
            if torch.rand((), generator=generator) < 0.5:
                window = window.flip(0)
            groups.append(_group(window))
    return groups


def camera_groups(footage: Footage, pictures: int, count: int, size: int, seed: int) -> list[Group]:
    """Film `count` photographs, spread evenly over those that are large enough."""
    generator = torch.Generator().manual_seed(seed)
    stills = [s for s in footage.stills if min(s.shape[-2:]) >= 160]
    if not stills:
        return []
    chosen = [stills[i * len(stills) // count] for i in range(count)]
    return [_group(move_camera(still, pictures, size, generator)) for still in chosen]


def _group(frames: Tensor) -> Group:
    middle = len(frames) // 2
    pictures = frames.float() / 255
    return pictures[middle], torch.cat((pictures[:middle], pictures[middle + 1 :]))
