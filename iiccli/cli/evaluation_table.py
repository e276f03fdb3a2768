"""The table that `iic evaluate` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 100
"""Columns of the terminal that the table keeps to."""
_LONGEST = 32
"""So many letters of a case's name are shown at most, where there is room for them."""
_CELL = 7

_BLOCKS: Mapping[str, Mapping[str, str]] = {
    "carrier": {"cover_psnr": "PSNR", "cover_y_psnr": "Y", "cover_ssim": "SSIM"},
    "restored": {"restored_psnr": "PSNR", "restored_y_psnr": "Y", "restored_ssim": "SSIM"},
    "no reference": {"others_psnr": "PSNR", "others_y_psnr": "Y", "others_ssim": "SSIM"},
    "layers": {"background_psnr": "back", "foreground_psnr": "front", "alpha_error": "alpha"},
}
"""Figures that the table shows, where there are any, and their headings, by what they are of."""


def table(lines: Sequence[Mapping[str, Any]], *, single: bool) -> Iterator[str]:
    """One line per case, with a heading of two lines.

    Args:
        lines: `name` and figures of each; all have those that the last one has.
        single: nothing comes back but the reference, so that figures without it are left out.
    """
    blocks = [
        (title, {column: word for column, word in columns.items() if column in lines[-1]})
        for title, columns in _BLOCKS.items()
        if not (single and title == "no reference")
    ]
    blocks = [(title, columns) for title, columns in blocks if columns]
    shown = [column for _, columns in blocks for column in columns]
    room = min(_LONGEST, WIDTH - _CELL * len(shown))
    width = min(room, max(4, *(len(line["name"]) for line in lines)))
    titles = [f" {f' {title} ':-^{_CELL * len(columns) - 1}}" for title, columns in blocks]
    words = [word for _, columns in blocks for word in columns.values()]
    yield f"{'':{width}}{''.join(titles)}"
    yield f"{'case':{width}}{''.join(f'{word:>{_CELL}}' for word in words)}"
    for line in lines:
        cells = [_cell(column, line.get(column)) for column in shown]
        yield f"{_shortened(line['name'], width):{width}}{''.join(cells)}"


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return " " * _CELL
    digits = 2 if column.endswith("psnr") else 4
    return f"{value:{_CELL}.{digits}f}"


def _shortened(name: str, width: int) -> str:
    """A long name without its middle: windows of one clip differ in the end."""
    if len(name) <= width:
        return name
    end = (width - 1) // 2
    return f"{name[: width - 1 - end]}…{name[-end:]}"
