"""Train, evaluate and export the models that ship. `make models` runs it.

What is trained, how, and for how long stands in `iiccli/training/recipes/shipped.yaml`. Every
stage is kept in `runs/NAME`, so it may be stopped at any point and goes on from there. A model that
is in `models/` already is left alone: what was released never changes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from iiccli.errors import IicError
from iiccli.evaluation.report import models_page
from iiccli.evaluation.standard import check_sets, measure
from iiccli.inference.device import choose
from iiccli.tasks.models import Loader
from iiccli.training.build import train_model
from iiccli.training.engine import PRECISIONS, choose_precision, make_engine
from iiccli.training.recipes import Recipe, shipped
from iiccli.training.stopping import Stop
from iiccli.training.unpacking import unpacked
from iiccli.training.watching.log import NAME, JsonLog
from iiccli.zoo.catalogue import Entry
from iiccli.zoo.modelfile import load_model, save_model
from iiccli.zoo.packing import models_in, stem


def main(words: Sequence[str] | None = None) -> int:
    """Train what is missing, then write the table."""
    arguments = parse(words)
    wanted = arguments.only or shipped()
    recipes = [recipe for name, recipe in shipped().items() if name in wanted]
    try:
        with Stop(tell) as stop:
            for recipe in budgeted(recipes, arguments.budget_minutes):
                target = arguments.models / f"{recipe.name}.safetensors"
                if target.exists():
                    tell(f"{recipe.name} is there already")
                elif not ship(recipe, target, arguments, stop):
                    return stop.code
                write_table(arguments.models)
    except IicError as error:
        print(f"models: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train, evaluate and export what ships.")
    parser.add_argument("--only", action="append", choices=shipped(), help="repeatable")
    parser.add_argument("--budget-minutes", type=float, help="share out so much training time")
    parser.add_argument(
        "--train-data", type=Path, action="append", help="folder or tar file; repeatable"
    )
    parser.add_argument("--test-data", type=Path, help="the folder of all test sets")
    parser.add_argument("--limit", type=int, help="measure the first so many cases of each set")
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
        names = ("video", "photos-0", "photos-1", "stereo", "matting")
        arguments.train_data = [shared / "train" / f"{name}.tar" for name in names]
    arguments.test_data = arguments.test_data or shared / "test"
    if arguments.limit is not None and arguments.limit < 1:
        parser.error("--limit takes a number from 1 on")
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
    share = minutes / sum(recipe.loop.minutes or 0 for recipe in recipes)
    return [
        replace(r, loop=replace(r.loop, minutes=share * (r.loop.minutes or 0))) for r in recipes
    ]


def ship(recipe: Recipe, target: Path, arguments: argparse.Namespace, stop: Stop) -> bool:
    """Train one model, measure it, write it with its figures; false if stopped before."""
    check_sets(recipe.task, arguments.test_data)
    run = arguments.runs / recipe.name
    trained = run / "model.safetensors"
    if not (arguments.as_is and trained.exists()):
        tell(f"{recipe.name}: {recipe.loop.minutes:.0f} minutes of training in {run}")
        device = choose(arguments.device)
        done = train_model(
            recipe,
            unpacked(arguments.train_data, arguments.datasets),
            run,
            make_engine(device, choose_precision(arguments.precision, device)),
            init=start_of(recipe, arguments.models),
            stop=stop,
            watcher=JsonLog(run / NAME),
            report=tell,
        )
        if done is None:
            return False
    loader = Loader(device=arguments.device, override=str(trained))
    figures = measure(
        loader.load(Entry(recipe.name, trained)),
        loader,
        arguments.test_data,
        limit=arguments.limit,
        report=lambda line: tell(f"{recipe.name}, {line}"),
        stop=stop,
    )
    if figures is None:
        return False
    card, state = load_model(trained)
    digest = save_model(target, replace(card, metrics=figures), state)
    tell(f"{target}: {target.stat().st_size / 1e6:.2f} MB, SHA-256 {digest}")
    return True


def start_of(recipe: Recipe, models: Path) -> Path | None:
    """The newest version at hand of the model that a recipe starts from."""
    known = [Entry(stem(path), path) for path in models_in(models)]
    found = [entry for entry in known if recipe.start in (entry.name, entry.base)]
    return max(found, key=lambda entry: entry.version).path if found else None


def write_table(folder: Path) -> None:
    """Write README.md of the models' folder from what the files say about themselves."""
    page = models_page(folder)
    if page:
        (folder / "README.md").write_text(page, encoding="utf-8")


def tell(line: str) -> None:
    """Say what is going on, with the time."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
