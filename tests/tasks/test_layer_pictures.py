"""Which pictures models for layers take, and layers out of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from iiccli.carrier import Header, contents, read_carrier
from iiccli.errors import DamagedCarrierError, ModelError
from iiccli.media.compositing import composed
from iiccli.tasks.conversion import conversion
from iiccli.tasks.layer_pictures import estimated_alpha, fed, layers_of, premultiplied, roles_of
from iiccli.tasks.layers import CONVERSION, LayersOptions, compose, outputs
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.zoo import catalogue
from iiccli.zoo.modelfile import Card
from tests.conftest import Pixels, psnr
from tests.iicnet_models import save_iicnet
from tests.tasks.stills import disc, picture, put

THREE = {"adaptive": "alpha", "transform": "alpha", "fast": "alpha", "iicnet": "premultiplied"}


def card(network: str, pictures: int) -> Card:
    return Card("m.v1", "layers", network, {"pictures": pictures})


@pytest.mark.parametrize("network", THREE)
def test_roles(network: str) -> None:
    assert roles_of(card(network, 3)) == ("composite", "background", THREE[network])
    assert roles_of(card(network, 2)) == ("composite", "background")
    assert roles_of(card(network, 4)) == ("composite", "background", "premultiplied", "alpha")
    for pictures in (1, 5):
        with pytest.raises(ModelError, match="cannot be layers"):
            roles_of(card(network, pictures))


def test_what_is_fed() -> None:
    front, back, alpha = picture(20, 30, 1), picture(20, 30, 2), disc(20, 30)
    known = {"composite": composed(front, back, alpha), "background": back, "alpha": alpha}
    given = fed(card("adaptive", 3), known)
    assert (given[0] == known["composite"]).all()
    assert (given[2] == alpha[..., None]).all()
    assert given[2].shape == (20, 30, 3)
    with pytest.raises(ModelError, match="no premultiplied is known"):
        fed(card("iicnet", 3), known)


def scene(seed: int = 1) -> tuple[Pixels, Pixels, Pixels, Pixels]:
    """Composite, background, foreground times alpha, and alpha."""
    front, back, alpha = picture(48, 64, seed), picture(48, 64, seed + 50), disc(48, 64)
    return composed(front, back, alpha), back, premultiplied(front, alpha), alpha


def test_alpha_out_of_a_premultiplied_foreground() -> None:
    composite, back, front, alpha = scene()
    found = estimated_alpha(composite, back, front)
    assert np.abs(found.astype(int) - alpha).mean() < 1
    noise = np.random.default_rng(0).normal(0, 2.5, (3, *composite.shape))
    noisy = [
        np.clip(p + n, 0, 255).round().astype(np.uint8)
        for p, n in zip((composite, back, front), noise, strict=True)
    ]
    found = estimated_alpha(noisy[0], noisy[1], noisy[2])
    assert np.abs(found.astype(int) - alpha).mean() < 4


def test_alpha_over_black() -> None:
    """The background says nothing there: what is not black is foreground."""
    front, alpha = picture(40, 40, 3), disc(40, 40)
    black = np.zeros_like(front)
    dot = premultiplied(front, alpha)
    found = estimated_alpha(composed(front, black, alpha), black, dot)
    assert (found[alpha > 128] == 255).all()
    assert (found[alpha == 0] == 0).all()


@pytest.mark.parametrize(
    "roles",
    [
        ("composite", "background", "alpha"),
        ("composite", "background", "premultiplied"),
        ("composite", "background", "premultiplied", "alpha"),
    ],
)
def test_layers_give_the_composite(roles: tuple[str, ...]) -> None:
    composite, back, front, alpha = scene(7)
    gray = np.repeat(alpha[..., None], 3, axis=2)
    known = {"composite": composite, "background": back, "premultiplied": front, "alpha": gray}
    layers = layers_of(roles, [known[role] for role in roles])
    assert layers is not None
    assert (composed(layers.foreground, layers.background, layers.alpha) == composite).all()
    assert psnr(premultiplied(layers.foreground, layers.alpha), front) > 38
    assert np.abs(layers.alpha.astype(int) - alpha).mean() < 1
    assert layers_of(roles[:2], [composite, back]) is None


@pytest.fixture
def only_these(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()

    def folders() -> Iterator[Path]:
        yield folder

    monkeypatch.setattr(catalogue, "folders", folders)
    return folder


@pytest.mark.parametrize("name", ["layers", "layers-2", "layers-4"])
def test_composing_with_an_imported_model(tmp_path: Path, only_these: Path, name: str) -> None:
    model = save_iicnet(only_these, name)
    front, alpha = picture(36, 40, 1), disc(36, 40)
    foreground = put(tmp_path / "f.png", np.dstack((front, alpha)))
    background = put(tmp_path / "b.png", picture(36, 40, 2))
    notes: list[str] = []
    loader = Loader(device="cpu")
    target = tmp_path / "c.png"
    options = LayersOptions(model=str(model))
    made = compose(foreground, background, target, options, loader, note=notes.append)
    carrier = read_carrier(made.path)
    assert carrier.header.valid == int(made.header.pictures) == len(roles_of(loader_card(loader)))
    restored = restore_pictures(loader, carrier)
    found = conversion("layers").outputs(carrier.header, restored)
    assert [o.name for o in found] == CONVERSION.names(carrier.header)
    assert [o.name for o in found] == [o.name for o in made.originals]
    if name == "layers-2":
        assert found[1].name == "composite"
        assert contents(carrier.header) == "a composite and its background"
        assert notes == [
            "iicnet-layers-2.v1 keeps no foreground: only background and composite will come back."
        ]
    else:
        assert found[1].alpha is not None
        whole = composed(found[1].pixels, found[0].pixels, found[1].alpha)
        assert (whole == restored.pictures[0]).all()


def loader_card(loader: Loader) -> Card:
    (model,) = loader._loaded.values()
    return model.converter.card


def test_a_model_without_foreground_is_not_chosen_unasked(tmp_path: Path, only_these: Path) -> None:
    save_iicnet(only_these, "layers-2")
    foreground = put(tmp_path / "f.png", np.dstack((picture(8, 8), disc(8, 8))))
    background = put(tmp_path / "b.png", picture(8, 8, 2))
    with pytest.raises(ModelError, match="No model for layers takes 3"):
        compose(foreground, background, tmp_path / "c.png", LayersOptions(), Loader(device="cpu"))


def test_fewer_pictures_than_the_model_takes() -> None:
    header = Header(
        task="layers", model="m", model_hash="0" * 64, size=(6, 4), pictures=4, reference=0, valid=2
    )
    for network, pictures in (("iicnet", 4), ("adaptive", 3)):
        lacking = RestoredPictures([picture(4, 6)] * 2, 0, None, card=card(network, pictures))
        with pytest.raises(DamagedCarrierError, match="holds no layers"):
            outputs(header, lacking)
