"""Print what AVIF makes of the capacity that the models have, on the standard test sets.

    .venv/bin/python scripts/yardstick.py ../shared/data/test

To be read next to the tables of `models/README.md`; see `iiccli.evaluation.yardstick`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from iiccli.evaluation.cases import CaseOptions, plan_cases
from iiccli.evaluation.yardstick import Coder, yardstick
from iiccli.zoo.modelfile import Card


@dataclass(frozen=True)
class Row:
    """What is measured.

    Attributes:
        model: which of our models does the same.
        card: its shape.
        sets: names of test sets.
        channels: of the carrier.
    """

    model: str
    card: Card
    sets: tuple[str, ...]
    channels: int = 3


def _card(task: str, **config: int) -> Card:
    return Card(name=task, task=task, network="", config=config)


PHOTOGRAPHS = ("DIV2K_valid_crop256", "Kodak24")
SUPER_RESOLUTION = ("Set5", "Set14", "Kodak24")
ROWS = (
    *(Row(f"hide-{n}", _card("hide", pictures=n + 1), PHOTOGRAPHS) for n in (1, 2, 3, 4)),
    Row("gray", _card("gray", pictures=1), PHOTOGRAPHS, channels=1),
    Row("rescale-2", _card("rescale", pictures=1, scale=2), SUPER_RESOLUTION),
    Row("rescale-4", _card("rescale", pictures=1, scale=4), SUPER_RESOLUTION),
)


def main() -> int:
    """Print one line per model, test set and modulus."""
    parser = argparse.ArgumentParser(description="What AVIF makes of the models' capacity.")
    parser.add_argument("data", type=Path, help="the folder of all test sets")
    parser.add_argument("--only", action="append", help="a model's name; repeatable")
    parser.add_argument("--moduli", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--limit", type=int, help="the first so many cases only")
    arguments = parser.parse_args()
    print("| model | test set | q | cover PSNR | AVIF alone | AVIF of the residual | filled |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    coders: dict[str, Coder] = {}
    for row in ROWS:
        if arguments.only and row.model not in arguments.only:
            continue
        for name in row.sets:
            plan = plan_cases(row.card, arguments.data / name, CaseOptions(limit=arguments.limit))
            coder = coders.setdefault(name, Coder())
            for q in arguments.moduli:
                marks = [
                    yardstick(case.read(), q, coder, scale=row.card.scale, channels=row.channels)
                    for case in plan.cases
                ]
                residuals = [m.residual_psnr for m in marks if m.residual_psnr is not None]
                residual = f"{mean(residuals):.2f}" if residuals else ""
                print(
                    f"| {row.model} | {name} | {q} | {mean(m.cover_psnr for m in marks):.2f} | "
                    f"{mean(m.alone_psnr for m in marks):.2f} | {residual} | "
                    f"{mean(m.filled for m in marks):.3f} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
