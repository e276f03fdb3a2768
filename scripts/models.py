"""Train, evaluate and export the models that ship. `make models` runs it.

What is trained, how, and for how long is the list `SHIPPED` of `iiccli.training.recipes`. Every
stage is kept in `runs/NAME`, so it may be stopped at any point and goes on from there. A model that
is in `models/` already is left alone: what was released never changes.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from types import FrameType
from typing import Any

import torch

from iiccli.errors import IicError
from iiccli.evaluation.protocol import PROTOCOL, evaluate_video
from iiccli.inference.device import choose
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import QUALITIES
from iiccli.training.build import train_model
from iiccli.training.loop import PRECISIONS, choose_precision
from iiccli.training.recipes import SHIPPED, Recipe
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import Card, load_model, read_card, save_model, sha256

FIRST_FRAME = 3
CLIPS = (
    f"consecutive frames of each clip, from number {FIRST_FRAME + 1} on, "
    "the middle one as reference"
)
NOT_FULL = ("vid4-*",)
"""Clips of the test data that are for another purpose."""

COLUMNS = ("cover_psnr", "others_psnr", "cover_ssim", "others_ssim")


class Stop:
    """Set by the first Ctrl-C or SIGTERM; a second one ends at once."""

    def __init__(self) -> None:
        self.wanted = False
        signal.signal(signal.SIGINT, self._set)
        signal.signal(signal.SIGTERM, self._set)

    def __call__(self) -> bool:
        """Tell whether to stop."""
        return self.wanted

    def _set(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            sys.exit(128 + number)
        self.wanted = True
        tell("stopping at the next checkpoint; `make models` goes on from it")


def main(words: Sequence[str] | None = None) -> int:
    """Train what is missing, then write the table."""
    arguments = parse(words)
    stop = Stop()
    recipes = [recipe for name, recipe in SHIPPED.items() if name in (arguments.only or SHIPPED)]
    try:
        for recipe in budgeted(recipes, arguments.budget_minutes):
            target = arguments.models / f"{recipe.name}.safetensors"
            if target.exists():
                tell(f"{recipe.name} is there already")
            elif not ship(recipe, target, arguments, stop):
                return 130
            write_table(arguments.models)
    except IicError as error:
        print(f"models: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train, evaluate and export what ships.")
    parser.add_argument("--only", action="append", choices=SHIPPED, help="repeatable")
    parser.add_argument("--budget-minutes", type=float, help="share out so much training time")
    parser.add_argument(
        "--train-data", type=Path, action="append", help="folder or tar file; repeatable"
    )
    parser.add_argument("--test-data", type=Path, help="a folder of clips")
    parser.add_argument("--as-is", action="store_true", help="export what runs/ holds")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--datasets", type=Path, default=Path("datasets"), help="for unpacking")
    arguments = parser.parse_args(words)
    shared = Path("../shared/data")
    if arguments.train_data is None:
        names = ("video", "photos-0", "photos-1")
        arguments.train_data = [shared / "train" / f"{name}.tar" for name in names]
    arguments.test_data = arguments.test_data or shared / "test" / "video"
    missing = [p for p in (*arguments.train_data, arguments.test_data) if not p.exists()]
    if missing:
        parser.error(f"there is no {missing[0]}; name --train-data and --test-data")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    return arguments


def budgeted(recipes: Sequence[Recipe], minutes: float | None) -> list[Recipe]:
    """Scale the recipes' times so that together they take `minutes`."""
    if minutes is None:
        return list(recipes)
    share = minutes / sum(recipe.schedule.minutes for recipe in recipes)
    return [
        replace(r, schedule=replace(r.schedule, minutes=share * r.schedule.minutes))
        for r in recipes
    ]


def ship(recipe: Recipe, target: Path, arguments: argparse.Namespace, stop: Stop) -> bool:
    """Train one model, measure it, write it with its figures; false if stopped before."""
    run = arguments.runs / recipe.name
    trained = run / "model.safetensors"
    if not (arguments.as_is and trained.exists()):
        tell(f"{recipe.name}: {recipe.schedule.minutes:.0f} minutes of training in {run}")
        device = choose(arguments.device)
        trained = train_model(
            recipe,
            [unpacked(path, arguments.datasets) for path in arguments.train_data],
            run,
            device=device,
            precision=choose_precision(arguments.precision, device),
            stop=stop,
            report=tell,
        )
    if stop():
        return False
    loader = Loader(device=arguments.device, override=str(trained))
    model = loader.load(Entry(recipe.name, trained))
    figures: dict[str, Any] = {"protocol": PROTOCOL, "clips": CLIPS, "qualities": {}}
    for quality in QUALITIES:
        results = evaluate_video(
            arguments.test_data, model, loader, quality, first=FIRST_FRAME, exclude=NOT_FULL
        )
        figures["data"] = ", ".join(result.name for result in results)
        figures["qualities"][quality] = {
            column: round(mean(getattr(result, column) for result in results), 4)
            for column in COLUMNS
        }
        tell(f"{recipe.name}, {quality}: {figures['qualities'][quality]}")
        if stop():
            return False
    card, state = load_model(trained)
    digest = save_model(target, replace(card, metrics=figures), state)
    tell(f"{target}: {target.stat().st_size / 1e6:.2f} MB, SHA-256 {digest}")
    return True


def unpacked(path: Path, folder: Path) -> Path:
    """Give a folder as it is; unpack a tar file once."""
    if path.is_dir():
        return path
    target = folder / path.stem
    if not target.exists():
        partial = folder / f"{path.stem}.part"
        with tarfile.open(path) as archive:
            archive.extractall(partial, filter="data")
        partial.rename(target)
    return target


def write_table(folder: Path) -> None:
    """Write README.md of the models' folder from what the files say about themselves."""
    files = sorted(folder.glob("*.safetensors"), key=lambda p: (read_card(p).pictures, p.name))
    if not files:
        return
    cards = [(path, read_card(path)) for path in files]
    lines = [
        "# Models",
        "",
        "Written by `make models` from what the files say about themselves; `iic models show NAME`",
        "tells the same and more. A file that is here never changes: a better one gets a new",
        "version.",
        "",
        "| model | pictures | quality | cover PSNR | others PSNR | cover SSIM | others SSIM |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for _, card in cards:
        table = card.metrics.get("qualities", {})
        for quality in (name for name in QUALITIES if name in table):
            row = table[quality]
            lines.append(
                f"| {card.name} | {card.pictures} | {quality} | {row['cover_psnr']:.2f} dB | "
                f"{row['others_psnr']:.2f} dB | {row['cover_ssim']:.4f} | "
                f"{row['others_ssim']:.4f} |"
            )
    for path, card in cards:
        lines += ["", *section(path, card)]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def section(path: Path, card: Card) -> list[str]:
    """One model: where it comes from, and what its figures mean."""
    recipe, metrics = card.recipe, card.metrics
    schedule = recipe.get("schedule", {})
    return [
        f"## {card.name}",
        "",
        f"- File: [{path.name}]({path.name}), {path.stat().st_size / 1e6:.2f} MB, SHA-256",
        f"  `{sha256(path)}`",
        f"- For: {card.task}, {card.pictures} pictures, reference {card.reference}; network "
        f"`{card.network}`",
        f"- Trained on: {card.data}",
        f"- Training: {schedule.get('minutes', 0):.0f} minutes of the enhancer at learning rate "
        f"{schedule.get('rate')}, batches of {recipe.get('batch')} crops of {recipe.get('crop')} "
        "pixels",
        f"- Machine: {recipe.get('machine')}, torch {recipe.get('torch')}",
        f"- Figures on: {metrics.get('data', '')}: {metrics.get('clips', '')}",
        f"- Protocol: {metrics.get('protocol', '')}",
        f"- Licence: {card.licence}",
    ]


def tell(line: str) -> None:
    """Say what is going on, with the time."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
