"""`iic devices`."""

from __future__ import annotations

from dataclasses import asdict

from iiccli.cli.options import JsonOption
from iiccli.cli.output import result, result_json


def devices(as_json: JsonOption = False) -> None:
    """List the devices at hand; the first is what `auto` takes."""
    from iiccli.inference.device import available

    found = available()
    if as_json:
        result_json([asdict(device) for device in found])
        return
    for device in found:
        memory = f", {device.memory / 2**30:.1f} GiB" if device.memory else ""
        result(f"{device.name:8} {device.description}{memory}")
