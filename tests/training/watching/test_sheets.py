"""Sample sheets: of bounded size, with every picture on them; and their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iiccli.errors import OutputError
from iiccli.training.watching import sheets
from iiccli.training.watching.sheets import HIGHEST, KEPT, WIDEST, SheetFiles, sample_sheet
from tests.conftest import Pixels


def plain(value: tuple[int, ...], height: int = 60, width: int = 80) -> Pixels:
    return np.full((height, width, len(value)), value, np.uint8)


RED, GREEN, BLUE, GRAY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)


def count(sheet: Pixels, value: tuple[int, ...]) -> int:
    return int((sheet == value).all(axis=2).sum())


def test_every_picture_is_on_the_sheet() -> None:
    group = ([plain(RED), plain(GREEN)], plain(BLUE), [plain(RED), plain((0, 253, 0))], plain(GRAY))
    sheet = sample_sheet([group])
    assert sheet.dtype == np.uint8
    area = 60 * 80
    assert count(sheet, RED) == 2 * area  # went in, and came back
    for once in (GREEN, BLUE, GRAY, (0, 253, 0)):
        assert count(sheet, once) == area
    assert count(sheet, (0, 16, 0)) == area  # two levels, eight times as strong
    assert count(sheet, (255, 255, 255)) == area  # 90 and 165 levels
    assert count(sheet, (0, 0, 0)) == area  # nothing between red and red


def test_captions_tell_the_psnr(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[list[str]]] = []
    draw = sheets.draw

    def noted(rows, *rest):
        drawn.append([[panel.caption for panel in row] for row in rows])
        return draw(rows, *rest)

    monkeypatch.setattr(sheets, "draw", noted)
    red, near = plain(RED), plain((254, 1, 1))
    sample_sheet([([red, red], near, [near, red], red)])
    row = ["original 1", "original 2", "cover", "carrier: 48.13 dB"]
    row += ["restored: 48.13 dB", "restored: identical", *["difference 8x"] * 3]
    assert drawn.pop() == [row]
    # Five pictures of a clip take three rows.
    large = plain(RED, 270, 480)
    sample_sheet([([large] * 5, large, [large] * 5, large)])
    assert drawn.pop() == [
        ["cover", *(f"original {number}" for number in range(1, 6))],
        ["carrier: identical", *["restored: identical"] * 5],
        ["difference 8x"] * 6,
    ]


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (96, 96), (1080, 1920)])
@pytest.mark.parametrize(("pictures", "groups"), [(1, 1), (1, 9), (5, 3), (20, 9)])
def test_a_sheet_is_bounded(size: tuple[int, int], pictures: int, groups: int) -> None:
    if size[0] * size[1] * pictures * groups > 8_000_000:
        groups = 1
    red = plain(RED, *size)
    sheet = sample_sheet([([red] * pictures, red, [red] * pictures, red)] * groups)
    assert 80 <= sheet.shape[0] <= HIGHEST
    assert 400 <= sheet.shape[1] <= WIDEST
    assert count(sheet, RED)


def test_gray_carriers_and_pictures_with_alpha() -> None:
    gray = np.full((60, 80), 90, np.uint8)
    clear = np.dstack((plain(RED), np.zeros((60, 80), np.uint8)))
    sheet = sample_sheet([([clear], gray, [clear], gray[..., None][..., 0])])
    assert count(sheet, GRAY) == 2 * 60 * 80
    assert count(sheet, RED) == 0
    assert count(sheet, (208, 208, 208))  # the chequered ground
    assert (sample_sheet([([clear], gray[..., None], [clear], gray)]) == sheet).all()


def test_cover_and_originals_may_differ_in_size() -> None:
    large, small = plain(RED, 80, 120), plain(BLUE, 40, 60)
    sheet = sample_sheet([([large], small, [large], small)])
    assert count(sheet, RED) == 2 * 80 * 120
    assert count(sheet, BLUE) == 2 * 40 * 60


def steps(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_sheets_become_files_and_the_latest_stay(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "sheets"
    files = SheetFiles(folder)
    files.started({"run": tmp_path / "run"})
    assert not folder.exists()
    for step in range(500, 500 * (KEPT + 3), 500):
        files.sheet(step, plain(RED, 4, 4))
    files.close()
    assert len(steps(folder)) == KEPT
    assert steps(folder)[0] == "step-001500.png"
    assert steps(folder)[-1] == f"step-{500 * (KEPT + 2):06}.png"
    assert (np.asarray(Image.open(folder / "step-001500.png")) == RED).all()


def test_what_is_done_again_replaces_what_was_there_and_no_other_file(tmp_path: Path) -> None:
    files = SheetFiles(tmp_path)
    for step in (100, 200, 300, 1_000_000):
        files.sheet(step, plain(RED, 4, 4))
    (tmp_path / "step-best.png").write_bytes(b"mine")
    files = SheetFiles(tmp_path)
    files.sheet(200, plain(BLUE, 4, 4))
    assert steps(tmp_path) == ["step-000100.png", "step-000200.png", "step-best.png"]
    assert (np.asarray(Image.open(tmp_path / "step-000200.png")) == BLUE).all()


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "sheets").write_bytes(b"in the way")
    with pytest.raises(OutputError, match="sheets"):
        SheetFiles(tmp_path / "sheets").sheet(1, plain(RED, 4, 4))
