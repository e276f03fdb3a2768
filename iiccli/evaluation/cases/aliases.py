"""The official data sets by name, and where their manifests are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from iiccli.datasets.manifest import SPLITS
from iiccli.errors import InputError, UsageError

ALIASES: Mapping[str, str] = {
    "davis": "video",
    "flickr1024": "mono",
    "div2k-dual": "dual",
    "adobe": "layers",
    "real": "layers",
    "flickr": "hide",
    "voc2012": "gray",
    "div2k-sr": "rescale",
}
"""The data sets of which there are manifests, and what each is for."""


def manifest_in(root: Path, alias: str, split: str = "test", zoom: int = 2) -> Path:
    """The manifest of a data set below a folder of data sets.

    Args:
        root: as `iic data prepare --root`.
        alias: one of `ALIASES`.
        split: one of `SPLITS`.
        zoom: of div2k-dual.

    Raises:
        UsageError: there is no such split.
        InputError: there is no such manifest.
    """
    if split not in SPLITS:
        raise UsageError(f"There is no split {split!r}.", f"Choose one of: {', '.join(SPLITS)}.")
    zoomed = f"-x{zoom}" if alias == "div2k-dual" else ""
    path = root / "manifests" / f"{alias}{zoomed}-{split}.jsonl"
    if not path.is_file():
        raise InputError(
            f"There is no manifest {path}.", f"Make it with: iic data prepare {alias} --root {root}"
        )
    return path
