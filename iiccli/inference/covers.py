"""What a carrier should look like: the picture itself, smaller, or in gray."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from iiccli.room import room, strips

Pixels = npt.NDArray[np.uint8]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""

_REACH = 3
"""Rows of the smaller picture that the bicubic filter sees to both sides; two would do."""


def cover_of(picture: Pixels, scale: int = 1, channels: int = 3) -> Pixels:
    """The cover that a picture makes.

    Args:
        picture: (H, W, 3) uint8.
        scale: the cover is this many times smaller: bicubic, with the support widened so that
            nothing aliases (as MATLAB's and Pillow's), after the border was repeated up to a
            multiple of `scale`.
        channels: 1 takes the luma of BT.601.

    Returns:
        (⌈H / scale⌉, ⌈W / scale⌉, 3) uint8, without the last axis for one channel.
    """
    if scale > 1:
        picture = _smaller(picture, scale)
    if channels == 1:
        picture = _luma(picture)
    return picture


def _smaller(picture: Pixels, scale: int) -> Pixels:
    """The picture made smaller, some rows at a time, each seen with what the filter reaches."""
    height, width = (-(-side // scale) for side in picture.shape[:2])
    result = room((height, width, 3), np.uint8)
    for rows in strips(result):
        above, below = max(0, rows.start - _REACH), min(height, rows.stop + _REACH)
        part = picture[above * scale : below * scale]
        missing = ((below - above) * scale - part.shape[0], width * scale - part.shape[1])
        if any(missing):
            part = np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        x = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1)))
        own = smaller(x, scale)[:, rows.start - above : rows.stop - above]
        result[rows] = own.permute(1, 2, 0).numpy()
    return result


def _luma(picture: Pixels) -> Pixels:
    result = room(picture.shape[:2], np.uint8)
    for rows in strips(picture):
        luma = picture[rows].astype(np.float64) @ np.array(LUMA)
        result[rows] = np.rint(luma).clip(0, 255)
    return result


def smaller(picture: torch.Tensor, scale: int) -> torch.Tensor:
    """A picture made smaller as covers are: (3, H, W) to (3, H / scale, W / scale), uint8."""
    return resized(picture, (picture.shape[-2] // scale, picture.shape[-1] // scale))


def resized(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A picture (C, H, W) of another size (height, width), uint8: bicubic, nothing aliases."""
    x = F.interpolate(
        picture[None].float(), size, mode="bicubic", antialias=True, align_corners=False
    )
    return x[0].round().clamp(0, 255).to(torch.uint8)
