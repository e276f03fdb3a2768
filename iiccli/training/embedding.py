"""Training a dense network both ways: pictures to a carrier and back."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iiccli.inference.covers import LUMA
from iiccli.networks.invertible.quantise import LEVELS, Quantise, round_to_8bit
from iiccli.training.chance import Chance
from iiccli.training.groups import Group, Groups
from iiccli.training.losses import term_of
from iiccli.training.recipes import Recipe
from iiccli.training.turning import turn_of, turned
from iiccli.training.watching.base import Pixels
from iiccli.training.watching.sheets import pixels_of, sample_sheet

_AHEAD = 3
"""Batches that are made ready in advance where pictures have to be decoded for them."""

_SHOWN = 3
"""Groups on a sample sheet."""

_NOISE = 0x6E6F697365
"""Sets the chance of the noise apart from that of the groups."""


@dataclass(frozen=True)
class Batch:
    """A process's part of a batch.

    Attributes:
        pictures: (B, N, 3, H, W) uint8, the reference first.
        step: its number.
        share: which groups of the whole batch these are.
    """

    pictures: Tensor
    step: int
    share: range


class Embedding:
    """The objective: carrier and restored pictures are what they should be.

    The module is a `FastNet` or an `IICNet`.

    Attributes:
        module: the network.
    """

    def __init__(
        self, module: nn.Module, recipe: Recipe, groups: Groups, kept: Groups | None
    ) -> None:
        """Get ready.

        Args:
            module: the network, on its device.
            recipe: its loss, crops and batch.
            groups: to learn from.
            kept: to validate on.
        """
        self.module = module
        self.recipe = recipe
        self.groups = groups
        self.device = next(module.parameters()).device
        self.kept = [kept.draw(i) for i in range(recipe.data.validated)] if kept else []
        self._pool = None if groups.footage.shelf.whole else ThreadPoolExecutor(_AHEAD)
        self._coming: dict[int, Future[Batch]] = {}

    def batch(self, step: int, share: range) -> Batch:
        """The groups of a step that fall to this process."""
        if self._pool is None:
            return self._drawn(step, share)
        for number in range(step, step + 1 + _AHEAD):
            if number not in self._coming:
                self._coming[number] = self._pool.submit(self._drawn, number, share)
        return self._coming.pop(step).result()

    def loss(self, module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The recipe's terms over a batch, and the PSNR of both sides."""
        x = batch.pictures.float() / LEVELS
        self._settle_noise(batch)
        carrier, restored = module(x.flatten(1, 2))
        restored = restored.unflatten(1, x.shape[1:3])
        wanted = self.wanted(x)
        sides = {
            "embedding": (carrier, wanted),
            "restored": (restored, x),
            "others": (restored[:, 1:], x[:, 1:]) if x.shape[1] > 1 else (restored, x),
        }
        terms = [term_of(term, *sides[term.of]) for term in self.recipe.loss]
        figures = {
            "cover_psnr": _psnr(round_to_8bit(carrier.detach()), wanted),
            "restored_psnr": _psnr(sides["others"][0].detach().clamp(0, 1), sides["others"][1]),
        }
        return torch.stack(terms).sum(), figures

    def wanted(self, x: Tensor) -> Tensor:
        """What the carriers of pictures (B, N, 3, H, W) should look like, (B, c, h, w)."""
        reference = x[:, 0]
        scale = int(getattr(self.module, "scale", 1))
        if scale > 1:
            size = (reference.shape[-2] // scale, reference.shape[-1] // scale)
            reference = F.interpolate(reference, size, mode="bicubic", antialias=True).clamp(0, 1)
        if self.recipe.config["out_channels"] == 1:
            weights = torch.tensor(LUMA, device=x.device)[:, None, None]
            reference = (reference * weights).sum(1, keepdim=True)
        return (reference * LEVELS).round() / LEVELS

    @torch.no_grad()
    def validate(self, module: nn.Module) -> dict[str, float]:
        """Mean PSNR of carriers, and of the pictures restored from them, on 8 bits."""
        if not self.kept:
            return {}
        rows = [self._measured(module, group)[0] for group in self.kept]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    @torch.no_grad()
    def sheet(self, module: nn.Module) -> Pixels | None:
        """Originals, carrier and restored pictures of some groups."""
        if not self.kept:
            return None
        return sample_sheet([self._measured(module, group)[1] for group in self.kept[:_SHOWN]])

    def _measured(
        self, module: nn.Module, group: Group
    ) -> tuple[Mapping[str, float], tuple[list[Pixels], Pixels, list[Pixels], Pixels]]:
        x = torch.stack(group.pictures).to(self.device)[None].float() / LEVELS
        wanted = self.wanted(x)
        embedded = module.embed(x.flatten(1, 2))  # type: ignore[operator]
        carrier = round_to_8bit(embedded)
        back = round_to_8bit(module.restore(carrier))  # type: ignore[operator]
        restored = back.view_as(x)
        first = min(1, x.shape[1] - 1)
        figures = {
            "cover_psnr": float(_psnr(carrier, wanted)),
            "restored_psnr": float(_psnr(restored[:, first:], x[:, first:])),
        }
        shown = (
            pixels_of(x[0]),
            pixels_of(carrier)[0],
            pixels_of(restored[0]),
            pixels_of(wanted)[0],
        )
        return figures, shown

    def _drawn(self, step: int, share: range) -> Batch:
        size = self.recipe.loop.batch
        groups = []
        for place in share:
            number = step * size + place
            group = torch.stack(self.groups.draw(number).pictures)
            turn = turn_of(self.recipe.data.turns, Chance(self.recipe.loop.seed ^ 1, number))
            groups.append(turned(group, turn).to(self.device, non_blocking=True))
        return Batch(torch.stack(groups), step, share)

    def _settle_noise(self, batch: Batch) -> None:
        """Give the quantisation the noise that belongs to this step, whoever computes it."""
        for part in self.module.modules():
            if isinstance(part, Quantise):
                part.noise = partial(_noise, self.recipe, batch)


def _noise(recipe: Recipe, batch: Batch, x: Tensor) -> Tensor:
    """Uniform noise for this process's part of a batch, out of that for the whole."""
    seed = Chance(recipe.loop.seed ^ _NOISE, batch.step).below(2**31 - 1)
    generator = torch.Generator(x.device).manual_seed(seed)
    whole = torch.rand((recipe.loop.batch, *x.shape[1:]), generator=generator, device=x.device)
    return whole[batch.share.start : batch.share.stop].to(x.dtype)


def _psnr(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean over pictures of the PSNR, at most 80 dB."""
    error = (found.float() - wanted).square().mean((-3, -2, -1))
    return -10 * (error + 1e-8).log10().mean()
