"""Folders of frames that differ in size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.errors import InputError
from iiccli.media.clip import open_clip
from iiccli.media.fitting import RULES, Rule


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, size in enumerate([(40, 30), (30, 40), (40, 30)]):
        Image.new("RGB", size, (60 * number, 0, 0)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_without_a_rule_they_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"1\.png is 30×40, but 0\.png is 40×30") as caught:
        open_clip(folder)
    assert "--fit" in caught.value.hint


@pytest.mark.parametrize("rule", RULES)
def test_all_get_the_first_ones_size_and_none_is_turned(folder: Path, rule: Rule) -> None:
    clip = open_clip(folder, rule)
    assert clip.notes == (
        f"1 of 3 frames are brought to 40×30 ({rule}); they come back at that size",
    )
    frames = list(clip.read([0, 1, 2]))
    assert [frame.shape for frame in frames] == [(30, 40, 3)] * 3
    assert (np.abs(frames[1].astype(int) - (60, 0, 0)) <= 1).all()
