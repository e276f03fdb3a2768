"""Stereo clips whose right views, or frames, are of other sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.carrier import read_carrier
from iiccli.errors import InputError
from iiccli.media.fitting import RULES, Rule
from iiccli.tasks.models import Codec, LoadedModel, Loader
from iiccli.tasks.restoring import restore
from iiccli.tasks.stereo_clip import mononize_clip
from tests.tasks.stills import picture


@pytest.fixture
def sides(tmp_path: Path) -> list[str]:
    """Two folders of frames: 96 × 64 to the left, 48 × 64 to the right."""
    for name, width in (("left", 96), ("right", 48)):
        for number in range(2):
            path = tmp_path / name / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(picture(64, width, number)).save(path)
    return [str(tmp_path / "left"), str(tmp_path / "right")]


@pytest.fixture
def codec() -> LoadedModel:
    return Loader(device="cpu").load(Codec("mono", 2))


@pytest.mark.parametrize("rule", [None, *RULES])
def test_right_views_come_back_at_their_own_size(
    tmp_path: Path, sides: list[str], codec: LoadedModel, rule: Rule | None
) -> None:
    notes: list[str] = []
    headers = mononize_clip(sides, f"{tmp_path}/c/", codec, fit=rule, note=notes.append)
    assert len(headers) == 2
    assert len(notes) == 1
    assert notes[0].startswith("the right view is ")
    words = {"crop": "cut to the proportions", "pad": "with borders"}
    assert words.get(rule or "stretch", "changes its proportions") in notes[0]
    restore([tmp_path / "c"], f"{tmp_path}/back/", Loader(device="cpu"))
    sizes = set()
    for path in sorted((tmp_path / "back" / "right").iterdir()):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert sizes == {(48, 32) if rule == "crop" else (48, 64)}


def test_borders_are_in_the_carrier(tmp_path: Path, sides: list[str], codec: LoadedModel) -> None:
    """Not the stretched view: the padded one keeps its columns' width."""
    headers = {
        rule: mononize_clip(sides, f"{tmp_path}/{rule}/", codec, fit=rule)[0]
        for rule in ("pad", "stretch")
    }
    assert headers["pad"].essentials[:12] == headers["stretch"].essentials[:12]
    assert headers["pad"].essentials[12] == 0x80
    assert headers["pad"].clip_id != headers["stretch"].clip_id


def test_frames_that_differ_are_refused_or_fitted(
    tmp_path: Path, sides: list[str], codec: LoadedModel
) -> None:
    odd = np.ascontiguousarray(picture(64, 96, 1)[:32])
    Image.fromarray(odd).save(Path(sides[0]) / "1.png")
    with pytest.raises(InputError, match=r"1\.png is 96×32") as caught:
        mononize_clip(sides, f"{tmp_path}/c/", codec)
    assert "--fit" in caught.value.hint
    notes: list[str] = []
    mononize_clip(sides, f"{tmp_path}/c/", codec, fit="pad", note=notes.append)
    assert notes[0].startswith("1 of 2 frames are brought to 96×64 (pad)")
    assert read_carrier(tmp_path / "c" / "0002.png").header.size == (96, 64)
