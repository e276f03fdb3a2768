"""The objective of an adaptive network: its enhancer, which repairs what the codec did."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from iiccli.errors import TrainingError
from iiccli.inference.adaptive.repairing import FIXED
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.networks.adaptive.planes import as_pictures
from iiccli.training.chance import Chance
from iiccli.training.losses import term_of
from iiccli.training.recipes import Recipe
from iiccli.training.samples import Example
from iiccli.training.turning import turn_of, turned
from iiccli.training.watching.base import Pixels
from iiccli.training.watching.sheets import pixels_of, sample_sheet

_SHOWN = 3
"""Examples on a sample sheet."""


class Repair:
    """The objective: pictures as they were before the carrier; in passing, PSNR before and after.

    Attributes:
        module: the enhancer.
    """

    def __init__(
        self,
        net: AdaptiveNet,
        recipe: Recipe,
        examples: Sequence[Example],
        validation: Sequence[Example],
    ) -> None:
        """Get ready.

        Args:
            net: calibrated.
            recipe: its loss, crops and batch.
            examples: to learn from, on the device.
            validation: to validate on, likewise.

        Raises:
            TrainingError: a term of the loss is not about what is restored, or there are no
                examples.
        """
        if any(term.of == "embedding" for term in recipe.loss):
            raise TrainingError(
                "The carrier of an adaptive network is not learned.",
                "Let the terms of the loss be of: restored.",
            )
        self.module: nn.Module = net.enhancer
        self.recipe = recipe
        self.config = net.config
        self.cell = net.config.cell
        if not examples:
            raise TrainingError(
                "None of the samples fits its carrier.", "Give --data larger pictures."
            )
        sides = [min(e.original.shape[-2:]) for e in examples]
        self.size = min(recipe.data.crop // 2 * 2, max(sides))
        self.examples = [e for e, side in zip(examples, sides, strict=True) if side >= self.size]
        self.validation = validation
        # What is made smaller is a help, not a picture that comes back.
        self.first = net.config.cover_channels if net.config.scale > 1 else 0

    def batch(self, step: int, share: range) -> tuple[Tensor, Tensor, Tensor]:
        """Crops: planes decoded, planes as they should be, side planes."""
        loop = self.recipe.loop
        parts = [self._crop(Chance(loop.seed, step * loop.batch + place)) for place in share]
        decoded, original, side = (torch.stack(part) for part in zip(*parts, strict=True))
        return decoded.contiguous(memory_format=torch.channels_last), original, side

    def loss(
        self, module: nn.Module, batch: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The recipe's terms over a batch, with the PSNR after, and what was gained."""
        decoded, original, side = batch
        enhanced = module(decoded, side)
        found, wanted = enhanced[:, self.first :].float(), original[:, self.first :]
        loss = torch.stack([term_of(term, found, wanted) for term in self.recipe.loss]).sum()
        after = _mean_db(found, wanted)
        before = _mean_db(decoded[:, self.first :], wanted)
        return loss, {"restored_psnr": after, "gain": after - before}

    def _crop(self, chance: Chance) -> tuple[Tensor, Tensor, Tensor]:
        example = self.examples[chance.below(len(self.examples))]
        height, width = example.original.shape[-2:]
        size = self.size
        top, left = (2 * chance.below((side - size) // 2 + 1) for side in (height, width))
        place = (slice(None), slice(top, top + size), slice(left, left + size))
        three = (
            example.decoded[place].float() / FIXED,
            example.original[place].float() / FIXED,
            spread(example.side, (top, top + size, left, left + size), self.cell),
        )
        # No step here depends on what is left or above, so that even stereo pairs may be turned.
        turn = turn_of(self.recipe.data.turns, chance)
        decoded, original, side = (turned(x, turn) for x in three)
        return decoded, original, side

    @torch.no_grad()
    def validate(self, module: nn.Module) -> dict[str, float]:
        """Mean PSNR of whole pictures before and after; nothing where none are kept out."""
        if not self.validation:
            return {}
        sums = torch.zeros(2)
        for example in self.validation:
            original, decoded, after = self._whole(module, example)
            for i, x in enumerate((decoded, after)):
                error = (x - original)[self.first :].square().mean()
                sums[i] -= 10 * (error + 1e-9).log10().cpu()
        before, after = (sums / len(self.validation)).tolist()
        return {"restored_psnr": after, "gain": after - before}

    @torch.no_grad()
    def sheet(self, module: nn.Module) -> Pixels | None:
        """Originals, carrier and restored pictures of some examples.

        Where pictures are repaired one by one the sheet shows each by itself, and how it came out
        of the codec in place of the carrier.
        """
        if not self.validation:
            return None
        groups = []
        for example in self.validation[:_SHOWN]:
            original, decoded, after = self._whole(module, example)
            cover = slice(self.config.cover_channels if self.config.joint else 3)
            (carrier,), (wanted,) = (pixels_of(x[None, cover]) for x in (decoded, original))
            groups.append((self._pictures(original), carrier, self._pictures(after), wanted))
        return sample_sheet(groups)

    def _whole(self, module: nn.Module, example: Example) -> tuple[Tensor, Tensor, Tensor]:
        """Planes as they should be, as decoded, and repaired."""
        height, width = (side // 2 * 2 for side in example.original.shape[-2:])
        decoded = example.decoded[:, :height, :width].float() / FIXED
        original = example.original[:, :height, :width].float() / FIXED
        side = spread(example.side, (0, height, 0, width), self.cell)
        return original, decoded, module(decoded[None], side[None])[0]

    def _pictures(self, planes: Tensor) -> list[Pixels]:
        pictures = as_pictures(self.config, planes) if self.config.joint else [planes]
        return pixels_of(torch.stack(pictures))


def spread(side: Tensor, window: tuple[int, int, int, int], cell: int) -> Tensor:
    """Side planes by cell over a window (top, bottom, left, right) at half size."""
    top, bottom, left, right = window
    rows = torch.arange(top, bottom, 2, device=side.device) // cell
    columns = torch.arange(left, right, 2, device=side.device) // cell
    return side[:, rows][:, :, columns].float()


def _mean_db(found: Tensor, wanted: Tensor) -> Tensor:
    error = (found.detach() - wanted).square().mean((1, 2, 3))
    return -10 * (error + 1e-9).log10().mean()
