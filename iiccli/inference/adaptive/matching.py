"""How many bits it would take to code what a vector leaves, block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from iiccli.coding.bits import Ints
from iiccli.coding.contexts import UNIT
from iiccli.inference.covers import LUMA
from iiccli.networks.transform.blocks import cosine_matrix
from iiccli.networks.transform.motion import QUARTER

_SHARPNESS = -0.75
"""Of the cubic that interpolates, as in `motion.warp`."""

_AT_ONCE = 2048
"""Blocks that are worked on together: what belongs to them stays in the processor's cache."""

_SPREAD = 0.75, 0.25
"""See `Blocks.bits_of`. With less of it neighbouring frames as a stereo pair came out worse by up
to 1 dB, with more of it clips by 0.2 dB."""

_COLOURS = 3
"""Energy in RGB of an error of luma, which all three channels have."""


def luma(picture: Tensor) -> Tensor:
    """Luma (H, W) of a picture (3, H, W), gray being 0."""
    return torch.einsum("c,chw->hw", picture.new_tensor(LUMA), picture - 0.5)


class Blocks:
    """Square blocks of pictures as spectra: (side², blocks), blocks in raster order.

    Args:
        side: in pixels; even.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        cosine = cosine_matrix(side).float()
        self._both = torch.kron(cosine, cosine)
        self._means = []
        for share, width in zip(_SPREAD, (2, 4), strict=True):
            if side % width == 0:
                along = torch.eye(side // width).repeat_interleave(width, 1) / width
                self._means.append((share * width**2 / 2, torch.kron(along, along)))

    def spectrum(self, plane: Tensor) -> Tensor:
        """Of a plane (H, W), its sides multiples of the blocks'."""
        side, (height, width) = self.side, plane.shape
        blocks = plane.view(height // side, side, width // side, side).permute(1, 3, 0, 2)
        return self.of_windows(blocks)

    def of_windows(self, windows: Tensor) -> Tensor:
        """Of (side, side, ...)."""
        return self._both @ windows.reshape(self.side**2, -1)

    def bits_of(self, rest: Tensor, level: int) -> Tensor:
        """About what it takes to code what is left of blocks, and to leave what is not coded.

        A coefficient of energy c takes ½ log2(1 + c / D) bits, D being the quantiser's error: where
        it is large that is its information (T. Berger, Rate distortion theory, 1971); where it is
        small, what it adds to the error, at the price that bits have then. But cells are larger
        than blocks, and have edges of blocks in them, which spread energy over neighbouring
        frequencies: so means are taken over squares of 2 × 2, and of 4 × 4 for a quarter.

        Args:
            rest: spectrum of luma, (side², blocks).
            level: log2 of the quantiser's step in 1/256.

        Returns:
            (blocks,).
        """
        energy = rest.square().mul_(_COLOURS * 12 * 2.0 ** (-2 * level / UNIT))
        total = rest.new_zeros(rest.shape[1])
        for share, means in self._means:
            total += (means @ energy).add_(1).log2_().sum(0).mul_(share)
        return total


class Matching:
    """Blocks of a picture, looked for in a reference.

    Args:
        blocks: of which side.
        reference: luma (H, W); beyond its border that is repeated.
        inner: where the picture lies in the reference.
        target: spectrum of what is wanted, (side², blocks).
        gains: how much of the reference is taken, shaped alike.
        level: see `Blocks.bits_of`.
    """

    def __init__(
        self,
        blocks: Blocks,
        reference: Tensor,
        inner: tuple[slice, slice],
        target: Tensor,
        gains: Tensor,
        level: int,
    ) -> None:
        self._blocks, self._target, self._gains, self._level = blocks, target, gains, level
        side = blocks.side
        # A window wholly beyond the border shows the same wherever it is: it is clamped there.
        margin = side + 4
        whole = F.pad(reference[None, None], (margin,) * 4, mode="replicate")[0, 0]
        self._windows = whole.unfold(0, side + 3, 1).unfold(1, side + 3, 1).permute(2, 3, 0, 1)
        corners = torch.meshgrid(
            *(torch.arange(s.start, s.stop, side) + (margin - 1) for s in inner), indexing="ij"
        )
        self._corners = torch.stack(corners).view(2, -1)

    def bits(self, vectors: npt.NDArray[np.integer], places: Ints) -> npt.NDArray[np.float32]:
        """What vectors (2, n) in quarter pixels leave to code of the blocks numbered so: (n,)."""
        found = np.empty(len(places), np.float32)
        for start in range(0, len(places), _AT_ONCE):
            chunk = slice(start, start + _AT_ONCE)
            own = torch.from_numpy(vectors[:, chunk].astype(np.int64))
            found[chunk] = self._bits(own, torch.from_numpy(places[chunk])).numpy()
        return found

    def _bits(self, vectors: Tensor, places: Tensor) -> Tensor:
        whole = vectors // QUARTER
        height, width = self._windows.shape[2:]
        y = (self._corners[0, places] + whole[1]).clamp_(0, height - 1)
        x = (self._corners[1, places] + whole[0]).clamp_(0, width - 1)
        windows = self._windows[:, :, y, x]
        taps_x, taps_y = _taps(vectors - whole * QUARTER)
        moved = _filtered(_filtered(windows, taps_x, 1), taps_y, 0)
        rest = self._blocks.of_windows(moved).mul_(self._gains[:, places])
        return self._blocks.bits_of(rest.sub_(self._target[:, places]), self._level)


def _filtered(windows: Tensor, taps: Tensor, axis: int) -> Tensor:
    """Windows (side, side, n) interpolated along an axis, which gets shorter by three."""
    length = windows.shape[axis] - 3
    total = windows.narrow(axis, 0, length) * taps[0]
    for start in (1, 2, 3):
        total.addcmul_(windows.narrow(axis, start, length), taps[start])
    return total


def _taps(quarters: Tensor) -> Tensor:
    """Weights of four pixels in a row for a place behind the second, (..., 4, n)."""
    return _CUBIC[quarters].movedim(-1, -2)


def _cubic() -> Tensor:
    """Of each quarter, weights of the four pixels around (R. Keys, 1981)."""
    a = _SHARPNESS
    at = torch.arange(QUARTER, dtype=torch.float64) / QUARTER

    def near(x: Tensor) -> Tensor:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Tensor) -> Tensor:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return torch.stack((far(at + 1), near(at), near(1 - at), far(2 - at)), -1).float()


_CUBIC = _cubic()
