"""`iic dual-view`, and both views back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier
from iiccli.tasks.dual_view import zoom_of
from iiccli.zoo import catalogue
from tests.cli.conftest import Iic, nothing_new
from tests.conftest import Pixels, moving_clip, psnr
from tests.tasks.pairs import put_pair_models
from tests.transform_tables import Group

PHOTO = moving_clip(256, 320, 1, seed=4)[0]


@pytest.fixture(scope="module")
def models(training_groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_pair_models(tmp_path_factory.mktemp("pair-models"), training_groups)


@pytest.fixture(autouse=True)
def desk_with_a_photo(desk: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> Iterator[Path]:
        yield models

    monkeypatch.setattr(catalogue, "folders", folders)
    Image.fromarray(PHOTO).save("photo.png")


def opened(path: str | Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def test_one_photo_and_its_two_views(iic: Iic) -> None:
    done = iic("dual-view", "photo.png", "--zoom", 2, "-o", "c.png")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("c.png holds a wide and a near view, made by dual.v1; ")
    assert iic("restore", "c.png", "-o", "back/").code == 0
    assert {path.name for path in Path("back").iterdir()} == {"wide.png", "tele.png"}
    assert psnr(opened("back/tele.png"), PHOTO[64:192, 80:240]) > 24
    found = iic("dual-view", "back/wide.png", "back/tele.png", "-o", "again.png")
    assert "tele.png is 2.0" in found.err or "tele.png is 1.9" in found.err
    assert zoom_of(read_carrier(Path("again.png")).header) == pytest.approx(2, rel=0.02)


def test_refused(iic: Iic) -> None:
    Image.fromarray(moving_clip(64, 80, 1, seed=9)[0]).save("other.png")
    before = set(Path.cwd().rglob("*"))
    iic("dual-view", "photo.png").fails(2, "--zoom 2, 4, 8")
    iic("dual-view", "photo.png", "--zoom", 3).fails(2, "not 3")
    iic("dual-view", "photo.png", "other.png").fails(3, "other.png", "--zoom")
    iic("dual-view", "photo.png", "other.png", "--zoom", 99).fails(2, "99")
    iic("dual-view", "photo.png", ".").fails(2, "only one is a folder")
    iic("dual-view", "photo.png", "none.png", "--zoom", 2).fails(3, "none.png")
    iic("dual-view", "photo.png", "--zoom", 2, "-o", "x.jpg").fails(8, "lossy")
    nothing_new(Path.cwd(), before)


def test_several_photos(iic: Iic) -> None:
    Image.fromarray(PHOTO[::-1].copy()).save("second.png")
    pair = ("photo.png", "second.png")
    assert "2 done" in iic("dual-view", *pair, "--each", "--zoom", 4, "-o", "c/").out
    assert read_carrier(Path("c/second.png")).header.size == (80, 64)
    assert "2 skipped" in iic("dual-view", *pair, "--each", "--zoom", 4, "-o", "c/").out
    again = iic("dual-view", *pair, "--each", "--zoom", 2, "-o", "c/")
    assert again.code == 7
    assert read_carrier(Path("c/second.png")).header.size == (80, 64)


def test_folders_of_wide_and_near_views(iic: Iic) -> None:
    for name in ("wide", "near"):
        Path(name).mkdir()
    Image.fromarray(PHOTO).resize((160, 128)).save("wide/a.png")
    Image.fromarray(PHOTO[64:192, 80:240].copy()).save("near/x.png")
    assert iic("dual-view", "wide", "near", "--zoom", 2, "-o", "c/").code == 0
    assert zoom_of(read_carrier(Path("c/a.png")).header) == 2
