"""Several processes that share one evaluation, as `accelerate launch` or `torchrun` start them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, TypeVar

from iiccli.errors import DeviceError, IicError, UsageError

T = TypeVar("T")

_PATIENCE = timedelta(days=7)
"""How long one process waits for another, whose share may take longer. One that dies needs no
waiting for: its launcher then ends them all."""


@dataclass(frozen=True)
class Crew:
    """The processes, seen from one of them.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def main(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Which of so many things are for this process: every `size`-th."""
        return range(self.rank, count, self.size)

    def gathered(self, own: Sequence[T]) -> list[T]:
        """What all processes have, one process after the other; all must call this.

        Args:
            own: of this process; may be pickled.
        """
        if self.size == 1:
            return list(own)
        from accelerate.utils import gather_object

        found: list[T] = gather_object(list(own))
        return found

    def together(self, work: Callable[[], T]) -> T:
        """Do work on every process; where it fails on one, it fails on all, and is told once.

        Args:
            work: exchanges nothing with the other processes itself.

        Raises:
            IicError: in the main process, the first process's.
            SystemExit: in the others, without a word and with 0: a launcher that sees one
                process fail ends the others, perhaps before the main one has spoken.
        """
        if self.size == 1:
            return work()
        done: list[T] = []
        problems: list[IicError] = []
        try:
            done.append(work())
        except IicError as error:
            problems.append(error)
        problems = self.gathered(problems)
        if problems:
            self.refuse(problems[0])
        return done[0]

    def refuse(self, problem: IicError) -> NoReturn:
        """Fail on every process, for a reason that all of them know; all must call this.

        Raises:
            IicError: the problem, in the main process.
            SystemExit: in the others; see `together`.
        """
        if self.main:
            raise problem
        raise SystemExit(0)

    def leave(self) -> None:
        """End what connects the processes."""
        if self.size > 1:
            from accelerate import PartialState

            PartialState().destroy_process_group()


ALONE = Crew()
"""One process, as usual."""


def crew_of_launcher(device: str) -> Crew:
    """The processes that a launcher's environment tells of; without one, this process alone.

    Args:
        device: that the models will run on, `auto`, `cpu`, `cuda` ...; with CUDA each process
            takes a device of its own.

    Raises:
        UsageError: there are several, but accelerate is not installed.
        DeviceError: they do not come together.
        SystemExit: as `Crew.together`, in all but the main process.
    """
    size, rank = (_number(name, default) for name, default in (("WORLD_SIZE", 1), ("RANK", 0)))
    if size < 2:
        return ALONE
    try:
        from accelerate import PartialState
    except ImportError as error:
        if rank:
            raise SystemExit(0) from error
        raise UsageError(
            "Several processes need the package accelerate, which is not installed.",
            "pip install 'iiccli[train]', or start one process alone.",
        ) from error
    import torch

    try:
        on_cpu = device == "cpu" or not torch.cuda.is_available()
        state = PartialState(cpu=on_cpu, timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"The {size} processes do not come together: {str(error).splitlines()[0]}",
            "There must be a device for each, and a free port (--main_process_port).",
        ) from error
    return Crew(state.process_index, state.num_processes)


def _number(name: str, default: int) -> int:
    """A number in the environment; what is none counts for nothing."""
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else default
