"""Layers: where a foreground goes, what comes back, and that it gives the composite again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import Header, read_carrier
from iiccli.errors import (
    DamagedCarrierError,
    InputError,
    ModelError,
    NotACarrierError,
    UsageError,
)
from iiccli.media.compositing import composed
from iiccli.tasks.conversion import Made, Output
from iiccli.tasks.hiding import HideOptions, hide
from iiccli.tasks.layers import CONVERSION, LayersOptions, check_composite, compose, outputs
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.zoo import catalogue
from tests.conftest import Pixels, psnr
from tests.tasks.stills import disc, picture, put, put_still_models

PLAIN = LayersOptions()


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_still_models(tmp_path_factory.mktemp("layer-models"), tiny_models)


@pytest.fixture(autouse=True)
def only_these(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.fixture
def loader() -> Loader:
    return Loader(device="cpu")


@pytest.fixture
def background(tmp_path: Path) -> Path:
    return put(tmp_path / "background.png", picture(64, 96))


def cut_out(path: Path, height: int, width: int, seed: int = 1) -> Path:
    return put(path, np.dstack((picture(height, width, seed), disc(height, width))))


def back(loader: Loader, made: Made) -> tuple[list[Output], Pixels]:
    """What comes back, and the composite that the network gives back."""
    carrier = read_carrier(made.path)
    restored = restore_pictures(loader, carrier)
    return outputs(carrier.header, restored), restored.pictures[0]


def test_layers_come_back_and_give_the_composite(
    tmp_path: Path, loader: Loader, background: Path
) -> None:
    made = compose(
        cut_out(tmp_path / "f.png", 64, 96), background, tmp_path / "c.png", PLAIN, loader
    )
    (behind, front), composite = back(loader, made)
    assert [behind.name, front.name] == list(CONVERSION.names(made.header))
    assert behind.alpha is None
    assert front.alpha is not None
    assert (composed(front.pixels, behind.pixels, front.alpha) == composite).all()
    assert psnr(composite, made.cover) > 40
    whole_behind, whole_front = made.originals
    assert psnr(behind.pixels, whole_behind.pixels) > 28
    assert whole_front.alpha is not None
    assert np.abs(front.alpha.astype(int) - whole_front.alpha).mean() < 0.02 * 255
    opaque = whole_front.alpha == 255
    assert psnr(front.pixels[opaque], whole_front.pixels[opaque]) > 35


def test_a_smaller_foreground_is_centred(tmp_path: Path, loader: Loader, background: Path) -> None:
    path = cut_out(tmp_path / "f.png", 20, 30)
    notes: list[str] = []
    made = compose(path, background, tmp_path / "c.png", PLAIN, loader, note=notes.append)
    alpha = made.originals[1].alpha
    assert alpha is not None
    assert (alpha[22:42, 33:63] == disc(20, 30)).all()
    assert alpha.sum() == disc(20, 30).sum()
    assert notes == []
    assert (made.originals[1].pixels[alpha == 0] == 0).all()


def test_what_reaches_beyond_is_cut_and_said(
    tmp_path: Path, loader: Loader, background: Path
) -> None:
    path = cut_out(tmp_path / "f.png", 128, 96)
    notes: list[str] = []
    compose(path, background, tmp_path / "c.png", PLAIN, loader, note=notes.append)
    assert notes == [
        "f.png: 50 % of its area reaches beyond the background (96×128 at 0,-32 on 96×64) and was "
        "cut; --resize would fit it."
    ]
    options = LayersOptions(position=(-48, 0))
    made = compose(path, background, tmp_path / "d.png", options, loader, note=notes.append)
    alpha = made.originals[1].alpha
    assert alpha is not None
    assert (alpha[:, :48] == disc(128, 96)[:64, 48:]).all()
    assert not alpha[:, 48:].any()
    assert notes[-1].startswith("f.png: 75 % of its area")


def test_resizing_fits_it_and_keeps_its_edge_clean(
    tmp_path: Path, loader: Loader, background: Path
) -> None:
    """Colours of transparent pixels must not bleed into the edge."""
    red = np.zeros((200, 100, 3), np.uint8)
    red[disc(200, 100) > 0] = (255, 0, 0)
    red[disc(200, 100) == 0] = (0, 255, 0)
    path = put(tmp_path / "f.png", np.dstack((red, disc(200, 100))))
    notes: list[str] = []
    made = compose(
        *(path, background, tmp_path / "c.png", LayersOptions(resize=True), loader),
        note=notes.append,
    )
    assert notes == ["f.png: resized from 100×200 to 32×64."]
    front = made.originals[1]
    assert front.alpha is not None
    seen = front.pixels[front.alpha > 16].astype(int)
    assert (seen[:, 1] < 16).all()
    assert (seen[:, 0] > 239).all()


def test_a_mask_of_its_own_file(tmp_path: Path, loader: Loader, background: Path) -> None:
    plain = put(tmp_path / "f.png", picture(64, 96, 1))
    target, alpha = tmp_path / "c.png", disc(64, 96)
    with pytest.raises(InputError, match=r"f\.png has no transparency"):
        compose(plain, background, target, PLAIN, loader)
    masks = {
        "gray.png": alpha,
        "rgb.png": np.repeat(alpha[..., None], 3, axis=2),
        "own.png": np.dstack((picture(64, 96), alpha)),
        "colour.png": np.dstack((alpha, alpha, np.roll(alpha, 1, axis=1))),
        "deep.png": alpha.astype(np.uint16) * 257,
    }
    for name, pixels in masks.items():
        notes: list[str] = []
        mask = put(tmp_path / name, pixels)
        made = compose(
            *(plain, background, target, PLAIN, loader),
            alpha=mask,
            force=True,
            note=notes.append,
        )
        found = made.originals[1].alpha
        assert found is not None
        assert np.abs(found.astype(int) - alpha).max() <= (0 if name != "colour.png" else 12)
        assert len(notes) == (0 if name in ("gray.png", "rgb.png") else 1)
    wrong = put(tmp_path / "wrong.png", disc(63, 96))
    with pytest.raises(InputError, match=r"wrong\.png is 96×63, but .*f\.png is 96×64"):
        compose(plain, background, target, PLAIN, loader, alpha=wrong, force=True)
    notes = []
    compose(
        *(cut_out(tmp_path / "g.png", 64, 96), background, target, PLAIN, loader),
        alpha=tmp_path / "gray.png",
        force=True,
        note=notes.append,
    )
    assert notes == ["g.png: its own transparency gives way to gray.png."]


def test_what_cannot_be_composed(tmp_path: Path, loader: Loader, background: Path) -> None:
    path, target = cut_out(tmp_path / "f.png", 20, 30), tmp_path / "c.png"
    with pytest.raises(UsageError, match=r"Nothing of f\.png is seen") as caught:
        compose(path, background, target, LayersOptions(position=(96, 0)), loader)
    assert "--position" in caught.value.hint
    clear = put(tmp_path / "clear.png", np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(UsageError, match=r"Nothing of clear\.png") as caught:
        compose(clear, background, target, PLAIN, loader)
    assert "wholly transparent" in caught.value.hint
    for source in (path, background):
        with pytest.raises(UsageError, match="one of the inputs"):
            compose(path, background, source, PLAIN, loader, force=True)
    with pytest.raises(ModelError, match=r"hide-2\.v1 is for hide, not for layers"):
        compose(path, background, target, LayersOptions(model="hide-2"), loader)
    assert not target.exists()


@pytest.mark.parametrize("size", [(9, 9), (1, 40), (37, 53)])
def test_backgrounds_of_any_size(tmp_path: Path, loader: Loader, size: tuple[int, int]) -> None:
    behind = put(tmp_path / "b.png", picture(*size))
    half = np.full((*size, 4), 128, np.uint8)
    made = compose(put(tmp_path / "f.png", half), behind, tmp_path / "c.png", PLAIN, loader)
    found, composite = back(loader, made)
    assert found[1].alpha is not None
    assert (composed(found[1].pixels, found[0].pixels, found[1].alpha) == composite).all()


def test_only_composites_are_taken_apart(tmp_path: Path, loader: Loader, background: Path) -> None:
    made = compose(
        cut_out(tmp_path / "f.png", 64, 96), background, tmp_path / "c.png", PLAIN, loader
    )
    check_composite(made.path)
    Image.fromarray(made.pixels).save(tmp_path / "stripped.png")
    check_composite(tmp_path / "stripped.png")
    with pytest.raises(NotACarrierError, match="no composite that can be taken apart") as caught:
        check_composite(background)
    assert "iic compose" in caught.value.hint
    other = hide(background, [background], tmp_path / "h.png", HideOptions(), loader)
    with pytest.raises(UsageError, match=r"h\.png is no composite: it holds a hidden") as found:
        check_composite(other.path)
    assert found.value.hint == f"Use: iic restore {other.path}"


def test_a_header_that_promises_too_little() -> None:
    header = Header(
        task="layers",
        model="x",
        model_hash="0" * 64,
        size=(6, 4),
        pictures=3,
        reference=0,
        valid=2,
    )
    with pytest.raises(DamagedCarrierError, match="no layers"):
        outputs(header, RestoredPictures([picture(4, 6)] * 2, 0, None))
