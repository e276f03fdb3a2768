"""`iic dual-view`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iiccli.cli.batch import (
    Manner,
    OutputOption,
    PreviewOption,
    RecursiveOption,
    Watch,
    convert,
)
from iiccli.cli.options import (
    DeviceOption,
    FitRule,
    ForceOption,
    JsonOption,
    MaxPixelsOption,
    Method,
    MethodOption,
    ModelOption,
    Quality,
    QuietOption,
    StripOption,
    TileOption,
)
from iiccli.cli.phrase import KeyFileOption, KeyOption, phrase_of
from iiccli.inference.tiles import DEFAULT_TILE

if TYPE_CHECKING:
    from iiccli.carrier import Header
    from iiccli.tasks.batch import Job
    from iiccli.tasks.conversion import Made


def dual_view(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="WIDE TELE | PICTURE…",
            help="A wide view and a nearer one; or pictures of which both are made; or two "
            "folders of wide and near views; - for stdin.",
        ),
    ],
    output: OutputOption = None,
    zoom: Annotated[
        float | None,
        typer.Option(
            "--zoom",
            help="How many times nearer TELE sees the middle of WIDE; else it is looked for. For "
            "single pictures 2, 4 or 8.",
        ),
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Two pictures are not WIDE and TELE, but two singles.")
    ] = False,
    recursive: RecursiveOption = False,
    quality: Annotated[
        Quality,
        typer.Option("--quality", help="A carrier close to the wide view, or a better near one."),
    ] = Quality.balanced,
    fit: Annotated[
        FitRule,
        typer.Option(
            "--fit",
            help="How a near view of other proportions is kept: stretched, cut (what is cut is "
            "lost), or whole with borders.",
        ),
    ] = FitRule.stretch,
    preview: PreviewOption = None,
    model: ModelOption = None,
    method: MethodOption = Method.network,
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
    """Put a wide and a near view into one picture that looks like the wide one.

    TELE looks at the middle of WIDE; another size is resized and given back.

    A single picture needs --zoom 2, 4 or 8: the wide view is then the whole picture so many
    times smaller (bicubic), the near view its centre at full resolution, of the same size.
    """
    from iiccli.tasks import dual_view as task
    from iiccli.tasks.batch import made_by, own_results
    from iiccli.tasks.models import Loader, choose_entry
    from iiccli.tasks.pairs import arrangement, items_of, up_to_date

    how = arrangement(inputs, each=each)
    task.check_zoom(zoom, single=how == "each")
    loader = Loader(device=device, tile=tile, phrase=phrase_of(key, key_file, quiet=quiet))
    chosen = loader.load(choose_entry(task.TASK, 2, model, method=method.value))

    def embed_one(sources: Sequence[Path], target: Path, watch: Watch) -> Made:
        return task.embed_dual(
            sources,
            target,
            chosen,
            quality.value,
            zoom,
            fit=fit.value,
            strip=strip,
            force=force,
            progress=watch.progress,
            note=watch.note,
        )

    by_model = made_by(chosen, quality.value)

    def same(job: Job, header: Header) -> bool:
        zoomed = zoom is None or math.isclose(task.zoom_of(header), zoom, abs_tol=1e-4)
        return zoomed and by_model(job, header) and up_to_date(job)

    manner = Manner(output, preview, quality.value, recursive, force, quiet, as_json, strip)
    convert(
        inputs,
        manner,
        task.TASK,
        loader,
        embed_one,
        items=items_of(how, recursive=recursive, leave_out=own_results(output, task.TASK)),
        same=same,
    )
