"""Keep a small carrier for each model that has none yet, for good.

    .venv/bin/python scripts/golden.py

Run it when a model joins models/, and commit what it writes below tests/golden/carriers. A carrier
that is there is never made anew: its test says whether what was once embedded still comes back.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from iiccli.errors import IicError
from tests.golden import goldens


def main() -> int:
    """Make what is missing."""
    for name in goldens.model_names() + goldens.codec_names():
        if (goldens.CARRIERS / f"{name}.png").exists():
            continue
        try:
            target = goldens.add(name)
        except IicError as error:
            print(f"golden: {name}: {error.message}\nhint: {error.hint}", file=sys.stderr)
            return error.exit_code
        print(f"{target.relative_to(goldens.ROOT)}: {goldens.record_of(name)['psnr']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
