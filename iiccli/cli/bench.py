"""`iic bench`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from iiccli.cli.options import DeviceOption, JsonOption, Quality, QuietOption
from iiccli.cli.output import Meter, meter, result, result_json, say
from iiccli.errors import UsageError


def bench(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PART",
            help="What is measured: fidelity, robustness, speed; without any, all three.",
            show_default=False,
        ),
    ] = None,
    *,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            help="The folder of the test sets (Kodak24, video, …), as many as there are; or any "
            "folder of your own photographs, clips or pairs.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The folder for bench.json and report.html. One that an earlier call left is "
            "gone on with: what it has is not measured again.",
        ),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            help="Only models for video, mono, dual, hide, layers, gray or rescale; repeatable.",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="Only this model, a name or a file; repeatable. Else the newest of each.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="The first so many cases of each test set only."),
    ] = None,
    quality: Annotated[
        list[Quality] | None,
        typer.Option("--quality", help="Repeatable; balanced. Speed is measured at the first."),
    ] = None,
    sizes: Annotated[
        str,
        typer.Option("--sizes", help="Of pictures, for speed: 480p, 1080p, 4K or such as 640x360."),
    ] = "480p,1080p,4K",
    device: DeviceOption = "auto",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Measure again what is there; use a folder that holds other things."
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure our models beside what you would use instead, on the same pictures.

    Fidelity: what comes back, against AVIF, AV1 and H.265 in the lowest bits at the same PSNR of
    the carrier, and against naive ways. Robustness: after JPEG, noise, painting, cropping and more.
    Speed: seconds, memory and growth, against the paper's own network. Results go into bench.json
    and report.html, which needs nothing else. On everything this takes hours; it may be stopped at
    any time and goes on where it was.
    """
    from iiccli.benchmarking.book import NAME
    from iiccli.benchmarking.report.page import REPORT
    from iiccli.benchmarking.running import PARTS, Wishes, run
    from iiccli.benchmarking.speed import read_sizes
    from iiccli.benchmarking.table import lines

    for part in parts or ():
        if part not in PARTS:
            raise UsageError(
                f"There is nothing called {part!r} to measure.",
                f"Choose of: {', '.join(PARTS)}.",
            )
    wishes = Wishes(
        data=data,
        output=output,
        parts=parts or PARTS,
        tasks=task or (),
        models=model or (),
        qualities=list(dict.fromkeys(q.value for q in quality or (Quality.balanced,))),
        sizes=read_sizes(sizes),
        limit=limit,
        device=device,
        force=force,
    )

    def bar(label: str) -> AbstractContextManager[Meter]:
        return meter(label, quiet=quiet)

    facts = run(wishes, bar, lambda line: say(f"note: {line}", quiet=quiet))
    if as_json:
        result_json(facts["summary"] | {"output": [str(output / NAME), str(output / REPORT)]})
        return
    for line in lines(facts, wishes.parts):
        result(line)
    say(f"{output / REPORT} shows it; {output / NAME} has all figures.", quiet=quiet)
