"""What all verbs that make carriers from still pictures share.

A verb parses its options, says how one carrier is made, and calls `convert`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli import signals
from iiccli.cli.output import check_preview, count_of, meter, result, result_json, say
from iiccli.cli.streams import Streams, streams
from iiccli.errors import UsageError

if TYPE_CHECKING:
    from iiccli.carrier import Header
    from iiccli.tasks.batch import Item, Job, Outcome
    from iiccli.tasks.conversion import Made
    from iiccli.tasks.models import Loader

OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="The carrier (.png, .webp or .tiff), a folder for several, or - for stdout; else "
        "NAME.TASK.png beside the input.",
    ),
]
RecursiveOption = Annotated[
    bool,
    typer.Option("--recursive", "-r", help="Go into the folders of a folder; keep their tree."),
]
PreviewOption = Annotated[
    Path | None,
    typer.Option("--preview", help="Draw originals, carrier, restored and differences."),
]

NO_PREVIEW = "there is no preview of what was there already; --force makes both anew."


@dataclass(frozen=True)
class Manner:
    """How a verb was asked to work; the options that all of them have.

    Attributes:
        output: file, folder or `-`; None puts results beside their inputs.
        preview: where to draw a sheet.
        quality: name of the carrier's quality; None where the models have but one.
        recursive: go into folders of folders.
        force: replace what exists.
        quiet: no remarks.
        as_json: results as JSON.
        strip: carriers get no EXIF and no XMP.
    """

    output: str | None = None
    preview: Path | None = None
    quality: str | None = None
    recursive: bool = False
    force: bool = False
    quiet: bool = False
    as_json: bool = False
    strip: bool = False


@dataclass(frozen=True)
class Watch:
    """Whom to tell while one carrier is made.

    Attributes:
        progress: called with the share that is done, 0..1.
        note: called with a remark for the user, one sentence.
    """

    progress: Callable[[float], None]
    note: Callable[[str], None]


EmbedOne = Callable[[Sequence[Path], Path, Watch], "Made"]
"""Makes one carrier from its sources at the target."""


def convert(
    inputs: Sequence[str],
    manner: Manner,
    task: str,
    loader: Loader,
    embed_one: EmbedOne,
    *,
    items: Callable[[list[Path]], list[Item]] | None = None,
    same: Callable[[Job, Header], bool] = lambda job, header: True,
    look: bool = True,
) -> None:
    """Make a carrier of every input, tell the results, and leave with the right exit code.

    Args:
        inputs: the verb's arguments; `-` is stdin.
        manner: see there.
        task: the conversion; its name is part of results that are given none.
        loader: gives the model for the preview.
        embed_one: makes one carrier. It has to heed `manner.force` itself.
        items: turns the arguments into what single carriers are made from; None takes each
            file, and each picture of each folder, for one.
        same: see `iiccli.tasks.batch.run`.
        look: see there; false for a carrier that does not look like its first source.

    Raises:
        IicError: the only job has failed, or nothing could begin.
        typer.Exit: of several jobs some have failed.
    """
    from iiccli.tasks.batch import common_code, find_items, own_results, plan, run

    together = items is not None
    with streams(inputs, manner.output, as_json=manner.as_json, together=together) as stream:
        if items is None:
            found = find_items(
                stream.paths,
                recursive=manner.recursive,
                leave_out=own_results(stream.output, task),
            )
        else:
            found = items(stream.paths)
            if stream.to_stdout and len(found) > 1:
                raise UsageError(
                    f"{len(found)} carriers, but standard output takes one.",
                    "Give a folder with -o.",
                )
        folders = any(path.is_dir() for path in stream.paths)
        jobs = plan(found, stream.output, task, single=not (folders and items is None))
        if manner.preview is not None:
            if len(jobs) > 1:
                raise UsageError(
                    f"--preview shows one carrier; there are {len(jobs)} to make.",
                    "Leave out --preview, or name one input.",
                )
            places = [jobs[0].target, *jobs[0].sources]
            check_preview(manner.preview, places, force=manner.force)
        teller = _Teller(stream, manner, loader, len(jobs))
        said: set[str] = set()
        with meter("embedding", quiet=manner.quiet) as tell:

            def embed(sources: Sequence[Path], target: Path) -> Made:
                def note(message: str) -> None:
                    if message in said:  # what is true of many pictures is said once
                        return
                    said.add(message)
                    say(f"note: {stream.shown(message)}", quiet=manner.quiet)

                teller.begin()
                return embed_one(
                    sources,
                    target,
                    Watch(lambda share: tell(teller.told, len(jobs), share), note),
                )

            outcomes = []
            for outcome in run(
                *(jobs, embed, task),
                force=manner.force,
                same=same,
                look=look,
                strip=manner.strip,
            ):
                signals.current.check()  # what it has become may look like a failure
                if outcome.error is not None and len(jobs) == 1:
                    raise outcome.error
                teller.tell(outcome)
                outcomes.append(_light(outcome))
        teller.finish(outcomes)
        stream.send()
    if code := common_code(outcome.error for outcome in outcomes):
        raise typer.Exit(code)


def _light(outcome: Outcome) -> Outcome:
    """The same without pixels, so that many pictures do not fill memory."""
    from dataclasses import replace

    return replace(outcome, made=None)


class _Teller:
    """Tells what became of each job, and of all of them."""

    def __init__(self, stream: Streams, manner: Manner, loader: Loader, jobs: int) -> None:
        self.stream = stream
        self.manner = manner
        self.loader = loader
        self.jobs = jobs
        self.told = 0
        self._begun = time.monotonic()

    def begin(self) -> None:
        """A carrier is being made now."""
        self._begun = time.monotonic()

    def tell(self, outcome: Outcome) -> None:
        """Tell of one job."""
        self.told += 1
        job = outcome.job
        sources = [self.stream.shown(str(path)) for path in job.sources]
        facts: dict[str, Any] = {
            "input": sources[0] if len(sources) == 1 else sources,
            "output": str(job.target),
            "status": outcome.state,
        }
        words = ""
        if outcome.made is not None:
            more, words = self._made(outcome.made)
            facts |= more
        elif outcome.error is not None:
            message = self.stream.shown(outcome.error.message)
            facts |= {"error": message, "exit_code": outcome.error.exit_code}
            print(f"iic: {message}", file=sys.stderr)
        elif self.jobs == 1:
            words = f"{job.target}: there already, and whole; --force makes it anew."
            if self.manner.preview is not None:
                say(f"note: {NO_PREVIEW}", quiet=self.manner.quiet)
        if self.manner.as_json:
            result_json(facts, line=self.jobs > 1)
        elif words:
            self._say(words)

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Tell how many there were of each kind, if there were several."""
        if self.jobs == 1:
            return
        words = summary([outcome.state for outcome in outcomes])
        if self.manner.as_json:
            say(words, quiet=self.manner.quiet)
        else:
            self._say(words)

    def _say(self, words: str) -> None:
        """A line of the result, which gives way where stdout carries a picture."""
        if self.stream.to_stdout:
            say(self.stream.shown(words), quiet=self.manner.quiet)
        else:
            result(words)

    def _made(self, made: Made) -> tuple[dict[str, Any], str]:
        from iiccli.carrier import contents
        from iiccli.cli.figures import figures, in_words

        header = made.header
        facts: dict[str, Any] = {"size": list(header.size), "model": header.model}
        if self.manner.quality is not None:
            facts["quality"] = self.manner.quality
        facts["seconds"] = round(time.monotonic() - self._begun, 3)
        facts |= figures(
            made,
            self.loader,
            self.manner.preview,
            force=self.manner.force,
            quiet=self.manner.quiet,
        )
        words = f"{made.path} holds {contents(header)}, made by {header.maker}{in_words(facts)}."
        return facts, words


def summary(states: Sequence[str], noun: str = "input") -> str:
    """How many there were of each kind: `12 done, 3 skipped, 1 failed`."""
    counts = {state: states.count(state) for state in ("done", "skipped", "failed")}
    parts = [f"{number} {state}" for state, number in counts.items() if number or state == "done"]
    return f"{count_of(len(states), noun)}: {', '.join(parts)}."
