"""Short clips from single photographs: a camera that pans, zooms and turns."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_MARGIN = 0.8
"""The camera sees this part of the photograph's smaller side at the most."""


def move_camera(still: Tensor, frames: int, size: int, generator: torch.Generator) -> Tensor:
    """Film a photograph.

    The camera's path is smooth: constant speed in place, angle and zoom plus a little shake; a
    second, slower layer of the same photograph behind a soft moving mask gives parallax and
    occlusion in half of the clips.

    Args:
        still: (3, H, W) uint8.
        frames: how many frames.
        size: side of the square frames in pixels; at most `0.8 · min(H, W)` is used.
        generator: source of all chance.

    Returns:
        (frames, 3, size', size') uint8 with size' = min(size, 0.8 · min(H, W)), even.
    """
    height, width = still.shape[-2:]
    side = min(size, int(_MARGIN * min(height, width))) // 2 * 2
    photo = still[None].float()
    front = _film(photo, frames, side, generator)
    if torch.rand((), generator=generator) < 0.5:
        back = _film(photo.flip(-1), frames, side, generator)
        noise = torch.randn(1, 1, 6, 6, generator=generator).to(still.device)
        shape = F.interpolate(noise, size=(height, width), mode="bicubic", align_corners=False)
        state = generator.get_state()
        mask = _film(((shape * 40).sigmoid() * 255), frames, side, generator) / 255
        generator.set_state(state)
        front = mask * front + (1 - mask) * back
    return front.round().clamp(0, 255).to(torch.uint8)


def _film(photo: Tensor, frames: int, side: int, generator: torch.Generator) -> Tensor:
    """Frames (frames, C, side, side) along one random camera path over (1, C, H, W)."""
    height, width = photo.shape[-2:]

    def normal(scale: float) -> float:
        return float(torch.randn((), generator=generator)) * scale

    speed = 10 ** (0.9 * float(torch.rand((), generator=generator)) - 0.4)
    pan = (normal(2.0) * speed, normal(2.0) * speed)
    turn, zoom = normal(0.006) * speed, normal(0.006) * speed
    room = ((width - side) / 2, (height - side) / 2)
    start = (normal(0.4) * room[0], normal(0.4) * room[1])
    axis = torch.arange(side, dtype=torch.float32, device=photo.device) + 0.5 - side / 2
    ys, xs = axis[:, None].expand(side, side), axis[None, :].expand(side, side)
    result = []
    for t in range(frames):
        time = t - (frames - 1) / 2
        angle, scale = turn * time, math.exp(zoom * time)
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        shift_x = start[0] + pan[0] * time + normal(0.2)
        shift_y = start[1] + pan[1] * time + normal(0.2)
        x = cos * xs - sin * ys + shift_x
        y = sin * xs + cos * ys + shift_y
        grid = torch.stack((x * 2 / width, y * 2 / height), dim=-1)[None]
        result.append(
            F.grid_sample(photo, grid, "bicubic", padding_mode="reflection", align_corners=False)
        )
    return torch.cat(result)
