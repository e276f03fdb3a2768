"""`iic inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from iiccli.cli.options import JsonOption, MaxPixelsOption
from iiccli.cli.output import result, result_json


def inspect(
    carrier: Annotated[Path, typer.Argument(help="The picture to look into.")],
    max_pixels: MaxPixelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what a carrier holds, which model made it, and whether it is intact."""
    from iiccli.carrier import CODEC, describe, read_carrier, sentence
    from iiccli.zoo.catalogue import find_by_hash

    found = read_carrier(carrier)
    codec = found.header.method == CODEC
    entry = None if codec else find_by_hash(found.header.model_hash, found.header.model)
    facts: dict[str, Any] = describe(found)
    facts["model_here"] = None if entry is None else entry.name
    if as_json:
        result_json(facts)
        return
    result(sentence(found))
    for note in found.notes:
        result(note)
    header = found.header
    name = header.model or ("unknown" if entry is None else entry.name)
    model = f"{name} ({header.model_hash[:16]}…), {'here' if entry else 'not here'}"
    width, height = header.size
    rows = {
        "format": f"{found.format}, {width} × {height}",
        "pictures": _pictures(header.task, header.valid, header.reference),
        "rate": "" if header.fps is None else f"{float(header.fps):g} per second",
        "part": f"{header.part + 1} of {header.parts}" if header.parts > 1 else "",
        "method": "codec: no model is needed" if codec else "",
        "model": "" if codec else model,
    }
    for name, text in rows.items():
        if text:
            result(f"  {name:9} {text}")


def _pictures(task: str, valid: int, reference: int) -> str:
    """How many there are, and of frames, which of them the carrier shows."""
    if task == "video":
        return f"{valid}, and it looks like number {reference} (from 0)"
    return "" if valid == 1 else f"{valid}"
