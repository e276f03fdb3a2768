"""Guessing what happened to a carrier's pixels, from what is left of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from iiccli.carrier.decode import Decoded
from iiccli.carrier.header import Header
from iiccli.carrier.pixels import Pixels

_BLOCK: Final = 8
"""Side of JPEG's blocks in pixels."""
_EDGED: Final = 1.2
"""Steps between blocks that are so many times larger than those within show that there are some.

On 13 pictures of Kodak and Set14 with noise as carriers have it: 0.98 to 1.07, resized ones 0.97 to
1.06; as JPEG of quality 75 1.19 to 2.2, of 85 1.02 to 1.75, of 95 1.00 to 1.14.
"""
_LEAST_SIDE: Final = 64


def cause(decoded: Decoded, header: Header, pixels: Pixels, *, stamped: bool) -> str:
    """Say in one sentence why the pixels are not as they were written, as far as one can tell.

    Args:
        decoded: the file.
        header: what it says about itself.
        pixels: as they are now.
        stamped: whether the header in the pixels is still there.
    """
    height, width = pixels.shape[:2]
    if header.size != (width, height):
        return _resized((width, height), header.size)
    if decoded.lossy:
        return f"It was saved as {decoded.lossy}, which changes nearly every pixel."
    if decoded.mode in ("P", "PA", "1"):
        return "Its colours were reduced to a palette."
    if stamped:
        return "Some of its pixels were changed, as by painting over a place of it."
    if header.task != "gray" and (pixels.ndim == 2 or (pixels == pixels[..., :1]).all()):
        return "Its colours were taken out."
    if _in_blocks(pixels):
        return "Nearly all of its pixels were changed, probably by saving it as JPEG on its way."
    if decoded.attached.icc is not None:
        return (
            "Nearly all of its pixels were changed: it was converted to another colour profile, "
            "filtered, or saved lossily on its way."
        )
    return (
        "Nearly all of its pixels were changed: it was brightened, colour-managed, filtered, or "
        "saved lossily on its way."
    )


def _resized(now: tuple[int, int], was: tuple[int, int]) -> str:
    sizes = f"it is {now[0]}×{now[1]} and was {was[0]}×{was[1]}."
    if now == was[::-1]:
        return f"It was turned: {sizes}"
    # Proportions are kept up to the rounding of one side.
    if abs(now[0] * was[1] - now[1] * was[0]) <= max(was):
        return f"It was resized: {sizes}"
    if now[0] <= was[0] and now[1] <= was[1]:
        return f"It was cropped, or resized: {sizes}"
    return f"It was resized, or something was added at its border: {sizes}"


def _in_blocks(pixels: Pixels) -> bool:
    """Tell whether there are steps at every eighth pixel, as JPEG leaves them."""
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        return False
    luma = pixels.astype(np.float32)
    luma = luma if luma.ndim == 2 else luma.mean(axis=2)
    return bool(max(_edges(luma), _edges(luma.T)) > _EDGED)


def _edges(luma: NDArray[np.float32]) -> float:
    """How much larger steps between blocks are than steps within, from left to right."""
    # What bends at the edge, instead of what is steep there: slopes have no edges.
    bend = np.abs(luma[:, :-3] - 3 * luma[:, 1:-2] + 3 * luma[:, 2:-1] - luma[:, 3:]).mean(axis=0)
    at_edge = np.arange(len(bend)) % _BLOCK == _BLOCK - 2
    return float(bend[at_edge].mean() / max(float(bend[~at_edge].mean()), 1e-6))
