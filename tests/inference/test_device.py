"""Which device is taken, and what is said when it is not there."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from iiccli.errors import DeviceError
from iiccli.inference.device import available, choose, enough_memory


@pytest.fixture
def cpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("cpu_only")
def test_the_cpu_is_always_there():
    assert [d.name for d in available()] == ["cpu"]
    assert choose("auto") == choose("cpu") == torch.device("cpu")
    assert "thread" in available()[0].description


@pytest.mark.usefixtures("cpu_only")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:3", "mps", "tpu", ""])
def test_a_device_that_is_not_there_is_an_error_that_names_those_that_are(name):
    with pytest.raises(DeviceError) as caught:
        choose(name)
    assert repr(name) in caught.value.message
    assert "auto, cpu" in caught.value.hint


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name = "Imaginary 9000"
        total_memory = 2**34

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_comes_first():
    devices = available()
    assert [d.name for d in devices][:2] == ["cuda", "cuda:1"]
    assert devices[0].description == "Imaginary 9000"
    assert devices[0].memory == 2**34
    assert choose("auto") == torch.device("cuda")
    assert choose("cuda:0") == torch.device("cuda:0")
    assert choose("cuda:1") == torch.device("cuda:1")
    with pytest.raises(DeviceError):
        choose("cuda:2")


@pytest.mark.usefixtures("cpu_only")
def test_mps_is_taken_before_the_cpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose("auto") == torch.device("mps")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        MemoryError(),
    ],
)
def test_too_little_memory_is_an_error_with_a_hint(error: Exception):
    with pytest.raises(DeviceError, match="not enough memory") as caught, enough_memory():
        raise error
    assert "--tile" in caught.value.hint


@pytest.mark.parametrize("error", [RuntimeError("shapes cannot be multiplied"), ValueError("x")])
def test_other_errors_pass(error: Exception):
    with pytest.raises(type(error)) as caught, enough_memory():
        raise error
    assert caught.value is error


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_runs_out_of_memory_in_our_words():
    with pytest.raises(DeviceError), enough_memory():
        torch.empty(2**50, device="cuda")


def test_making_a_converter_loads_no_compiler():
    """Torch's compiler takes a second to load, and 70 MB; nothing here needs it."""
    words = (
        "import sys, pathlib, torch; from iiccli.zoo.modelfile import load_model;"
        "from iiccli.inference.converter import make_converter;"
        "models = [load_model(pathlib.Path('models', f'{name}.safetensors'))"
        " for name in ('gray.v1', 'video-5.v3')];"
        "[make_converter(*model, torch.device('cpu')) for model in models];"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", words], check=True, cwd=Path(__file__).parents[2])
