"""How close a new carrier is to its cover, and, for a preview, what comes back to what went in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from iiccli.cli.output import meter

if TYPE_CHECKING:
    from iiccli.tasks.conversion import Made
    from iiccli.tasks.models import Loader


def figures(
    made: Made, loader: Loader, preview: Path | None, *, force: bool, quiet: bool
) -> dict[str, Any]:
    """PSNR of the carrier against its cover; with a preview also what comes back, and SSIM.

    Pictures with alpha are compared as the sheet shows them, on a chequered ground, and the mean
    absolute error of alpha is told, 0..1.

    The preview's sheet is drawn here.

    Raises:
        IicError: the carrier cannot be restored, or the sheet not be written.
    """
    from iiccli.evaluation.metrics import psnr

    facts: dict[str, Any] = {"psnr": {"cover": psnr(made.pixels, made.cover)}}
    if preview is None:
        return facts
    from iiccli.carrier import read_carrier
    from iiccli.evaluation import sheet
    from iiccli.evaluation.metrics import ssim
    from iiccli.media.image import write_picture
    from iiccli.tasks.restoring import restore_outputs

    with meter("restoring for the preview", quiet=quiet) as tell:
        back = restore_outputs(loader, read_carrier(made.path), lambda share: tell(0, 1, share))
    originals = {output.name: output for output in made.originals}
    pairs = [(out, originals[out.name]) for out in back.outputs if out.name in originals]
    # Colours count as far as they are seen: where a picture is clear, they are anything.
    shown = {original.name: sheet.shown(original.pixels, original.alpha) for _, original in pairs}
    facts["ssim"] = {"cover": ssim(made.pixels, made.cover)}
    for name, metric in (("psnr", psnr), ("ssim", ssim)):
        facts[name]["restored"] = {
            out.name: metric(sheet.shown(out.pixels, out.alpha), shown[out.name])
            for out, original in pairs
            if out.pixels.shape == original.pixels.shape
        }
    alphas = {
        out.name: _apart(out.alpha, original.alpha)
        for out, original in pairs
        if out.alpha is not None and original.alpha is not None
    }
    if alphas:
        facts["alpha_error"] = alphas
    rows = sheet.conversion_sheet(
        [(o.name, o.pixels, o.alpha) for o in made.originals],
        made.cover,
        made.pixels,
        [(o.name, o.pixels, o.alpha) for o in back.outputs],
    )
    write_picture(
        preview, sheet.draw(rows, f"{made.path.name}, with {made.header.maker}"), force=force
    )
    return {**facts, "preview": str(preview)}


def _apart(a: Any, b: Any) -> float:
    """Mean absolute difference of two alphas of one size, 0..1."""
    return float(abs(a.astype(float) - b).mean()) / 255


def in_words(facts: dict[str, Any]) -> str:
    """The figures as the end of a sentence."""
    from iiccli.evaluation.sheet import decibels

    words = f"; the carrier against its cover: {decibels(facts['psnr']['cover'])}"
    restored = facts["psnr"].get("restored")
    if restored:
        listed = [f"{name} {decibels(value)}" for name, value in restored.items()]
        if len(restored) == 1:
            listed = [decibels(value) for value in restored.values()]
        words += f", restored: {', '.join(listed)}"
    return words
