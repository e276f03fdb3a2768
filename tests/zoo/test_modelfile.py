"""A model file says what it is, or is refused in one sentence."""

import hashlib
import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from iiccli.errors import ModelError, OutputExistsError
from iiccli.inference.converter import make_converter
from iiccli.zoo.modelfile import FORMAT, Card, load_model, read_card, save_model, sha256

CARD = Card(
    name="video-5.v1",
    task="video",
    network="transform",
    config={"pictures": 5, "bands": [3, 6]},
    reference="first",
    colour="BGR",
    recipe={"minutes": 45, "seed": 0, "nested": {"rate": 0.001}},
    data="DAVIS, “train”",
    metrics={"protocol": "ten clips", "others": 36.5},
    licence="CC0-1.0",
)
STATE = {
    "weight": torch.arange(12.0).view(3, 4),
    "half": torch.tensor([0.5], dtype=torch.float16),
    "whole": torch.tensor([-3, 7], dtype=torch.int32),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "video-5.v1.safetensors"
    save_model(path, CARD, STATE)
    return path


def metadata_file(path: Path, **metadata: str) -> Path:
    """A safetensors file with just this metadata."""
    save_file({"weight": torch.zeros(2)}, path, metadata=metadata or None)
    return path


def test_a_model_is_read_as_it_was_written(model):
    card, state = load_model(model)
    assert card == CARD == read_card(model)
    assert card.pictures == 5
    assert card.format == FORMAT
    assert state.keys() == STATE.keys()
    for name, tensor in state.items():
        assert tensor.dtype == STATE[name].dtype
        assert torch.equal(tensor, STATE[name])


def test_its_identity_is_the_hash_of_the_file(tmp_path):
    path = tmp_path / "again.safetensors"
    digest = save_model(path, CARD, STATE)
    assert digest == sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    other = save_model(tmp_path / "other.safetensors", Card("x", "video", "fast", {}), STATE)
    assert other != digest


def test_tensors_of_any_layout_can_be_saved(tmp_path):
    state = {
        "transposed": torch.rand(3, 4).T,
        "channels_last": torch.rand(1, 3, 4, 4).to(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(torch.rand(2)),
    }
    path = tmp_path / "a.safetensors"
    save_model(path, CARD, state)
    for name, tensor in load_model(path)[1].items():
        assert torch.equal(tensor, state[name])


def test_an_existing_model_is_only_replaced_by_force(model):
    before = sha256(model)
    with pytest.raises(OutputExistsError):
        save_model(model, CARD, {"other": torch.zeros(1)})
    assert sha256(model) == before
    save_model(model, CARD, {"other": torch.zeros(1)}, force=True)
    assert load_model(model)[1].keys() == {"other"}


def test_a_card_without_pictures_is_for_one():
    assert Card("x", "gray", "fast", {}).pictures == 1


def test_fields_that_are_missing_have_their_defaults(tmp_path):
    path = metadata_file(
        tmp_path / "a.safetensors", format="1", name="n", task="t", network="fast", config="{}"
    )
    assert read_card(path) == Card("n", "t", "fast", {})


def test_reading_a_card_imports_no_torch(model):
    code = (
        "import sys; from pathlib import Path; from iiccli.zoo.modelfile import read_card; "
        f"read_card(Path({str(model)!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def refused(path: Path) -> ModelError:
    """Both ways to open the file refuse it, and name it."""
    with pytest.raises(ModelError) as caught:
        read_card(path)
    with pytest.raises(ModelError):
        load_model(path)
    assert str(path) in caught.value.message
    return caught.value


def test_a_missing_file_is_refused(tmp_path):
    assert "iic models" in refused(tmp_path / "none.safetensors").hint
    with pytest.raises(ModelError, match="none"):
        sha256(tmp_path / "none.safetensors")


def test_a_folder_is_refused(tmp_path):
    refused(tmp_path)
    with pytest.raises(ModelError):
        sha256(tmp_path)


def test_a_file_cut_off_anywhere_is_refused(model):
    whole = model.read_bytes()
    for length in {0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1}:
        model.write_bytes(whole[:length])
        refused(model)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" * 9, b"PK\x03\x04" * 99, b"{}", b"\xff" * 400]
)
def test_files_of_other_kinds_are_refused(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    refused(path)


def test_every_flipped_bit_of_the_head_is_either_read_or_refused(model, tmp_path):
    """Never another error: what a damaged file says may be wrong, but does no harm."""
    whole = model.read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    refusals = 0
    for place in range(8 + size):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        model.write_bytes(bytes(damaged))
        try:
            card, state = load_model(model)
        except ModelError as error:
            assert str(model) in error.message
            refusals += 1
        else:
            assert isinstance(card.config, dict)
            assert all(isinstance(t, torch.Tensor) for t in state.values())
    assert refusals > size // 4


def test_somebody_elses_safetensors_file_is_refused_with_a_hint(tmp_path):
    for number, metadata in enumerate(({}, {"format": "pt"}, {"network": "transform"})):
        path = metadata_file(tmp_path / f"{number}.safetensors", **metadata)
        error = refused(path)
        assert "not a model of iic" in error.message
        assert "iic models import" in error.hint


def test_a_newer_format_is_refused_with_the_advice_to_upgrade(tmp_path):
    path = metadata_file(
        tmp_path / "a.safetensors",
        format=str(FORMAT + 1),
        network="telepathy",
        config="[1, 2]",
    )
    error = refused(path)
    assert f"model format {FORMAT + 1}" in error.message
    assert error.hint == "Upgrade iic."


@pytest.mark.parametrize(
    "change",
    [
        {"config": "{not json"},
        {"config": "[1, 2]"},
        {"config": "null"},
        {"config": "[" * 100_000},
        {"metrics": "3"},
        {"recipe": ""},
        {"format": "one"},
        {"format": ""},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path, change):
    good = {"format": "1", "name": "n", "task": "t", "network": "fast", "config": "{}"}
    path = metadata_file(tmp_path / "a.safetensors", **{**good, **change})
    assert "damaged" in refused(path).message


@pytest.mark.parametrize("missing", ["name", "task"])
def test_a_description_that_lacks_something_is_refused(tmp_path, missing):
    good = {"format": "1", "name": "n", "task": "t", "network": "fast", "config": "{}"}
    del good[missing]
    refused(metadata_file(tmp_path / "a.safetensors", **good))


def test_a_number_of_pictures_that_is_none_is_refused(tmp_path):
    good = {"format": "1", "name": "n", "task": "t", "network": "fast"}
    for number, value in enumerate(("many", None, [3], 0, -2)):
        path = tmp_path / f"{number}.safetensors"
        refused(metadata_file(path, **good, config=json.dumps({"pictures": value})))


def test_the_tiny_model_is_one_that_a_converter_takes(tiny_model, tiny_card):
    card, state = load_model(tiny_model)
    assert (card.name, card.network) == (tiny_card.name, tiny_card.network)
    assert card.pictures == 3
    assert make_converter(card, state, torch.device("cpu")).qualities == 3


@pytest.mark.parametrize("claimed", [0, 1, 2**20 + 1, 2**63])
def test_a_header_is_not_parsed_that_is_longer_than_it_may_be(tmp_path, claimed):
    path = tmp_path / "a.safetensors"
    path.write_bytes(claimed.to_bytes(8, "little") + b"{" * 2**21)
    assert "not a safetensors file" in refused(path).message


@pytest.mark.parametrize(
    "config",
    [
        {"pictures": 5, "width": 10**6},
        {"pictures": 5, "depth": 10**12},
        {"pictures": 5, "ranks": [1] * 65},
        {"pictures": 5, "moduli": [[10**6]]},
        {"pictures": 5, "scale": float("inf")},
    ],
)
def test_no_memory_is_taken_for_what_a_description_claims(tmp_path, config):
    good = {"format": "1", "name": "n", "task": "t", "network": "adaptive"}
    path = metadata_file(tmp_path / "a.safetensors", **good, config=json.dumps(config))
    assert "damaged" in refused(path).message


def test_a_network_larger_than_its_weights_is_not_built(tiny_card, tiny_net, monkeypatch):
    from iiccli.inference import converter

    real, devices = converter.build, []

    def watched(network, config):
        devices.append(torch.zeros(1).device.type)
        return real(network, config)

    monkeypatch.setattr(converter, "build", watched)
    wide = replace(tiny_card, config={**tiny_card.config, "width": 4096, "depth": 4})
    with pytest.raises(ModelError, match="do not fit the network"):
        make_converter(wide, dict(tiny_net.state_dict()), torch.device("cpu"))
    assert devices == ["meta"]
