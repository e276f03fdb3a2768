"""The training loop: a budget of steps or minutes, checkpoints that survive anything, a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from iiccli.errors import TrainingError
from iiccli.training import checkpoints
from iiccli.training.checkpoints import UNREADABLE
from iiccli.training.engine import Pace, mean_of
from iiccli.training.recipes import Recipe, as_table
from iiccli.training.steps import Objective, Steps
from iiccli.training.watching.base import Watcher

if TYPE_CHECKING:
    from accelerate import Accelerator

_REPORT_SECONDS = 20.0

CHECKPOINTS = "checkpoints"
"""Folder of a run."""


def train(
    objective: Objective,
    recipe: Recipe,
    run: Path,
    engine: Accelerator,
    watcher: Watcher,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, float] | None:
    """Train until the budget is used up; leave the averaged weights in `objective.module`.

    A checkpoint holds everything: weights, averages, optimiser, step, time used, the recipe. All
    chance belongs to the number of the step (see `Chance`), so that a training that goes on gives
    the same numbers as one that was never interrupted, as long as the budget is one of steps.

    Args:
        objective: what to train.
        recipe: how.
        run: its folder.
        engine: see `engine.make_engine`.
        watcher: told how far it is.
        resume: go on from the run's last checkpoint if there is one.
        stop: asked after every step; true ends the loop early, with a checkpoint.

    Returns:
        The last validation's figures; None where `stop` has ended it.

    Raises:
        TrainingError: the checkpoint belongs to another recipe or network, or is damaged; the
            batch cannot be shared out over the processes.
        OutputError: a checkpoint cannot be written.
    """
    return _Loop(objective, recipe, run, engine, watcher, stop).run(resume)


class _Loop:
    def __init__(
        self,
        objective: Objective,
        recipe: Recipe,
        run: Path,
        engine: Accelerator,
        watcher: Watcher,
        stop: Callable[[], bool],
    ) -> None:
        self.objective, self.recipe, self.engine = objective, recipe, engine
        self.watcher, self.stop = watcher, stop
        self.folder = run / CHECKPOINTS
        self.share = share_of(recipe.loop.batch, engine)
        self.steps = Steps(objective, recipe, engine)
        self.step, self.used = 0, 0.0
        self.validation: dict[str, float] = {}

    def run(self, resume: bool) -> dict[str, float] | None:
        """See `train`."""
        state = checkpoints.load(self.folder, as_table(self.recipe)) if resume else None
        if state is not None:
            self._take(state)
        stopped = self._learn()
        self._save()
        self.steps.end()
        if stopped:
            return None
        self._validate()
        self.engine.wait_for_everyone()
        return self.validation

    def _learn(self) -> bool:
        """Take steps until the budget is used up; true if somebody wanted an earlier end."""
        loop, pace = self.recipe.loop, Pace(self.engine)
        begun = time.monotonic() - self.used
        reported = validated = saved = self.used
        counted, counting = self.step, time.monotonic()
        seen: list[dict[str, Tensor]] = []
        self.used, stopped = pace.at(0, self.used, self.stop())
        while not stopped and not self._finished():
            batch = self.objective.batch(self.step, self.share)
            rate, figures = self.steps.take(batch, self.step, self._share())
            seen.append(figures)
            self.step += 1
            self.used, stopped = pace.at(self.step, time.monotonic() - begun, self.stop())
            over = stopped or self._finished()
            self.watcher.progress(self.step, self._share(), self.used)
            if over or self._due(reported, counted):
                now = time.monotonic()
                speed = (self.step - counted) * loop.batch / max(now - counting, 1e-9)
                self._report(seen, rate, speed)
                seen, reported, counted, counting = [], self.used, self.step, now
            if not over and self._save_due(saved):
                self._save()
                saved = self.used
            if not over and self.used - validated > loop.validate_minutes * 60:
                self._validate_average()
                validated = self.used
                counting = time.monotonic()  # looking is not learning
                begun = counting - self.used
        return stopped

    def _finished(self) -> bool:
        loop = self.recipe.loop
        late = loop.minutes is not None and self.used >= loop.minutes * 60
        return late or (loop.steps is not None and self.step >= loop.steps)

    def _share(self) -> float:
        """Part of the budget that is used up: of the time or of the steps, whichever is more."""
        loop, shares = self.recipe.loop, [0.0]
        if loop.minutes is not None:
            shares.append(self.used / max(loop.minutes * 60, 1e-9))
        if loop.steps is not None:
            shares.append(self.step / loop.steps)
        return min(max(shares), 1.0)

    def _due(self, reported: float, counted: int) -> bool:
        every = self.recipe.loop.report_steps
        if every:
            return self.step - counted >= every
        return self.used - reported > _REPORT_SECONDS

    def _save_due(self, saved: float) -> bool:
        loop = self.recipe.loop
        if loop.checkpoint_steps and self.step % loop.checkpoint_steps == 0:
            return True
        return self.used - saved > loop.checkpoint_minutes * 60

    def _report(self, seen: list[dict[str, Tensor]], rate: float, speed: float) -> None:
        figures = {**mean_of(self.engine, seen), "rate": rate, "pictures_per_second": speed}
        self._line({**figures, "skipped": int(self.steps.skipped)})
        self.steps.skipped.zero_()

    def _line(self, figures: Mapping[str, Any]) -> None:
        line = {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in figures.items()}
        self.watcher.line({"step": self.step, "minutes": round(self.used / 60, 3), **line})

    def _save(self) -> None:
        if not self.engine.is_main_process:
            return
        scaler = self.engine.scaler
        state = {
            "recipe": as_table(self.recipe),
            "step": self.step,
            "used": self.used,
            "module": self.objective.module.state_dict(),
            "average": self.steps.average.values,
            "optimiser": self.steps.optimiser.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
        }
        checkpoints.save(self.folder, state, self.recipe.loop.keep)

    def _take(self, state: Mapping[str, Any]) -> None:
        try:
            self.objective.module.load_state_dict(state["module"])
            self.steps.optimiser.load_state_dict(state["optimiser"])
            self.steps.average.load(state["average"])
            if self.engine.scaler is not None and state["scaler"] is not None:
                self.engine.scaler.load_state_dict(state["scaler"])
            self.step, self.used = int(state["step"]), float(state["used"])
        except UNREADABLE as error:
            raise TrainingError(
                f"The checkpoint in {self.folder} is from another network.",
                "Start in another folder, or remove it.",
            ) from error

    def _validate_average(self) -> None:
        """Validate the averaged weights in passing."""
        module = self.objective.module
        self.steps.average.exchange(module)
        module.eval()
        self._validate()
        module.train()
        self.steps.average.exchange(module)
        self.engine.wait_for_everyone()

    def _validate(self) -> None:
        """Validate the module as it is; the main process does it alone."""
        if not self.engine.is_main_process:
            return
        self.validation = self.objective.validate(self.objective.module)
        if not self.validation:
            return
        rounded = {k: round(v, 4) for k, v in self.validation.items()}
        self._line({"validation": rounded})
        sheet = self.objective.sheet(self.objective.module)
        if sheet is not None:
            self.watcher.sheet(self.step, sheet)


def share_of(batch: int, engine: Accelerator) -> range:
    """The groups of a batch that fall to this process.

    Raises:
        TrainingError: they cannot be shared out equally.
    """
    each, rest = divmod(batch, engine.num_processes)
    if rest:
        raise TrainingError(
            f"A batch of {batch} cannot be shared out over {engine.num_processes} processes.",
            "Make --batch a multiple of their number.",
        )
    return range(engine.process_index * each, (engine.process_index + 1) * each)
