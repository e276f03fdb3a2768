"""Official checkpoints: what they are is found from names and shapes; what they are not is told."""

import dataclasses
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from iiccli.errors import ModelError
from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.zoo.official import infer_config, load_official
from tests.networks.iicnet_parity import FACTS, fill, official_shapes

OFFICIAL = {
    "st-01": IICNetConfig(pictures=5, blocks=10),
    "supp-gray-01": IICNetConfig(pictures=1, blocks=16, out_channels=1),
    "supp-sr-01": IICNetConfig(pictures=1, blocks=16, downscale="squeeze", order="hl"),
}
SMALL = IICNetConfig(pictures=2, blocks=2, relation_features=8, downscale="haar")
KNOWN_BY_SHAPES = [
    SMALL,
    dataclasses.replace(SMALL, order="hl"),
    dataclasses.replace(SMALL, conv1x1=False),
    dataclasses.replace(SMALL, downscale="squeeze", conv1x1=False),
    dataclasses.replace(SMALL, downscale="squeeze", out_channels=1),
    dataclasses.replace(SMALL, pictures=4),
    IICNetConfig(pictures=9, blocks=1, relation_features=8),
    IICNetConfig(pictures=9, blocks=3, relation=False),
    IICNetConfig(pictures=4, blocks=1, relation=False),
    IICNetConfig(pictures=3, blocks=11, relation=False, downscale="squeeze"),
    IICNetConfig(pictures=2, blocks=1, relation=False, downscale="squeeze", conv1x1=False),
    IICNetConfig(pictures=7, blocks=1, relation=False, downscale="haar", order="hl"),
]


def shapes_of(config: IICNetConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in IICNet(config).state_dict().items()}


def weights_of(config: IICNetConfig) -> dict[str, torch.Tensor]:
    return IICNet(config).state_dict() | fill(shapes_of(config))


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_configurations_are_inferred_from_their_keys(name: str):
    assert infer_config(official_shapes(name)) == OFFICIAL[name]


@pytest.mark.parametrize("config", KNOWN_BY_SHAPES)
def test_other_configurations_are_inferred(config: IICNetConfig):
    assert infer_config(shapes_of(config)) == config


def test_what_shapes_do_not_tell_can_be_told():
    four = IICNetConfig(pictures=4, blocks=1, relation_features=8, downscale="haar", order="hl")
    assert infer_config(shapes_of(four)) == dataclasses.replace(four, order="ref")
    assert infer_config(shapes_of(four), order="hl") == four
    gray = dataclasses.replace(SMALL, order="hl", out_channels=1)
    assert infer_config(shapes_of(gray)) == dataclasses.replace(gray, out_channels=3)
    assert infer_config(shapes_of(gray), out_channels=1) == gray
    one = IICNetConfig(1, 1, relation=False, downscale="squeeze", order="hl", conv1x1=False)
    assert infer_config(shapes_of(one)).pictures == 4
    assert infer_config(shapes_of(one), pictures=1) == one
    with pytest.raises(ModelError, match="fit no IICNet with pictures 3"):
        infer_config(shapes_of(SMALL), pictures=3)


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_checkpoint_loads_and_computes_what_the_official_network_does(name: str, tmp_path: Path):
    torch.set_num_threads(1)
    path = tmp_path / f"{name}.pth"
    torch.save(fill(official_shapes(name)), path)
    config, state = load_official(path)
    net = IICNet(config).eval()
    net.load_state_dict(state)
    facts = load_file(FACTS / f"{name}.safetensors")
    with torch.inference_mode():
        torch.testing.assert_close(net.embed(facts["input"]), facts["embedding"], atol=1e-4, rtol=0)
        torch.testing.assert_close(
            net.restore(facts["embedding_8bit"]), facts["restored"], atol=1e-4, rtol=0
        )


def test_all_ways_of_wrapping(tmp_path: Path):
    weights = weights_of(SMALL)
    prefixed = {f"module.{name}": tensor for name, tensor in weights.items()}
    wrapped = {
        "bare": weights,
        "state_dict": {"epoch": 3, "state_dict": weights},
        "params": {"params": prefixed},
        "prefixed": prefixed,
        "half": {name: tensor.half() for name, tensor in weights.items()},
    }
    for name, content in wrapped.items():
        path = tmp_path / f"{name}.pth"
        torch.save(content, path)
        config, state = load_official(path)
        assert config == SMALL, name
        assert list(state) == list(weights), name
        tolerance = 2e-3 if name == "half" else 0
        for key, tensor in state.items():
            assert tensor.dtype == torch.float32
            torch.testing.assert_close(tensor, weights[key], atol=tolerance, rtol=0)
    assert infer_config({k: v.shape for k, v in prefixed.items()}) == SMALL
    torch.save(weights, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert load_official(tmp_path / "old.pth")[0] == SMALL
    save_file(weights, tmp_path / "same.safetensors")
    assert load_official(tmp_path / "same.safetensors")[0] == SMALL


def test_haar_filters_may_be_there_once_or_per_channel(tmp_path: Path):
    weights = weights_of(SMALL)
    name = "1.operations.0.haar_weights"
    path = tmp_path / "net.pth"
    torch.save(weights | {name: weights[name][:4]}, path)
    config, state = load_official(path)
    IICNet(config).load_state_dict(state)
    torch.save(weights | {name: -weights[name]}, path)
    with pytest.raises(ModelError, match="Haar filters"):
        load_official(path)


class RunsCode:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of a checkpoint was run')",)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_and_not_run(zipped: bool, tmp_path: Path):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": RunsCode()}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match="more than weights") as caught:
        load_official(path)
    assert caught.value.hint


def test_plain_pickled_code_is_refused_and_not_run(tmp_path: Path):
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(RunsCode(), protocol=2))
    with pytest.raises(ModelError):
        load_official(path)


def whole_file(tmp_path: Path) -> bytes:
    torch.save(weights_of(SMALL), tmp_path / "whole.pth")
    return (tmp_path / "whole.pth").read_bytes()


def test_files_that_are_no_checkpoints(tmp_path: Path):
    whole = whole_file(tmp_path)
    contents = {
        "empty.pth": b"",
        "text.pth": b"hello",
        "html.pth": b"<!DOCTYPE html><html>Quota exceeded</html>",
        "cut.pth": whole[: len(whole) // 2],
        "other.safetensors": b"\x10" * 100,
        "empty.safetensors": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="not a PyTorch checkpoint") as caught:
            load_official(tmp_path / name)
        assert name in caught.value.message
        assert caught.value.hint
    with pytest.raises(ModelError, match="no file"):
        load_official(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, torch.zeros(2), {"state_dict": {}}])
def test_contents_that_are_no_state_dict(content: object, tmp_path: Path):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(ModelError, match="not a state dict"):
        load_official(tmp_path / "x.pth")


def test_missing_unexpected_and_ill_shaped_entries_are_named():
    shapes = shapes_of(SMALL)
    lacking = {k: v for k, v in shapes.items() if not k.startswith("0.back_rel.DB_tails.1")}
    with pytest.raises(ModelError, match=r"lacks 0\.back_rel\.DB_tails\.1\.conv1\.weight.*7 more"):
        infer_config(lacking)
    with pytest.raises(ModelError, match=r"no IICNet has: 5\.extra\.$"):
        infer_config(shapes | {"5.extra": (1,)})
    with pytest.raises(ModelError, match=r"conv3\.weight has the shape \(32, 5, 3, 3\)"):
        infer_config(shapes | {"2.operations.1.H.conv3.weight": (32, 5, 3, 3)})
    with pytest.raises(ModelError, match="coupling blocks"):
        infer_config({"conv.weight": (3, 3, 3, 3)})
    with pytest.raises(ModelError, match="coupling blocks"):
        infer_config({})
    with pytest.raises(ModelError, match="fit no IICNet"):
        infer_config(shapes | {"2.operations.0.F.conv5.weight": (5, 1, 3, 3)})


def test_the_file_is_named_when_its_shapes_do_not_fit(tmp_path: Path):
    torch.save({"conv.weight": torch.zeros(3, 3)}, tmp_path / "resnet.pth")
    with pytest.raises(ModelError, match=r"resnet\.pth: .*coupling blocks"):
        load_official(tmp_path / "resnet.pth")


def test_tensors_that_claim_more_than_the_file_holds(tmp_path: Path):
    """Strides of zero: a few bytes that say they are a large network."""
    weights = {
        key: torch.zeros(1).expand(shape) for key, shape in shapes_of(OFFICIAL["st-01"]).items()
    }
    torch.save(weights, tmp_path / "bomb.pth")
    with pytest.raises(ModelError, match="claim to be larger than the file"):
        load_official(tmp_path / "bomb.pth")


def test_an_archive_that_unpacks_to_more_is_not_unpacked(tmp_path: Path):
    path = tmp_path / "packed.pth"
    whole = tmp_path / "whole.pth"
    torch.save(weights_of(SMALL), whole)
    with zipfile.ZipFile(whole) as stored, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in stored.infolist():
            new.writestr(entry.filename, stored.read(entry))
    with pytest.raises(ModelError, match="not a PyTorch checkpoint"):
        load_official(path)


def test_names_that_count_to_a_thousand_million_are_not_believed():
    shapes = shapes_of(SMALL)
    with pytest.raises(ModelError, match="lacks coupling blocks"):
        infer_config(shapes | {"2.operations.1000000000.F.conv1.weight": (1, 1, 3, 3)})
