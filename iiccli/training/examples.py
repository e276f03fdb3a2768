"""What the enhancer learns from: pictures as the decoder sees them, and as they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iiccli.networks.invertible.quantise import embed_modulo
from iiccli.networks.transform import TransformNet, side_planes
from iiccli.networks.transform.fixed import from_fixed, to_fixed
from iiccli.training.calibration import Group, capacity

_SIDE_BITS_PER_GAIN = 3.0
_SIDE_BITS_PER_VECTOR = 6.5


@dataclass(frozen=True)
class Example:
    """One group of pictures before and after a carrier of one quality, on the training device.

    Attributes:
        decoded: (3N, H, W) int16, carrier first, in 1/8192 of the full range.
        original: (3N, H, W) uint8, reference first.
        levels: (groups, H / cell, W / cell) float16, the first planes of the enhancer's input.
        steps: (3,) float32, its last planes, constant over the picture.
    """

    decoded: Tensor
    original: Tensor
    levels: Tensor
    steps: Tensor


@torch.no_grad()
def make_examples(
    net: TransformNet, groups: Sequence[Group], report: Callable[[str], None] = lambda _: None
) -> list[Example]:
    """Send every group through analysis, quantisation and synthesis at every quality."""
    result = []
    generator = torch.Generator().manual_seed(2)
    for number, (reference, others) in enumerate(groups):
        report(f"example {number + 1} of {len(groups)}")
        cell = net.multiple
        height, width = (side // cell * cell for side in reference.shape[-2:])
        reference, others = reference[..., :height, :width], others[..., :height, :width]
        coefficients = net.analyse(reference, others)
        gains, vectors = coefficients.gains, coefficients.vectors
        side = _SIDE_BITS_PER_GAIN * gains.numel()
        side += _SIDE_BITS_PER_VECTOR / 2 * vectors.numel() if vectors is not None else 0
        for quality, moduli in enumerate(net.config.moduli):
            water = net.allocation.water(gains, int(height * width * capacity(moduli) - side))
            index, bits = net.quantise(coefficients.z, gains, water)
            z = net.dequantise(index, bits, gains)
            carrier = _carrier(reference, moduli, generator)
            decoded = torch.cat((carrier[None], net.synthesise(z, vectors, carrier))).flatten(0, 1)
            waters = torch.full((len(gains),), water, device=gains.device)
            levels = net.level_map(gains, waters, height // cell, width // cell)
            result.append(
                Example(
                    decoded=to_fixed(decoded),
                    original=_to_bytes(torch.cat((reference[None], others)).flatten(0, 1)),
                    levels=levels.half(),
                    steps=net.step_sizes(quality).to(gains.device),
                )
            )
    return result


def _carrier(reference: Tensor, moduli: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """The reference with a modulo carrier's error: uniform, as the message looks random."""
    q = torch.tensor(moduli).view(3, 1, 1)
    message = (torch.rand(reference.shape, generator=generator) * q).floor().to(reference.device)
    value = (reference * 255).round()
    samples = [embed_modulo(*each) for each in zip(value, message, moduli, strict=True)]
    return torch.stack(samples) / 255


def _to_bytes(x: Tensor) -> Tensor:
    return (x * 255).round().clamp(0, 255).to(torch.uint8)


class Crops:
    """Random crops of examples, flipped and transposed at random.

    Examples that are smaller than a crop are left out; where all are, the largest give its size.
    """

    def __init__(self, examples: Sequence[Example], size: int, batch: int, cell: int) -> None:
        sides = [min(example.original.shape[-2:]) for example in examples]
        self.size = min(size // 2 * 2, max(sides))
        self.examples = [e for e, side in zip(examples, sides, strict=True) if side >= self.size]
        self.batch = batch
        self.cell = cell

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """One batch: decoded and original (B, 3N, S, S) in 0..1, planes (B, P, S / 2, S / 2)."""
        parts = [self._crop(generator) for _ in range(self.batch)]
        decoded, original, planes = (torch.stack(part) for part in zip(*parts, strict=True))
        return decoded, original, planes

    def _crop(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        def chance(n: int) -> int:
            return int(torch.randint(n, (), generator=generator))

        example = self.examples[chance(len(self.examples))]
        height, width = example.original.shape[-2:]
        size = self.size
        top, left = 2 * chance((height - size) // 2 + 1), 2 * chance((width - size) // 2 + 1)
        place = (slice(None), slice(top, top + size), slice(left, left + size))
        decoded = from_fixed(example.decoded[place])
        original = example.original[place].float() / 255
        window = (top, top + size, left, left + size)
        planes = side_planes(example.levels, example.steps, window, self.cell)
        if chance(2):
            decoded, original, planes = (x.flip(-1) for x in (decoded, original, planes))
        if chance(2):
            decoded, original, planes = (x.flip(-2) for x in (decoded, original, planes))
        if chance(2):
            decoded, original, planes = (x.mT for x in (decoded, original, planes))
        return decoded, original, planes
