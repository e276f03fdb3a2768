"""`iic restore`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iiccli.cli import signals
from iiccli.cli.batch import NO_PREVIEW, RecursiveOption, summary
from iiccli.cli.options import (
    DeviceOption,
    FitRule,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    ModelOption,
    Quality,
    QuietOption,
    StripOption,
    TileOption,
)
from iiccli.cli.output import Meter, check_preview, count_of, meter, result, result_json, say
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.cli.streams import Streams, streams
from iiccli.errors import UsageError
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iiccli.carrier import Carrier
    from iiccli.locking import Phrase
    from iiccli.tasks.parts import Bad
    from iiccli.tasks.restoring import Progress, Report, RestoredOutputs
    from iiccli.tasks.restoring_many import RestoreJob, RestoreOutcome
    from iiccli.tasks.unmarked import Told

_UNMARKED = "Carriers without header (hide --no-header)"


def restore(
    carriers: Annotated[
        list[str],
        typer.Argument(help="Carriers, the parts of a clip, folders of them, or - for stdin."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="A folder for PNGs; a clip: .mp4 .mov .mkv .webm .gif .webp .apng; a picture, "
            "where one comes back; or - for stdout. Else NAME.restored beside the carrier.",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Only one of what comes back: left, secret-1, foreground …"),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="A stereo pair as pair, sbs, sbs-cross, over-under, mpo, anaglyph or wiggle.",
        ),
    ] = None,
    recursive: RecursiveOption = False,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="Draw the carrier and what came back.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="What was made, where the carrier does not say it: hide.",
            rich_help_panel=_UNMARKED,
        ),
    ] = None,
    secrets: Annotated[
        int | None,
        typer.Option("--secrets", help="How many are hidden.", rich_help_panel=_UNMARKED),
    ] = None,
    quality: Annotated[
        Quality | None,
        typer.Option(
            "--quality", help="As it was when hiding (balanced).", rich_help_panel=_UNMARKED
        ),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            "--size",
            help="WIDTHxHEIGHT of a secret; once for each, in order.",
            rich_help_panel=_UNMARKED,
        ),
    ] = None,
    fit: Annotated[
        FitRule | None,
        typer.Option("--fit", help="As it was when hiding.", rich_help_panel=_UNMARKED),
    ] = None,
    model: ModelOption = None,
    key: KeyOption = False,
    key_file: KeyFileOption = None,
    device: DeviceOption = "auto",
    tile: TileOption = DEFAULT_TILE,
    strip: StripOption = False,
    max_pixels: MaxPixelsOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take out of carriers what they hold: frames, stereo pairs, hidden pictures, colours."""
    if task is None and (secrets is not None or quality or size or fit):
        raise UsageError(
            "--secrets, --quality, --size and --fit are for carriers that do not say what they "
            "hold.",
            "Leave them out, or add --task hide.",
        )
    what: Told | None = None
    if task is not None:
        from iiccli.tasks.unmarked import told

        what = told(task, secrets, quality and quality.value, size or (), fit and fit.value)
    take_out(
        carriers,
        output,
        only=only,
        form=form,
        recursive=recursive,
        preview=preview,
        model=model,
        phrase=phrase_of(key, key_file, new=False, quiet=quiet),
        device=device,
        tile=tile,
        strip=strip,
        force=force,
        quiet=quiet,
        as_json=as_json,
        what=what,
    )


def take_out(
    carriers: list[str],
    output: str | None,
    *,
    only: str | None = None,
    form: str | None = None,
    recursive: bool,
    preview: Path | None,
    model: str | None,
    phrase: Phrase | None,
    device: str,
    tile: int,
    strip: bool,
    force: bool,
    quiet: bool,
    as_json: bool,
    what: Told | None = None,
    check: Callable[[Path], None] = lambda path: None,
    accept: Callable[[Carrier], None] = lambda carrier: None,
) -> None:
    """Restore, and tell what became of each carrier; the arguments are the verb's options.

    Args, besides:
        what: what the user tells of a carrier without header.
        check: raises an `IicError` for a file that is not wanted, where it is the only one.
        accept: see `iiccli.tasks.restoring_many.plan`.
    """
    from iiccli.tasks import restoring_many
    from iiccli.tasks.batch import common_code
    from iiccli.tasks.models import Loader
    from iiccli.tasks.way import Choice

    loader = Loader(device=device, tile=tile, override=model, phrase=phrase)
    choice = Choice(only, form, strip)
    with streams(carriers, output, as_json=as_json) as stream:
        if preview is not None:
            places = [Path(stream.output)] if stream.output is not None else []
            check_preview(preview, [*places, *stream.paths], force=force)
        if len(stream.paths) == 1 and not stream.paths[0].is_dir():
            check(stream.paths[0])
        bad: list[Bad] = []
        if what is None:
            jobs, bad = restoring_many.plan(
                *(stream.paths, stream.output, loader, choice),
                recursive=recursive,
                force=force,
                accept=accept,
            )
        else:
            job = restoring_many.plan_told(
                stream.paths, stream.output, loader, choice, what, force=force
            )
            jobs = [job]
        if preview is not None and len(jobs) + len(bad) > 1:
            raise UsageError(
                f"--preview shows one carrier; there are {len(jobs) + len(bad)}.",
                "Leave out --preview, or name one carrier.",
            )
        teller = _Teller(stream, len(jobs) + len(bad), quiet=quiet, as_json=as_json)
        shown: list[tuple[Carrier, RestoredOutputs]] = []

        def keep(carrier: Carrier, back: RestoredOutputs) -> None:
            if preview is not None and not shown:
                shown.append((carrier, back))

        outcomes: list[RestoreOutcome] = [_failure(failed) for failed in bad]
        for outcome in outcomes:
            teller.tell(outcome, {})
        with meter("restoring", quiet=quiet) as tell:
            begun = time.monotonic()
            for outcome in restoring_many.run(
                jobs,
                loader,
                choice,
                force=force,
                progress=lambda number: _progress(tell, jobs, number),
                keep=keep,
            ):
                signals.current.check()  # what it has become may look like a failure
                if outcome.error is not None and teller.jobs == 1:
                    raise outcome.error
                facts: dict[str, Any] = {"seconds": round(time.monotonic() - begun, 3)}
                if preview is not None and shown:
                    _draw(preview, *shown[0], force=force)
                    facts["preview"] = str(preview)
                elif preview is not None:
                    say(f"note: {NO_PREVIEW}", quiet=quiet)
                teller.tell(outcome, facts)
                outcomes.append(outcome)
                begun = time.monotonic()
        teller.finish(outcomes)
        stream.send()
    if code := common_code(outcome.error for outcome in outcomes):
        raise typer.Exit(code)


def _failure(bad: Bad) -> RestoreOutcome:
    from iiccli.tasks.restoring_many import RestoreOutcome

    return RestoreOutcome(bad.path, "", "failed", error=bad.error)


def _progress(tell: Meter, jobs: Sequence[RestoreJob], number: int) -> Progress:
    """Count the carriers of one clip, or else the jobs."""
    if len(jobs) == 1:
        return tell
    return lambda done, total, share: tell(number, len(jobs), (done + share) / total)


class _Teller:
    """Tells what became of each carrier, and of all of them."""

    def __init__(self, stream: Streams, jobs: int, *, quiet: bool, as_json: bool) -> None:
        self.stream = stream
        self.jobs = jobs
        self.quiet = quiet
        self.as_json = as_json

    def tell(self, outcome: RestoreOutcome, more: dict[str, Any]) -> None:
        """Tell of one carrier or clip."""
        facts: dict[str, Any] = {
            "input": self.stream.shown(str(outcome.path)),
            "status": outcome.state,
        }
        words = ""
        report = outcome.report
        if report is not None:
            self._remarks(report)
            facts |= _facts(report) | more
            words = f"{outcome.target}: {_what(report)} restored."
        elif outcome.error is not None:
            message = self.stream.shown(outcome.error.message)
            facts |= {"error": message, "exit_code": outcome.error.exit_code}
            print(f"iic: {message}", file=sys.stderr)
        else:
            facts["output"] = outcome.target
            if self.jobs == 1:
                words = f"{outcome.target}: there already; --force makes it anew."
        if self.as_json:
            result_json(facts, line=self.jobs > 1)
        elif words:
            self._say(words)

    def finish(self, outcomes: Sequence[RestoreOutcome]) -> None:
        """Tell how many there were of each kind, if there were several."""
        if self.jobs == 1:
            return
        words = summary([outcome.state for outcome in outcomes], "carrier")
        if self.as_json:
            say(words, quiet=self.quiet)
        else:
            self._say(words)

    def _remarks(self, report: Report) -> None:
        for note in report.notes:
            say(f"note: {note}", quiet=self.quiet)
        if "changed" in report.states:
            say(f"warning: {_loss(report)}", quiet=self.quiet)

    def _say(self, words: str) -> None:
        """A line of the result, which gives way where stdout carries a picture."""
        if self.stream.to_stdout:
            say(self.stream.shown(words), quiet=self.quiet)
        else:
            result(words)


def _facts(report: Report) -> dict[str, Any]:
    states = report.states
    facts: dict[str, Any] = {
        "output": str(report.output),
        "task": report.task,
        "pictures": report.pictures,
    }
    if report.names:
        facts["names"] = list(report.names)
    facts["state"] = states[0] if len(set(states)) == 1 else states
    facts["damaged"] = report.damaged
    return facts


def _what(report: Report) -> str:
    names = report.names
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return count_of(report.pictures, "picture")


def _draw(preview: Path, carrier: Carrier, back: RestoredOutputs, *, force: bool) -> None:
    from iiccli.evaluation import sheet
    from iiccli.media.image import write_picture

    restored = back.restored
    if carrier.header.task == "video":
        rows = sheet.restoration_sheet(carrier.pixels, restored.pictures, restored.reference)
    else:
        rows = sheet.outputs_sheet(
            carrier.pixels, [(out.name, out.pixels, out.alpha) for out in back.outputs]
        )
    title = f"{carrier.path.name}: {count_of(len(back.outputs), 'picture')}"
    write_picture(preview, sheet.draw(rows, title), force=force)


def _loss(report: Report) -> str:
    """Say what a carrier whose pixels have changed has lost."""
    damaged = report.damaged
    changed = "the pixels have changed since the carrier was made;"
    if report.method == "codec":
        return f"{changed} all came back as it was, but for the picture that the carrier shows."
    if damaged is None:
        return f"{changed} what came back is worse for it."
    if damaged == 0:
        return f"{changed} what came back is worse only there: no block was found broken."
    share = "less than 1 %" if damaged < 0.01 else f"{damaged:.0%}".replace("%", " %")
    what = "frames" if report.task == "video" else "pictures"
    return f"{changed} in {share} of the area the {what} are lost, and show the cover instead."
