"""Which device to run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from iiccli.errors import DeviceError

NAMES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A device that is here: its name for `--device`, and what it is."""

    name: str
    description: str
    memory: int | None
    """Bytes; None where the system does not tell."""


def available() -> list[Device]:
    """All devices at hand, the one that `auto` takes first."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            name = "cuda" if index == 0 else f"cuda:{index}"
            found.append(Device(name, properties.name, properties.total_memory))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", None))
    threads = torch.get_num_threads()
    found.append(Device("cpu", f"{threads} thread{'s' if threads != 1 else ''}", None))
    return found


def choose(name: str = "auto") -> torch.device:
    """The device of that name; `auto` takes CUDA, else MPS, else the CPU.

    Raises:
        DeviceError: no such device here.
    """
    devices = [device.name for device in available()]
    if name == "auto":
        return torch.device(devices[0])
    if name not in devices and not (name == "cuda:0" and "cuda" in devices):
        raise DeviceError(
            f"There is no device {name!r} here.", f"Choose one of: auto, {', '.join(devices)}."
        )
    return torch.device(name)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn torch's words for too little memory into an error of ours.

    Raises:
        DeviceError: the memory of the device, or of the machine, does not suffice.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            "There is not enough memory for this.",
            "Try a smaller --tile, --max-side, or --device cpu.",
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether that is how Python, CUDA, MPS or torch on the CPU say so."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU's allocator and MPS raise a bare RuntimeError.
    words = ("can't allocate memory", "MPS backend out of memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
