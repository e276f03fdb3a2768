"""What a carrier should look like: the picture itself, smaller, or in gray."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Pixels = npt.NDArray[np.uint8]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""


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
        bottom, right = (-side % scale for side in picture.shape[:2])
        padded = np.pad(picture, ((0, bottom), (0, right), (0, 0)), mode="edge")
        x = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))
        picture = smaller(x, scale).permute(1, 2, 0).numpy()
    if channels == 1:
        luma = picture.astype(np.float64) @ np.array(LUMA)
        picture = np.rint(luma).clip(0, 255).astype(np.uint8)
    return picture


def smaller(picture: torch.Tensor, scale: int) -> torch.Tensor:
    """A picture made smaller as covers are: (3, H, W) to (3, H / scale, W / scale), uint8."""
    return resized(picture, (picture.shape[-2] // scale, picture.shape[-1] // scale))


def resized(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A picture (C, H, W) of another size (height, width), uint8: bicubic, nothing aliases."""
    x = F.interpolate(
        picture[None].float(), size, mode="bicubic", antialias=True, align_corners=False
    )
    return x[0].round().clamp(0, 255).to(torch.uint8)
