"""The table of `iic evaluate`."""

from __future__ import annotations

import math

from iiccli.cli.evaluation_table import WIDTH, table

COVER = {"cover_psnr": 40.123, "cover_y_psnr": 41.5, "cover_ssim": 0.98765}
RESTORED = {"restored_psnr": 35.0, "restored_y_psnr": 36.0, "restored_ssim": 0.9}
OTHERS = {"others_psnr": 33.0, "others_y_psnr": 34.0, "others_ssim": 0.8}
LAYERS = {"background_psnr": 50.0, "foreground_psnr": 51.0, "alpha_error": 0.00123}


def test_a_table() -> None:
    lines = [
        {"name": "a", **COVER, **RESTORED, **OTHERS},
        {"name": "mean", **COVER, **RESTORED, **OTHERS, "others_psnr": math.inf},
    ]
    assert list(table(lines, single=False)) == [
        "     ----- carrier ------ ----- restored ----- --- no reference ---",
        "case   PSNR      Y   SSIM   PSNR      Y   SSIM   PSNR      Y   SSIM",
        "a     40.12  41.50 0.9877  35.00  36.00 0.9000  33.00  34.00 0.8000",
        "mean  40.12  41.50 0.9877  35.00  36.00 0.9000    inf  34.00 0.8000",
    ]


def test_one_picture_has_nothing_besides_the_reference() -> None:
    lines = list(table([{"name": "mean", **COVER, **RESTORED, **OTHERS}], single=True))
    assert lines[0] == "     ----- carrier ------ ----- restored -----"
    assert lines[2] == "mean  40.12  41.50 0.9877  35.00  36.00 0.9000"


def test_long_names_and_all_figures_keep_to_the_width() -> None:
    name = "a-very-long-name-of-a-clip-indeed/00012-step5"
    line = {"name": name, **COVER, **RESTORED, **OTHERS, **LAYERS}
    lines = list(table([line, {**line, "name": "mean"}], single=False))
    assert {len(each) for each in lines} == {WIDTH}
    assert lines[2].startswith("a-very-l…2-step5  40.12")
    assert lines[2].endswith(" 50.00  51.00 0.0012")


def test_figures_that_one_case_lacks() -> None:
    lines = [{"name": "a", **COVER}, {"name": "mean", **COVER, **LAYERS}]
    first, last = list(table(lines, single=False))[2:]
    assert first.split() == ["a", "40.12", "41.50", "0.9877"]
    assert last.split()[-1] == "0.0012"
