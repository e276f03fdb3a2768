"""Foregrounds of another size than the background: fitted to it, and back to their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.carrier import read_carrier
from iiccli.errors import InputError, UsageError
from iiccli.media.fitting import RULES, Rule
from iiccli.tasks import layer_placing
from iiccli.tasks.layer_placing import Cutout, check_placing, fitted, unfitted
from iiccli.tasks.layers import LayersOptions, compose, outputs
from iiccli.tasks.models import Loader
from iiccli.tasks.pairs import unfitted_second
from iiccli.tasks.pictures import restore_pictures
from iiccli.zoo import catalogue
from tests.conftest import psnr
from tests.tasks.stills import disc, picture, put, put_still_models

SIDES = st.integers(1, 40)
SIZES = st.tuples(SIDES, SIDES)


def silent(message: str) -> None:
    """Nobody listens."""


def cutout(width: int, height: int, seed: int = 1) -> Cutout:
    alpha = disc(height, width)
    alpha[height // 2, width // 2] = 255  # a disc of few pixels may be empty
    pixels = picture(height, width, seed)
    pixels[alpha == 0] = 0
    return Cutout(pixels, alpha)


@given(SIZES, SIZES, st.sampled_from(RULES))
def test_a_foreground_of_any_size_comes_back_at_its_own(
    own: tuple[int, int], size: tuple[int, int], rule: Rule
) -> None:
    whole = Cutout(np.full((own[1], own[0], 3), 90, np.uint8), np.full(own[::-1], 255, np.uint8))
    found = fitted(whole, "f.png", size, rule, silent)
    assert found.canvas.size == size
    assert found.essentials is not None
    back = unfitted(found.canvas, found.essentials)
    assert back.size == found.original.size
    if rule != "crop":
        assert back.size == own
    assert (back.alpha == 255).all()
    assert (back.pixels == 90).all()
    if rule != "pad":
        assert (found.canvas.alpha == 255).all()


@pytest.mark.parametrize("rule", RULES)
def test_it_comes_back_as_it_was(rule: Rule) -> None:
    own = cutout(60, 90)
    found = fitted(own, "f.png", (160, 120), rule, silent)
    assert found.essentials is not None
    back = unfitted(found.canvas, found.essentials)
    assert back.size == found.original.size == ((60, 45) if rule == "crop" else (60, 90))
    assert np.abs(back.alpha.astype(int) - found.original.alpha).mean() < 2
    opaque = found.original.alpha == 255
    assert psnr(back.pixels[opaque], found.original.pixels[opaque]) > 28


def test_borders_are_clear_and_of_the_proportions() -> None:
    opaque = Cutout(np.full((30, 10, 3), 7, np.uint8), np.full((30, 10), 255, np.uint8))
    canvas = fitted(opaque, "f.png", (100, 60), "pad", silent).canvas
    assert (canvas.alpha[:, 40:60] == 255).all()
    assert not canvas.alpha[:, :40].any()
    assert not canvas.alpha[:, 60:].any()
    assert not canvas.pixels[:, :40].any()


@pytest.mark.parametrize("own", [(0, 5), (5, 0), (2**31 - 1, 2**31 - 1), (2**14, 2**14)])
def test_a_header_that_claims_what_cannot_be_is_passed_over(own: tuple[int, int]) -> None:
    canvas = cutout(24, 16)
    for flag in (0, layer_placing._PADDED):
        wrong = layer_placing._ESSENTIALS.pack(24, 16, own[0], own[1] | flag)
        assert unfitted(canvas, wrong) is canvas
    assert unfitted(canvas, b"") is canvas


def test_a_long_side_of_a_pair_with_borders_is_no_trap() -> None:
    """A header may claim a side that no `Fit` can hold."""
    back = unfitted_second(picture(8, 5000), (40000, 2), padded=True)
    assert back.shape == (2, 40000, 3)


def test_what_excludes_one_another() -> None:
    check_placing((1, 2), True, None)
    check_placing(None, False, "pad")
    for position, resizing, word in (((0, 0), False, "--position"), (None, True, "--resize")):
        with pytest.raises(UsageError, match=f"{word} means nothing"):
            check_placing(position, resizing, "crop")
    with pytest.raises(UsageError, match="no way 'bend'"):
        check_placing(None, False, "bend")  # type: ignore[arg-type]


def test_what_cannot_be_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    clear = Cutout(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8))
    with pytest.raises(UsageError, match=r"Nothing of f\.png is seen") as caught:
        fitted(clear, "f.png", (8, 8), "stretch", silent)
    assert caught.value.hint == "It is wholly transparent."
    corner = cutout(90, 10)
    corner.alpha[:] = 0
    corner.alpha[:, 0] = 255
    with pytest.raises(UsageError, match="Nothing of") as caught:
        fitted(corner, "f.png", (8, 8), "crop", silent)
    assert "--fit" in caught.value.hint
    monkeypatch.setattr(layer_placing, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match=r"f\.png is too large to be fitted: 24×16"):
        fitted(cutout(24, 16), "f.png", (8, 8), "stretch", silent)


# whole composites


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_still_models(tmp_path_factory.mktemp("layer-models"), tiny_models)


@pytest.fixture
def only_these(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)


@pytest.mark.usefixtures("only_these")
@pytest.mark.parametrize("rule", RULES)
def test_a_composite_gives_both_layers_at_their_own_sizes(tmp_path: Path, rule: Rule) -> None:
    loader = Loader(device="cpu")
    front = put(tmp_path / "f.png", np.dstack((picture(70, 40, 1), disc(70, 40))))
    behind = put(tmp_path / "b.png", picture(64, 96))
    notes: list[str] = []
    made = compose(
        *(front, behind, tmp_path / "c.png", LayersOptions(fit=rule), loader), note=notes.append
    )
    assert len(notes) == 1
    assert notes[0].startswith("f.png: ")
    carrier = read_carrier(made.path)
    background, foreground = outputs(carrier.header, restore_pictures(loader, carrier))
    wanted = made.originals[1]
    assert background.pixels.shape == (64, 96, 3)
    assert foreground.pixels.shape == wanted.pixels.shape
    assert foreground.alpha is not None
    assert wanted.alpha is not None
    assert foreground.alpha.shape == ((27, 40) if rule == "crop" else (70, 40))
    assert np.abs(foreground.alpha.astype(int) - wanted.alpha).mean() < 0.03 * 255
