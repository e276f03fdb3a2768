"""Official checkpoints become model files; see `test_official` for reading them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from iiccli.errors import ModelError, OutputError, OutputExistsError, UsageError
from iiccli.networks.iicnet import IICNet, IICNetConfig
from iiccli.zoo.importing import TASKS, import_official
from iiccli.zoo.modelfile import load_model, sha256


def checkpoint(path: Path, **options: object) -> IICNet:
    torch.manual_seed(0)
    net = IICNet(IICNetConfig(**options))  # type: ignore[arg-type]
    torch.save(net.state_dict(), path)
    return net


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("video", {"pictures": 3, "blocks": 2, "relation": True, "relation_features": 4}),
        ("video", {"pictures": 5, "blocks": 1, "relation": True, "relation_features": 2}),
        ("gray", {"pictures": 1, "blocks": 2, "relation": False, "out_channels": 1}),
        (
            "rescale",
            {
                "pictures": 1,
                "blocks": 2,
                "relation": False,
                "downscale": "squeeze",
                "conv1x1": True,
                "order": "hl",
            },
        ),
    ],
)
def test_a_checkpoint_becomes_a_model(
    tmp_path: Path, task: str, options: dict[str, object]
) -> None:
    net = checkpoint(tmp_path / "official.pth", **options)
    target = tmp_path / "new" / "mine.v1.safetensors"
    card, digest = import_official(tmp_path / "official.pth", target, task)
    assert digest == sha256(target)
    again, state = load_model(target)
    assert again == card
    assert (card.name, card.task, card.network, card.colour) == ("mine.v1", task, "iicnet", "BGR")
    assert card.reference == ("middle" if task == "video" else "first")
    assert card.recipe == {"imported_from": "official.pth"}
    for name, value in options.items():
        assert card.config[name] == value
    copy = IICNet(IICNetConfig(**card.config))
    copy.load_state_dict(state)
    x = torch.rand(1, 3 * net.config.pictures, 8, 8)
    with torch.no_grad():
        assert torch.equal(copy.embed(x), net.embed(x))
    assert set(card.config) == set(asdict(net.config))


def test_what_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "official.pth", tmp_path / "m.safetensors"
    checkpoint(source, pictures=3, blocks=1, relation=False)
    with pytest.raises(UsageError, match="no task 'dance'") as caught:
        import_official(source, target, "dance")
    assert all(task in caught.value.hint for task in TASKS)
    with pytest.raises(UsageError, match="no channel order"):
        import_official(source, target, "video", order="up")
    with pytest.raises(UsageError, match=r"NAME\.safetensors"):
        import_official(source, tmp_path / "m.pth", "video")
    with pytest.raises(ModelError):
        import_official(tmp_path / "none.pth", target, "video")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="not a folder"):
        import_official(source, tmp_path / "file" / "m.safetensors", "video")
    target.write_text("mine")
    with pytest.raises(OutputExistsError):
        import_official(source, target, "video", pictures=3)
    assert target.read_text() == "mine"
    import_official(source, target, "video", pictures=3, force=True)
    assert load_model(target)[0].pictures == 3
