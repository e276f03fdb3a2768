"""Pictures for the report: originals, carrier, what came back, and what is between them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from iiccli.atomic import atomic_path
from iiccli.benchmarking.contestants import Back, Contestant, Job
from iiccli.evaluation.comparing import compared
from iiccli.evaluation.metrics import Pixels, psnr
from iiccli.evaluation.sheet import AMPLIFICATION, decibels, difference

FOLDER = "pictures"
"""Below that of the book."""

_WIDTH = 480
_JPEG = {"quality": 88, "subsampling": 0}

Panels = list[dict[str, str]]


def hang(
    folder: Path, name: str, job: Job, found: Sequence[tuple[Contestant, Back]]
) -> list[Panels]:
    """Write the pictures of one case as small JPEGs.

    Args:
        folder: of the book.
        name: of the model and quality; names the files.
        job: what went in.
        found: what each contestant gave back, our model first.

    Returns:
        Rows of panels from top to bottom: `file`, below `FOLDER`, and `caption`.
    """
    number = 0

    def panel(pixels: Pixels, caption: str) -> dict[str, str]:
        nonlocal number
        number += 1
        file = f"{name}-{number:02}.jpg"
        with atomic_path(folder / FOLDER / file, force=True) as path:
            path.write_bytes(_jpeg(pixels))
        return {"file": file, "caption": caption}

    ours = found[0][1]
    pairs = compared(job.card, job.case, ours.header, ours.restored).pairs
    apart = f"difference ×{AMPLIFICATION}"
    rows: list[Panels] = [
        [panel(original, f"original {i + 1}") for i, (_, original) in enumerate(pairs)],
        [
            panel(job.cover, "wanted: the cover"),
            panel(ours.carrier, f"carrier, {decibels(psnr(ours.carrier, job.cover))}"),
            panel(difference(ours.carrier, job.cover), apart),
        ],
        [
            panel(back, f"restored {i + 1}, {decibels(psnr(back, original))}")
            for i, (back, original) in enumerate(pairs)
        ],
        [panel(difference(back, original), apart) for back, original in pairs],
    ]
    chosen = next((i for i in range(len(pairs)) if i != job.case.reference), 0)
    others: Panels = []
    for contestant, result in found:
        back, original = compared(job.card, job.case, result.header, result.restored).pairs[chosen]
        words = f"{contestant.name}: picture {chosen + 1}, {decibels(psnr(back, original))}"
        others += [panel(back, words), panel(difference(back, original), apart)]
    return [*rows, others]


def _jpeg(pixels: Pixels) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((_WIDTH, _WIDTH * 2), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", **_JPEG)
    return file.getvalue()
