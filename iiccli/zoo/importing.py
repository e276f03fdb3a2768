"""Official checkpoints into model files of ours."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from iiccli.atomic import check_target
from iiccli.errors import UsageError
from iiccli.zoo.modelfile import Card, save_model
from iiccli.zoo.packing import SUFFIX

TASKS = ("video", "mono", "dual", "layers", "hide", "gray", "rescale")
_REFERENCES = {"video": "middle"}


def import_official(
    checkpoint: Path,
    target: Path,
    task: str,
    *,
    pictures: int | None = None,
    order: str | None = None,
    force: bool = False,
) -> tuple[Card, str]:
    """Read an official checkpoint, infer its network, write a model file.

    Args:
        checkpoint: `.pth`, read by torch's weights-only loader.
        target: the model file.
        task: what it was trained for; decides what the weights leave open.
        pictures: how many pictures, where the weights leave it open.
        order: `hl` or `ref`, likewise.
        force: replace the target.

    Returns:
        The new model's card and SHA-256.

    Raises:
        UsageError: an unknown task or order, or a target of another kind.
        ModelError: no checkpoint of an IICNet.
        OutputExistsError, OutputError: the target cannot be written.
    """
    from iiccli.zoo.official import COLOUR_ORDER, load_official

    if task not in TASKS:
        raise UsageError(f"There is no task {task!r}.", f"Choose one of: {', '.join(TASKS)}.")
    if order not in (None, "hl", "ref"):
        raise UsageError(f"There is no channel order {order!r}.", "Choose hl or ref.")
    if target.suffix != SUFFIX:
        raise UsageError(f"A model file is called NAME{SUFFIX}, not {target.name}.")
    check_target(target, force=force)
    config, state = load_official(
        checkpoint,
        pictures=1 if task in ("gray", "rescale") and pictures is None else pictures,
        order=order,  # type: ignore[arg-type]
        out_channels=1 if task == "gray" else None,
    )
    card = Card(
        name=target.stem,
        task=task,
        network="iicnet",
        config=asdict(config),
        reference=_REFERENCES.get(task, "first"),
        colour=COLOUR_ORDER.upper(),
        recipe={"imported_from": checkpoint.name},
        data="see the IICNet paper (Cheng et al., ICCV 2021)",
        licence="unknown",
    )
    return card, save_model(target, card, state, force=force)
