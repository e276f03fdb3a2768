"""Pictures as the planes that are coded, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from iiccli.networks.adaptive.config import AdaptiveConfig

_LUMA = (0.299, 0.587, 0.114)


def colour_basis(like: Tensor) -> Tensor:
    """Two orthonormal directions of colour that have no luma (BT.601), (2, 3).

    A colour is its luma on all three channels plus what these two say; an error in them is one of
    equal energy in RGB.
    """
    luma = torch.tensor(_LUMA, dtype=torch.float64)
    first = torch.tensor((1.0, 0.0, -_LUMA[0] / _LUMA[2]), dtype=torch.float64)
    second = torch.linalg.cross(luma, first)
    basis = torch.stack((first / first.norm(), second / second.norm()))
    return basis.to(like)


def coded_planes(config: AdaptiveConfig, pictures: Sequence[Tensor]) -> Tensor:
    """What is coded of pictures (3, H, W) each in 0..1, the cover first: (ranks, H, W)."""
    if config.kind == "gray":
        (picture,) = pictures
        luma = (picture * picture.new_tensor(_LUMA).view(3, 1, 1)).sum(0, keepdim=True)
        return torch.einsum("kc,chw->khw", colour_basis(picture), picture - luma)
    if config.kind == "layers":
        _, background, alpha = pictures
        return torch.cat((background, alpha[:1]))
    return torch.cat(list(pictures[config.scale == 1 :]))


def as_pictures(config: AdaptiveConfig, planes: Tensor) -> list[Tensor]:
    """Undo `coded_planes`: pictures (3, H, W) from the cover's and the coded planes together."""
    cover, coded = planes[: config.cover_channels], planes[config.cover_channels :]
    if config.kind == "gray":
        return [cover + torch.einsum("kc,khw->chw", colour_basis(coded), coded)]
    if config.kind == "layers":
        return [cover, coded[:3], coded[3:].expand(3, -1, -1)]
    others = list(coded.view(-1, 3, *coded.shape[1:]))
    return [cover, *others] if config.scale == 1 else others
