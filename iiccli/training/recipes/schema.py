"""The schema of a recipe: everything that decides a model's weights, but for the pictures.

A recipe is a small YAML file with the tables below. What it leaves out takes the default that
stands here; what it has too much is an error that names the nearest key there is.
"""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from iiccli.errors import TrainingError
from iiccli.training.recipes.bounded import shown, shown_key

Task = Literal["video", "mono", "dual", "layers", "hide", "gray", "rescale"]
Network = Literal["adaptive", "fast", "iicnet"]
Kind = Literal["l2", "l1", "charbonnier", "frequency", "psnr"]
Side = Literal["embedding", "restored", "others"]
Decay = Literal["cosine", "multi-step", "constant"]
Turns = Literal["none", "vertical", "flips", "all"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Switch = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Term:
    """One term of the loss.

    Attributes:
        of: ``embedding``: the carrier against what it should look like; ``restored``: all
            restored pictures; ``others``: all but the reference.
        kind: ``l2`` squared error; ``l1`` absolute error; ``charbonnier`` sqrt(d² + 1e-6);
            ``frequency`` squared error of the real 2-D Fourier transform (one-sided, not
            normalised, real and imaginary parts); ``psnr`` minus the PSNR, with a floor.
        weight: factor of the term.
        reduction: how a picture's values come together: ``sum`` or ``mean``; then the mean over
            pictures and batch. (The transform's of ``frequency`` likewise.)
    """

    of: Side
    kind: Kind
    weight: float = 1.0
    reduction: Literal["sum", "mean"] = "mean"


@dataclass(frozen=True)
class Data:
    """What is cut out of the pictures, and how.

    Attributes:
        crop: side of the squares that are learned from, in pixels of the pictures.
        resize: scale whole pictures to squares of this side instead, if above 0.
        turns: which mirrorings multiply the data: ``none``, ``vertical`` (upside down; all that a
            stereo pair allows), ``flips`` (both ways), ``all`` (transposed too).
        validation: one group in so many is kept out of training to validate on, where no data of
            their own are given for that.
        validated: so many groups are validated on.
    """

    crop: int = 96
    resize: int = 0
    turns: Turns = "all"
    validation: int = 12
    validated: int = 6


@dataclass(frozen=True)
class Optimiser:
    """Adam, and what becomes of its rate.

    Attributes:
        rate: the highest learning rate.
        betas: decay of the means of gradients and of their squares.
        weight_decay: weight of the squared weights in the loss (not decoupled).
        decay: ``cosine`` down to 1 %; ``multi-step``: times `factor` at every milestone;
            ``constant``.
        milestones: shares of the budget, in 0..1.
        factor: see `decay`.
        warmup: share of the budget over which the rate rises from 1 %.
        clip: gradients are scaled down to this norm; 0 leaves them.
        ema: decay of the averaged weights, per step; 0: no average.
    """

    rate: float = 4e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    decay: Decay = "cosine"
    milestones: tuple[float, ...] = ()
    factor: float = 0.5
    warmup: float = 0.01
    clip: float = 0.5
    ema: float = 0.998


@dataclass(frozen=True)
class Loop:
    """How long, and on what.

    Attributes:
        steps: the schedule ends with this step; null: with the time.
        minutes: the schedule ends with this time, if it comes before the last step; null: never.
        batch: groups in a step, on all processes together.
        seed: of all chance.
        precision: ``fp32``, or mixed with ``bf16`` or ``fp16``; ``auto``: bf16 where it is fast.
        channels_last: layout of the pictures in memory; ``auto``: where it is faster.
        compile: torch.compile; ``auto``: on CUDA.
        report_steps: a line in the log every so many steps; 0: every 20 seconds.
        validate_minutes: time between validations.
        checkpoint_minutes: time between checkpoints.
        checkpoint_steps: steps between checkpoints, besides; 0: by time alone.
        keep: so many of the last checkpoints are kept.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    seed: int = 0
    precision: Precision = "auto"
    channels_last: Switch = "auto"
    compile: Switch = "auto"
    report_steps: int = 0
    validate_minutes: float = 10.0
    checkpoint_minutes: float = 2.0
    checkpoint_steps: int = 0
    keep: int = 3


@dataclass(frozen=True)
class Calibration:
    """What the tables of an `adaptive` network are fitted to; without effect on others.

    Attributes:
        samples: how many groups.
        side: they are cut to at most so many pixels a side.
    """

    samples: int = 60
    side: int = 320


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        name: of the recipe; files and folders may be called so.
        task: the conversion.
        network: kind of the network, of those that are trained.
        config: its hyper-parameters.
        words: one line on what it is.
        data: see `Data`.
        loss: the sum of these terms.
        optimiser: see `Optimiser`.
        loop: see `Loop`.
        calibration: see `Calibration`.
        start: name of the model to start from, if it is at hand; of any version.
    """

    name: str
    task: Task
    network: Network
    config: dict[str, Any]
    words: str = ""
    data: Data = field(default_factory=Data)
    loss: tuple[Term, ...] = ()
    optimiser: Optimiser = field(default_factory=Optimiser)
    loop: Loop = field(default_factory=Loop)
    calibration: Calibration = field(default_factory=Calibration)
    start: str = ""

    @property
    def pictures(self) -> int:
        """How many pictures are embedded together."""
        return int(self.config["pictures"])


FREE = frozenset(
    {
        "name",
        "words",
        "start",
        "loop.steps",
        "loop.minutes",
        "loop.report_steps",
        "loop.validate_minutes",
        "loop.checkpoint_minutes",
        "loop.checkpoint_steps",
        "loop.keep",
    }
)
"""What a resumed training may have otherwise than before: it is the same training."""

_PICTURES: Mapping[str, tuple[int, ...]] = {
    "mono": (2,),
    "dual": (2,),
    "layers": (3, 2),  # without the foreground
    "gray": (1,),
    "rescale": (1,),
}
"""How many pictures a task has, where that is no choice."""

_LONGEST_NAME = 100


def as_table(recipe: Recipe) -> dict[str, Any]:
    """The recipe as YAML and JSON hold it."""
    table: dict[str, Any] = _plain(asdict(recipe))
    return table


def recipe_of(table: Mapping[str, Any], where: str) -> Recipe:
    """Read and check a recipe.

    Args:
        table: what a YAML file holds.
        where: names the source in errors.

    Raises:
        TrainingError: an unknown key, a value of the wrong kind, or a network that is none, or
            is not for the task.
    """
    from iiccli.networks.registry import options

    recipe: Recipe = _read(Recipe, table, where, "")
    _check(recipe, where)
    try:
        config = _read(options(recipe.network), recipe.config, where, "config")
    except ValueError as error:
        raise TrainingError(f"{where}: there is no such network: {error}.") from error
    recipe = replace(recipe, config=_plain(asdict(config)))
    possible = _PICTURES.get(recipe.task)
    if possible and recipe.pictures not in possible:
        raise TrainingError(
            f"{where}: config.pictures is {' or '.join(map(str, possible))} for {recipe.task}, "
            f"not {recipe.pictures}."
        )
    return recipe


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words: where two recipes differ beyond what is `FREE`."""
    left, right = flat(before), flat(now)
    return [
        f"{key}: {left.get(key)} there, {right.get(key)} here"
        for key in sorted(left.keys() | right.keys())
        if key not in FREE and left.get(key) != right.get(key)
    ]


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted keys."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result


def nearest(key: str, known: Sequence[str]) -> str:
    """A hint that names the nearest of the known keys, or all of them."""
    found = difflib.get_close_matches(key, known, 1, 0.5)
    return f"Did you mean {found[0]}?" if found else f"Known here: {', '.join(known)}."


def _read(kind: Any, value: Any, where: str, path: str) -> Any:
    """A value of a type, out of what YAML gave."""
    if is_dataclass(kind):
        return _table(kind, value, where, path)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (kind,) = (a for a in arguments if a is not type(None))
        return _read(kind, value, where, path)
    if origin is Literal:
        if value not in arguments:
            raise TrainingError(
                f"{where}: {path} is one of {', '.join(arguments)}, not {shown(value)}.",
                nearest(shown_key(value), arguments),
            )
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise _wrong(where, path, "a list", value)
        each = arguments[0]
        if arguments[-1] is not Ellipsis and len(value) != len(arguments):
            raise _wrong(where, path, f"a list of {len(arguments)}", value)
        return tuple(_read(each, v, where, f"{path}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _wrong(where, path, "a table", value)
        return dict(value)
    if kind is float:
        return _number(value, where, path)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {int: "a whole number", str: "a text", bool: "true or false"}
        raise _wrong(where, path, names[kind], value)
    return value


def _number(value: Any, where: str, path: str) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            number = float(value)  # YAML 1.1 takes 1e-3 for a text
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise _wrong(where, path, "a number", value)


def _table(kind: Any, value: Any, where: str, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, path or "a recipe", "a table", value)
    kinds = get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    dot = f"{path}." if path else ""
    for key in value:
        if key not in known:
            said = shown_key(key)
            raise TrainingError(f"{where}: there is no key {dot}{said}.", nearest(said, known))
    needed = [f.name for f in fields(kind) if _is_needed(f) and f.name not in value]
    if needed:
        raise TrainingError(f"{where}: {dot}{needed[0]} is missing.")
    return kind(**{key: _read(kinds[key], v, where, f"{dot}{key}") for key, v in value.items()})


def _is_needed(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _wrong(where: str, path: str, wanted: str, value: Any) -> TrainingError:
    return TrainingError(f"{where}: {path} is {wanted}, not {shown(value)}.")


def _check(recipe: Recipe, where: str) -> None:
    """Refuse numbers that mean nothing."""
    loop, optimiser, data = recipe.loop, recipe.optimiser, recipe.data
    rules = (
        (_is_name(recipe.name), f"name is a name for files, of at most {_LONGEST_NAME} characters"),
        (recipe.loss != () or recipe.network == "adaptive", "loss has at least one term"),
        (loop.steps is not None or loop.minutes is not None, "loop has steps or minutes"),
        (loop.steps is None or loop.steps >= 1, "loop.steps is at least 1"),
        (loop.minutes is None or loop.minutes >= 0, "loop.minutes is at least 0"),
        (loop.batch >= 1 and loop.keep >= 1, "loop.batch and loop.keep are at least 1"),
        (optimiser.rate > 0, "optimiser.rate is above 0"),
        (all(0 <= b < 1 for b in optimiser.betas), "optimiser.betas are in 0..1"),
        (all(0 < m < 1 for m in optimiser.milestones), "optimiser.milestones are in 0..1"),
        (0 <= optimiser.warmup < 1, "optimiser.warmup is in 0..1"),
        (0 <= optimiser.ema < 1, "optimiser.ema is in 0..1"),
        (optimiser.clip >= 0, "optimiser.clip is at least 0"),
        (data.crop >= 16 and data.crop % 2 == 0, "data.crop is even and at least 16"),
        (data.resize == 0 or data.resize >= 16, "data.resize is 0 or at least 16"),
        (data.validation >= 2, "data.validation is at least 2"),
        (data.validated >= 0, "data.validated is at least 0"),
        (recipe.calibration.samples >= 1, "calibration.samples is at least 1"),
    )
    for holds, rule in rules:
        if not holds:
            raise TrainingError(f"{where}: {rule}.")


def _is_name(text: str) -> bool:
    """Tell whether a file may be called so: a run's folder is, and has to lie where it should."""
    usual = text.isprintable() and 0 < len(text) <= _LONGEST_NAME
    return usual and not {"/", "\\"} & set(text) and text not in (".", "..")


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
