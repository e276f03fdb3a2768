"""Fitting to a size and back: every rule, every shape, and what four bytes can say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiccli.errors import UsageError
from iiccli.media.fitting import FIT_BYTES, MAX_SIDE, RULES, Fit, Rule, cropped, fit, unfit
from tests.media.conftest import psnr, smooth

SIDES = st.integers(1, 40)
SIZES = st.tuples(SIDES, SIDES)


@given(SIZES, SIZES, st.sampled_from(RULES))
def test_a_picture_of_any_size_comes_back_at_its_own(
    own: tuple[int, int], size: tuple[int, int], rule: Rule
) -> None:
    picture = smooth(own[1], own[0])
    fitted, how = fit(picture, size, rule)
    assert fitted.shape == (size[1], size[0], 3)
    assert Fit.from_bytes(how.to_bytes()) == how
    wanted = cropped(picture, size) if rule == "crop" else picture
    assert unfit(fitted, how).shape == wanted.shape


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("own", [(150, 100), (100, 150), (97, 61), (300, 290)])
@pytest.mark.parametrize("size", [(200, 120), (120, 200)])
def test_it_comes_back_as_it_was(own: tuple[int, int], size: tuple[int, int], rule: Rule) -> None:
    picture = smooth(own[1], own[0])
    fitted, how = fit(picture, size, rule)
    wanted = cropped(picture, size) if rule == "crop" else picture
    assert psnr(unfit(fitted, how), wanted) > 32


def test_what_lies_across_is_turned() -> None:
    assert fit(smooth(30, 40), (20, 30))[1].turned
    assert not fit(smooth(30, 40), (30, 20))[1].turned
    assert not fit(smooth(30, 30), (30, 20))[1].turned
    picture = smooth(30, 40)
    fitted, how = fit(picture, (30, 40))
    assert (fitted == np.rot90(picture)).all()
    assert (unfit(fitted, how) == picture).all()


def test_padding_keeps_proportions_and_goes_on_as_the_border_ends() -> None:
    picture = smooth(20, 20)
    fitted, how = fit(picture, (50, 20), "pad")
    assert how.padded
    assert how.inner((50, 20)) == (15, 0, 20, 20)
    assert (fitted[:, 15:35] == picture).all()
    assert (fitted[:, :15] == picture[:, :1]).all()
    assert (unfit(fitted, how) == picture).all()


def test_cropping_takes_the_middle() -> None:
    picture = smooth(20, 60)
    assert (cropped(picture, (10, 10)) == picture[:, 20:40]).all()
    assert (cropped(picture, (10, 20)) == picture[:, 10:50]).all()  # it will be turned
    assert (fit(picture, (20, 20), "crop")[0] == picture[:, 20:40]).all()


def test_four_bytes_say_it_all() -> None:
    for how in (Fit((1, 1)), Fit((MAX_SIDE, 2), turned=True), Fit((3, MAX_SIDE), padded=True)):
        assert len(how.to_bytes()) == FIT_BYTES
        assert Fit.from_bytes(how.to_bytes()) == how
    for nothing in (b"", b"\0" * 4, b"\0\1\0\0", b"\x80\0\x80\1", b"\1\1\1"):
        assert Fit.from_bytes(nothing) is None


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(UsageError, match="no rule 'squeeze'"):
        fit(smooth(4, 4), (4, 4), "squeeze")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cannot be fitted"):
        fit(np.zeros((1, MAX_SIDE + 1, 3), np.uint8), (4, 4))
    with pytest.raises(ValueError, match="not within"):
        Fit((0, 4))
