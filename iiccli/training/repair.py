"""Training the enhancer of a calibrated network: crops, loss and validation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from iiccli.inference.adaptive import FIXED
from iiccli.networks.adaptive import AdaptiveNet
from iiccli.training.samples import Example

_FLOOR = 1e-6
"""Squared error (60 dB) below which a crop counts as good enough."""


class Repair:
    """The objective: mean over crops of the log squared error, which is PSNR with a floor.

    A mean of PSNRs is what is measured; a plain mean of squares would let the few hardest crops
    decide alone.
    """

    def __init__(
        self,
        net: AdaptiveNet,
        examples: Sequence[Example],
        validation: Sequence[Example],
        *,
        crop: int,
        batch: int,
    ) -> None:
        self.module: nn.Module = net.enhancer
        self.cell = net.config.cell
        self.batch = batch
        sides = [min(e.original.shape[-2:]) for e in examples]
        self.size = min(crop // 2 * 2, max(sides))
        self.examples = [e for e, side in zip(examples, sides, strict=True) if side >= self.size]
        self.validation = validation
        # What is made smaller is a help, not a picture that comes back.
        self.first = net.config.cover_channels if net.config.scale > 1 else 0

    def loss(self, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """One batch's loss, with the PSNR before and after."""
        parts = [self._crop(generator) for _ in range(self.batch)]
        decoded, original, side = (torch.stack(part) for part in zip(*parts, strict=True))
        decoded = decoded.contiguous(memory_format=torch.channels_last)
        enhanced = self.module(decoded, side)
        error = (enhanced - original)[:, self.first :].float().square().mean((1, 2, 3))
        before = (decoded - original)[:, self.first :].square().mean((1, 2, 3))
        loss = 10 * (error + _FLOOR).log10().mean()
        return loss, {"psnr": -_mean_db(error), "gain": _mean_db(before) - _mean_db(error)}

    def _crop(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        def chance(n: int) -> int:
            return int(torch.randint(n, (), generator=generator))

        example = self.examples[chance(len(self.examples))]
        height, width = example.original.shape[-2:]
        size = self.size
        top, left = 2 * chance((height - size) // 2 + 1), 2 * chance((width - size) // 2 + 1)
        place = (slice(None), slice(top, top + size), slice(left, left + size))
        three = (
            example.decoded[place].float() / FIXED,
            example.original[place].float() / FIXED,
            spread(example.side, (top, top + size, left, left + size), self.cell),
        )
        turns = (chance(2), chance(2), chance(2))
        decoded, original, side = (_turned(x, turns) for x in three)
        return decoded, original, side

    @torch.no_grad()
    def validate(self, module: nn.Module) -> dict[str, float]:
        """Mean PSNR of whole pictures before and after; nothing where none are kept out."""
        if not self.validation:
            return {}
        sums = torch.zeros(2)
        for example in self.validation:
            height, width = (side // 2 * 2 for side in example.original.shape[-2:])
            decoded = example.decoded[:, :height, :width].float() / FIXED
            original = example.original[:, :height, :width].float() / FIXED
            side = spread(example.side, (0, height, 0, width), self.cell)
            after = module(decoded[None], side[None])[0]
            for i, x in enumerate((decoded, after)):
                error = (x - original)[self.first :].square().mean()
                sums[i] -= 10 * (error + 1e-9).log10().cpu()
        before, after = (sums / len(self.validation)).tolist()
        return {"decoded": before, "enhanced": after}


def spread(side: Tensor, window: tuple[int, int, int, int], cell: int) -> Tensor:
    """Side planes by cell over a window (top, bottom, left, right) at half size."""
    top, bottom, left, right = window
    rows = torch.arange(top, bottom, 2, device=side.device) // cell
    columns = torch.arange(left, right, 2, device=side.device) // cell
    return side[:, rows][:, :, columns].float()


def _turned(x: Tensor, turns: tuple[int, int, int]) -> Tensor:
    """Mirrored and transposed as `turns` says."""
    x = x.flip(-1) if turns[0] else x
    x = x.flip(-2) if turns[1] else x
    return x.mT if turns[2] else x


def _mean_db(error: Tensor) -> Tensor:
    return 10 * (error.detach() + 1e-9).log10().mean()
