"""From pictures to a model file: calibrate, make examples, train the enhancer, export."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from iiccli.atomic import atomic_path
from iiccli.errors import ModelError, TrainingError
from iiccli.networks.transform import TransformNet
from iiccli.training.calibration import calibrate
from iiccli.training.data import Footage, load_footage
from iiccli.training.enhancement import Enhancement
from iiccli.training.examples import make_examples
from iiccli.training.loop import UNREADABLE, train
from iiccli.training.recipes import Recipe
from iiccli.training.video import camera_groups, clip_groups
from iiccli.zoo.modelfile import Card, load_model, save_model

_VALIDATION_EVERY = 12
"""One clip in so many is kept out of training to validate on."""

Report = Callable[[str], None]


def train_model(
    recipe: Recipe,
    data: Sequence[Path],
    run: Path,
    *,
    device: torch.device,
    precision: torch.dtype,
    resume: bool = True,
    init: Path | None = None,
    stop: Callable[[], bool] = lambda: False,
    report: Report = lambda _: None,
) -> Path:
    """Train one model; every stage is kept in `run`, so that a restart goes on where it was.

    Args:
        recipe: what to train.
        data: folders of photographs and clips.
        run: folder of the run.
        device: for the enhancer's training.
        precision: float32 or bfloat16.
        resume: use what an earlier start left in `run`.
        init: a model file whose enhancer to start from, as far as shapes fit.
        stop: asked after every step; true ends with a checkpoint.
        report: called with what is going on.

    Returns:
        `run/model.safetensors`, without figures.

    Raises:
        TrainingError: no data, or `run` belongs to another recipe.
    """
    begun = time.monotonic()
    footage = load_footage(data, frames=recipe.network.pictures)
    for message in footage.skipped:
        report(f"left out: {message}")
    report(f"{len(footage.clips)} clips, {len(footage.stills)} photographs")
    training, held_out = _split(footage)
    pictures = recipe.network.pictures
    groups = clip_groups(training, pictures, recipe.windows, recipe.schedule.seed)
    groups += camera_groups(
        training, pictures, recipe.camera, recipe.frame, recipe.schedule.seed + 1
    )
    groups = [group for group in groups if min(group[0].shape[-2:]) >= recipe.network.cell]
    if not groups:
        raise TrainingError("There is no clip and no photograph that is large enough.")
    run.mkdir(parents=True, exist_ok=True)
    groups = [(reference.to(device), others.to(device)) for reference, others in groups]
    net = TransformNet(recipe.network).to(device)
    tables = run / "calibrated.pt"
    if resume and tables.exists():
        _load_tables(net, tables)
    else:
        calibrate(net, groups, report)
        with atomic_path(tables, force=True) as path:
            torch.save(net.state_dict(), path)
    if init is not None and not (run / "checkpoint.pt").exists():
        _start_from(net, init, report)
    examples = make_examples(net, groups, report)
    del groups
    kept = clip_groups(held_out, pictures, 1, recipe.schedule.seed + 2)
    validation = make_examples(net, [(a.to(device), b.to(device)) for a, b in kept])
    objective = Enhancement(net, examples, validation, crop=recipe.crop, batch=recipe.batch)
    figures = train(
        objective,
        recipe.schedule,
        run,
        resume=resume,
        precision=precision,
        stop=stop,
        report=lambda line: report(" ".join(f"{k} {v}" for k, v in line.items())),
    )
    net.to("cpu")
    card = Card(
        name=recipe.name,
        task=recipe.task,
        network="transform",
        config=asdict(recipe.network),
        recipe={
            **{k: v for k, v in asdict(recipe).items() if k != "network"},
            "validation": figures,
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, {device.type}",
            "torch": torch.__version__,
            "minutes_this_start": round((time.monotonic() - begun) / 60, 1),
            "init": init.name if init is not None else "",
        },
        data=f"{len(training.clips)} clips and {recipe.camera} filmed photographs "
        f"of {', '.join(folder.name for folder in data)}",
    )
    target = run / "model.safetensors"
    save_model(target, card, net.state_dict(), force=True)
    return target


def _load_tables(net: TransformNet, path: Path) -> None:
    try:
        net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    except UNREADABLE as error:
        raise TrainingError(
            f"{path} is damaged, or is from another network.",
            "Start in another folder, or remove it.",
        ) from error


def _split(footage: Footage) -> tuple[Footage, Footage]:
    """What to train on and what to validate on; a single clip is for training."""
    if len(footage.clips) < 2:
        return footage, Footage((), (), ())
    kept = [c for i, c in enumerate(footage.clips) if i % _VALIDATION_EVERY]
    held = list(footage.clips[::_VALIDATION_EVERY])
    return Footage(footage.stills, tuple(kept), ()), Footage((), tuple(held), ())


def _start_from(net: TransformNet, init: Path, report: Report) -> None:
    """Take over every tensor of the enhancer whose shape fits.

    Raises:
        ModelError: none does.
    """
    _, state = load_model(init)
    own = net.enhancer.state_dict()
    fitting = {
        name: state[f"enhancer.{name}"]
        for name, tensor in own.items()
        if f"enhancer.{name}" in state and state[f"enhancer.{name}"].shape == tensor.shape
    }
    if not fitting:
        raise ModelError(
            f"Nothing of {init.name} fits the network to train.", "Start from a model of its kind."
        )
    net.enhancer.load_state_dict({**own, **fitting})
    report(f"{len(fitting)} of {len(own)} tensors taken from {init.name}")
