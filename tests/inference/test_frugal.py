"""Too little memory on a graphics card: smaller tiles, then the CPU, and one note."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from iiccli.errors import DeviceError, IicWarning
from iiccli.inference.converter import Converter, Pixels, Restored
from iiccli.inference.device import enough_memory
from iiccli.inference.frugal import FrugalConverter
from iiccli.zoo.modelfile import Card

PICTURE = np.zeros((4, 4, 3), np.uint8)
FREE = np.ones((4, 4, 3), bool)

CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
MPS = RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)")


class Short(Converter):
    """Has memory for tiles up to `most`, or none at all for itself."""

    card = Card(name="x.v1", task="gray", network="adaptive", config={})
    qualities, scale = 3, 1

    def __init__(self, log: list[str], most: int, tile: int, error: Exception | None) -> None:
        self.log, self.most, self.tile, self.error = log, most, tile, error

    def _run(self) -> None:
        if self.error is not None and self.tile > self.most:
            raise self.error

    def embed(self, pictures, quality, free, progress=None, *, zoom=1.0, pad=None) -> Pixels:
        self.log.append(f"{'card' if self.error else 'cpu'} {self.tile}")
        self._run()
        return PICTURE

    def restore(self, carrier, size, quality, free, progress=None, *, zoom=1.0, pad=None):
        self.embed([], 0, FREE)
        return Restored([PICTURE], 0.0)


def frugal(most: int, error: Exception, device: str = "mps") -> tuple[FrugalConverter, list[str]]:
    log: list[str] = []

    def make(on_device: bool, tile: int) -> Converter:
        return Short(log, most, tile, error if on_device else None)

    return FrugalConverter(make, torch.device(device), 512), log


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: None)


@pytest.mark.parametrize(("error", "device"), [(CUDA, "cuda"), (MPS, "mps")])
def test_smaller_tiles_and_one_note(error: Exception, device: str):
    converter, log = frugal(128, error, device)
    with pytest.warns(IicWarning) as said:
        converter.restore(PICTURE, (4, 4), 0, FREE)
        converter.embed([PICTURE], 0, FREE)
    assert log == ["card 512", "card 256", "card 128", "card 128"]
    assert [str(w.message) for w in said] == [
        f"{device} has too little memory; going on with tiles of 128 pixels"
    ]


def test_then_the_cpu_with_the_tiles_that_were_asked_for():
    converter, log = frugal(0, MPS)
    with pytest.warns(IicWarning, match="going on with the CPU") as said:
        converter.embed([PICTURE], 0, FREE)
        converter.embed([PICTURE], 0, FREE)
    assert log == [*(f"card {side}" for side in (512, 256, 128, 64)), "cpu 512", "cpu 512"]
    assert len(said) == 1


def test_with_enough_memory_nothing_is_said():
    converter, log = frugal(512, CUDA)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converter.embed([PICTURE], 0, FREE)
    assert log == ["card 512"]


def test_other_errors_pass():
    converter, log = frugal(0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        converter.embed([PICTURE], 0, FREE)
    assert len(log) == 1


def test_where_not_even_the_weights_fit():
    made: list[bool] = []

    def make(on_device: bool, tile: int) -> Converter:
        made.append(on_device)
        if on_device:
            raise CUDA
        return Short([], 0, tile, None)

    converter = FrugalConverter(make, torch.device("cuda"), 512)
    with pytest.warns(IicWarning, match="the CPU"):
        converter.embed([PICTURE], 0, FREE)
    assert made == [True, False]


def test_where_the_cpu_has_too_little_as_well():
    def fail(tile: int) -> Callable[[], None]:
        raise RuntimeError(f"DefaultCPUAllocator: can't allocate memory: {tile}")

    class Hopeless(Short):
        def _run(self) -> None:
            fail(self.tile)

    converter = FrugalConverter(
        lambda on_device, tile: Hopeless([], 0, tile, None), torch.device("mps"), 64
    )
    with pytest.raises(DeviceError, match="not enough memory"), enough_memory():
        converter.embed([PICTURE], 0, FREE)
