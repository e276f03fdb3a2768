"""Training the enhancer of a calibrated transform network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from iiccli.networks.transform import TransformNet, side_planes
from iiccli.networks.transform.enhancer import Enhancer
from iiccli.networks.transform.fixed import from_fixed
from iiccli.training.examples import Crops, Example

_FLOOR = 1e-5
"""Squared error (50 dB) below which a crop counts as good enough."""


class Enhancement:
    """The objective: mean over crops of the log squared error, which is PSNR with a floor.

    A mean of PSNRs is what is measured; a plain mean of squares would let the few hardest crops
    decide alone.
    """

    def __init__(
        self,
        net: TransformNet,
        examples: Sequence[Example],
        validation: Sequence[Example],
        *,
        crop: int,
        batch: int,
    ) -> None:
        self.module: nn.Module = net.enhancer
        self.crops = Crops(examples, crop, batch, net.config.cell)
        self.cell = net.config.cell
        self.validation = validation

    def loss(self, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """One batch's loss, with the PSNR before and after."""
        decoded, original, planes = self.crops.draw(generator)
        decoded = decoded.contiguous(memory_format=torch.channels_last)
        error = (self.module(decoded, planes) - original).float().square().mean((1, 2, 3))
        before = (decoded - original).square().mean((1, 2, 3))
        loss = 10 * (error + _FLOOR).log10().mean()
        return loss, {"psnr": -_mean_db(error), "gain": _mean_db(before) - _mean_db(error)}

    @torch.no_grad()
    def validate(self, module: nn.Module) -> dict[str, float]:
        """Mean PSNR of whole pictures, clamped: carrier, others, both before and after.

        Without pictures to validate on there are no figures.
        """
        assert isinstance(module, Enhancer)
        if not self.validation:
            return {}
        sums = self.validation[0].steps.new_zeros(4)
        for example in self.validation:
            decoded = from_fixed(example.decoded)
            window = (0, decoded.shape[-2], 0, decoded.shape[-1])
            planes = side_planes(example.levels, example.steps, window, self.cell)
            after = module(decoded[None], planes[None])[0]
            original = example.original.float() / 255
            figures = []
            for x in (decoded, after):
                error = (x.clamp(0, 1) - original).square().view(-1, 3, *x.shape[-2:])
                psnr = -10 * (error.mean((1, 2, 3)) + 1e-9).log10()
                figures += [psnr[0], psnr[1:].mean()]
            sums += torch.stack(figures)
        sums /= len(self.validation)
        names = ("carrier", "others_decoded", "reference", "others")
        return {name: float(value) for name, value in zip(names, sums, strict=True)}


def _mean_db(error: Tensor) -> Tensor:
    return 10 * (error.detach() + 1e-9).log10().mean()
