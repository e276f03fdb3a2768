"""Pack what is superseded in models/, so that there is room for what is better.

    .venv/bin/python scripts/pack_models.py

Of each model the newest version stays as it is; older ones become `NAME.safetensors.xz`, which is
read in their place. Their identity is that of the file inside, so every carrier still finds them.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from iiccli.atomic import atomic_path
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import sha256
from iiccli.zoo.packing import PACKED, is_packed, models_in, packed, stem
from scripts.models import write_table

MODELS = Path(__file__).parents[1] / "models"


def main(folder: Path = MODELS) -> int:
    """Pack, and write the table anew."""
    known = [Entry(stem(path), path) for path in models_in(folder)]
    newest = {entry.base: entry.version for entry in sorted(known, key=lambda e: e.version)}
    for entry in known:
        if entry.version == newest[entry.base] or is_packed(entry.path):
            continue
        target = folder / f"{entry.name}{PACKED}"
        with atomic_path(target) as temporary:
            temporary.write_bytes(packed(entry.path.read_bytes()))
        if sha256(target) != sha256(entry.path):
            target.unlink()
            raise SystemExit(f"{target} does not unpack to {entry.path}")
        before, after = entry.path.stat().st_size, target.stat().st_size
        entry.path.unlink()
        print(f"{target.name}: {before / 1e6:.2f} -> {after / 1e6:.2f} MB")
    write_table(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
