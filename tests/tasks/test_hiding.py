"""Hiding: every size and number, stripped carriers, headers that lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import iiccli
from iiccli.carrier import Header, read_carrier
from iiccli.errors import (
    InputError,
    ModelError,
    NotACarrierError,
    OutputExistsError,
    UsageError,
)
from iiccli.media.fitting import MAX_SIDE, Fit, cropped
from iiccli.tasks import hiding
from iiccli.tasks.hiding import HideOptions, essentials_of, hide, outputs
from iiccli.tasks.models import Loader
from iiccli.tasks.pictures import RestoredPictures, restore_pictures
from iiccli.tasks.unmarked import Told
from iiccli.zoo import catalogue
from tests.conftest import Pixels, psnr
from tests.tasks.stills import picture, put, put_still_models

PLAIN = HideOptions()


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_still_models(tmp_path_factory.mktemp("hide-models"), tiny_models)


@pytest.fixture(autouse=True)
def only_these(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.fixture
def loader() -> Loader:
    return Loader(device="cpu")


def back(loader: Loader, path: Path) -> dict[str, Pixels]:
    carrier = read_carrier(path)
    found = outputs(carrier.header, restore_pictures(loader, carrier))
    return {output.name: output.pixels for output in found}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_secrets_of_any_size_come_back_at_their_own(
    tmp_path: Path, loader: Loader, count: int
) -> None:
    cover = put(tmp_path / "cover.png", picture(64, 96))
    sizes = [(64, 96), (96, 64), (41, 77), (120, 130)][:count]
    secrets = [put(tmp_path / f"{i}.png", picture(*size, i + 1)) for i, size in enumerate(sizes)]
    notes: list[str] = []
    made = hide(cover, secrets, tmp_path / "c.png", PLAIN, loader, note=notes.append)
    assert made.header.valid == 1 + count
    assert made.header.pictures == (3 if count <= 2 else 5)
    assert psnr(made.pixels, made.cover) > 42.5
    found = back(loader, made.path)
    assert list(found) == [output.name for output in made.originals]
    assert list(found) == hiding.CONVERSION.names(made.header)
    for output in made.originals:
        assert found[output.name].shape == output.pixels.shape
        assert psnr(found[output.name], output.pixels) > 24
    filled = [note for note in notes if "filled up with blank pictures" in note]
    assert len(filled) == count % 2


@pytest.mark.parametrize("rule", ["stretch", "crop", "pad"])
def test_stripped_carriers_know_the_sizes_and_the_rule(
    tmp_path: Path, loader: Loader, rule: str
) -> None:
    cover = put(tmp_path / "cover.png", picture(64, 96))
    secret = picture(90, 50, 1)
    options = HideOptions(fit=rule)
    made = hide(cover, [put(tmp_path / "s.png", secret)], tmp_path / "c.png", options, loader)
    Image.fromarray(made.pixels).save(tmp_path / "stripped.png")
    assert read_carrier(tmp_path / "stripped.png").state == "stripped"
    found = back(loader, tmp_path / "stripped.png")["secret-1"]
    wanted = cropped(secret, (96, 64)) if rule == "crop" else secret
    assert found.shape == wanted.shape
    assert psnr(found, wanted) > 26
    assert (made.originals[0].pixels == wanted).all()


@pytest.mark.parametrize("size", [(1, 50), (9, 9), (17, 33)])
def test_covers_of_any_size(tmp_path: Path, loader: Loader, size: tuple[int, int]) -> None:
    cover = put(tmp_path / "cover.png", picture(*size))
    secrets = [put(tmp_path / "s.png", picture(20, 30)), put(tmp_path / "t.png", picture(1, 1))]
    made = hide(cover, secrets, tmp_path / "c.png", PLAIN, loader)
    shapes = [pixels.shape for pixels in back(loader, made.path).values()]
    assert shapes == [(20, 30, 3), (1, 1, 3), (*size, 3)]


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_a_cover_that_holds_nothing_is_refused(
    tmp_path: Path, loader: Loader, size: tuple[int, int]
) -> None:
    cover = put(tmp_path / "cover.png", picture(*size))
    with pytest.raises(InputError, match=f"{size[1]}×{size[0]} pixels is too small to hold"):
        hide(cover, [cover, cover], tmp_path / "c.png", PLAIN, loader)
    assert not (tmp_path / "c.png").exists()


def test_what_a_large_secret_loses_is_said(tmp_path: Path, loader: Loader) -> None:
    cover = put(tmp_path / "cover.png", picture(32, 48))
    secret = put(tmp_path / "s.png", picture(192, 128, 1))
    notes: list[str] = []
    hide(cover, [secret], tmp_path / "c.png", PLAIN, loader, note=notes.append)
    assert (
        "s.png: 128×192 is kept at 32×48, 6 % of its pixels, so it comes back with less detail; "
        "a larger cover keeps more." in notes
    )
    notes.clear()
    options = HideOptions(fit="crop")
    secret = put(tmp_path / "s.png", picture(32, 96, 1))
    hide(cover, [secret], tmp_path / "d.png", options, loader, note=notes.append)
    assert "s.png: 50 % of it was cut to the cover's proportions." in notes


def test_a_secrets_transparency_goes_onto_white_and_is_said(tmp_path: Path, loader: Loader) -> None:
    clear = np.dstack((picture(32, 48), np.zeros((32, 48), np.uint8)))
    cover, secret = put(tmp_path / "cover.png", clear), put(tmp_path / "s.png", clear)
    notes: list[str] = []
    made = hide(cover, [secret], tmp_path / "c.png", PLAIN, loader, note=notes.append)
    assert (made.originals[0].pixels == 255).all()
    assert notes[:1] == ["s.png: its transparent parts were put on white."]
    carrier = read_carrier(made.path)
    assert carrier.alpha is not None  # the cover's own stays, and its colours under it
    assert not carrier.alpha.any()
    assert (made.cover == clear[..., :3]).all()


def test_without_header_nothing_tells_and_the_command_restores(
    tmp_path: Path, loader: Loader
) -> None:
    cover = put(tmp_path / "cover.png", picture(64, 96))
    secret = picture(90, 50, 1)
    options = HideOptions(quality="content", fit="pad", header=False)
    notes: list[str] = []
    path = tmp_path / "c.png"
    made = hide(cover, [put(tmp_path / "s.png", secret)], path, options, loader, note=notes.append)
    assert notes[-1] == (
        f"iic restore {path} --task hide --secrets 1 --model hide-2.v1 --quality content "
        "--size 50x90 --fit pad"
    )
    assert essentials_of([(50, 90)], (96, 64), "pad") == made.header.essentials
    with pytest.raises(UsageError, match="size is impossible"):
        essentials_of([(0, 90)], (96, 64), "pad")
    assert b"iic" not in path.read_bytes()


def test_without_header_through_the_python_api(tmp_path: Path) -> None:
    cover = put(tmp_path / "cover.png", picture(64, 96))
    secret = put(tmp_path / "s.png", picture(90, 50, 1))
    path = tmp_path / "c.png"
    iiccli.hide(cover, secret, path, header=False)
    with pytest.raises(NotACarrierError):
        iiccli.restore(path)
    told = Told(1, sizes=((50, 90),))
    found, again = iiccli.restore(path, told=told)
    assert psnr(found, picture(90, 50, 1)) > 24
    assert psnr(again, picture(64, 96)) > 40
    report = iiccli.restore(path, tmp_path / "back.png", told=told)
    assert (report.names, report.states) == (("secret-1",), ["told"])
    with pytest.raises(UsageError, match="there are 2"):
        iiccli.restore([path, cover], told=told)


def test_what_cannot_be_hidden(tmp_path: Path, loader: Loader) -> None:
    cover = put(tmp_path / "cover.png", picture(8, 8))
    target = tmp_path / "c.png"
    for count in (0, 5):
        with pytest.raises(UsageError, match=f"{count} pictures cannot be hidden"):
            hide(cover, [cover] * count, target, PLAIN, loader)
    with pytest.raises(UsageError, match="no way 'squeeze'"):
        hide(cover, [cover], target, HideOptions(fit="squeeze"), loader)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no quality 'best'"):
        hide(cover, [cover], target, HideOptions(quality="best"), loader)
    with pytest.raises(UsageError, match="one of the inputs"):
        hide(cover, [cover], cover, PLAIN, loader, force=True)
    with pytest.raises(InputError, match="does not exist"):
        hide(cover, [tmp_path / "none.png"], target, PLAIN, loader)
    with pytest.raises(ModelError, match=r"layers\.v1 is for layers, not for hide"):
        hide(cover, [cover], target, HideOptions(model="layers"), loader)
    with pytest.raises(ModelError, match=r"hide-2\.v1 takes 2 secrets, not 3"):
        hide(cover, [cover] * 3, target, HideOptions(model="hide-2"), loader)
    long = put(tmp_path / "long.png", np.zeros((1, MAX_SIDE + 1, 3), np.uint8))
    with pytest.raises(InputError, match="too large to be hidden: 32768×1"):
        hide(cover, [long], target, PLAIN, loader)
    assert not target.exists()
    target.write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        hide(cover, [cover], target, PLAIN, loader)
    assert target.read_bytes() == b"mine"


def test_no_model_for_so_many(
    tmp_path: Path, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    cover = put(tmp_path / "cover.png", picture(8, 8))
    monkeypatch.setattr(catalogue, "folders", lambda: iter([tmp_path]))
    with pytest.raises(ModelError, match="no model that hides 3 secrets"):
        hide(cover, [cover] * 3, tmp_path / "c.png", PLAIN, loader)


def test_a_header_that_lies() -> None:
    """Sizes that are missing, zero or monstrous leave the secrets as large as the carrier."""
    header = Header(
        task="hide",
        model="x",
        model_hash="0" * 64,
        size=(6, 4),
        pictures=3,
        reference=0,
        valid=3,
    )
    pictures = [picture(4, 6, i) for i in range(3)]
    restored = RestoredPictures(pictures, 0, None)
    huge = Fit((MAX_SIDE, MAX_SIDE)).to_bytes()
    for essentials in (b"", b"\0" * 16, b"\1", huge * 2, b"\xff" * 16):
        found = outputs(replace(header, essentials=essentials), restored)
        assert [output.pixels.shape for output in found] == [(4, 6, 3)] * 3
    # Fewer pictures than the header says.
    (alone,) = outputs(header, RestoredPictures(pictures[:1], 0, None))
    assert alone.name == "cover"
