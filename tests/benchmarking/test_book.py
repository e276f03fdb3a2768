"""bench.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iiccli.benchmarking.book import FIDELITY, SPEED, Book
from iiccli.errors import InputError

KEY = {"model": "m", "case": "c", "sha256": "1" * 64, "version": 1}


def test_rows_are_kept_and_replaced(tmp_path: Path) -> None:
    book = Book(tmp_path / "bench.json")
    assert book.find(FIDELITY, KEY) is None
    book.put(FIDELITY, KEY, {"psnr": float("inf"), "seconds": 1.23456789})
    book.put(FIDELITY, KEY | {"case": "d"}, {"psnr": 40.0})
    book.save()
    again = Book(tmp_path / "bench.json")
    row = again.find(FIDELITY, KEY)
    assert row is not None
    assert (row["psnr"], row["seconds"]) == (100.0, 1.234568)
    again.put(FIDELITY, KEY, {"psnr": 41.0})
    assert [r["psnr"] for r in again.rows(FIDELITY)] == [41.0, 40.0]
    assert again.rows(FIDELITY, case="d")[0]["psnr"] == 40.0
    assert again.find(SPEED, KEY) is None


def test_another_model_or_version_is_measured_anew(tmp_path: Path) -> None:
    book = Book(tmp_path / "bench.json")
    book.put(FIDELITY, KEY, {"psnr": 1.0})
    for change in ({"sha256": "2" * 64}, {"version": 2}):
        assert book.find(FIDELITY, KEY | change) is None
        book.put(FIDELITY, KEY | change, {"psnr": 2.0})
        assert len(book.rows(FIDELITY)) == 1
        assert book.find(FIDELITY, KEY | change) is not None


def test_it_says_what_it_was_measured_on(tmp_path: Path) -> None:
    book = Book(tmp_path / "bench.json")
    book.save()
    facts = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert facts["machine"]["cores"] >= 1
    assert facts["format"] == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "bench.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "fidelity": [3]}', "\udcff"]
)
def test_something_else_of_that_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError):
        Book(path)
    assert path.read_text(encoding="utf-8", errors="surrogateescape") == text
