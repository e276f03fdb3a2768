"""What is written for people: report, page, table."""

from __future__ import annotations

import importlib.util
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from iiccli.benchmarking.book import SPEED, Book, read_book
from iiccli.benchmarking.markdown import benchmarks_page
from iiccli.benchmarking.report import plots
from iiccli.benchmarking.report.page import page, write_report
from iiccli.benchmarking.table import lines
from iiccli.benchmarking.trial import PAPER

Measured = tuple[Book, Path]
VOID = {"meta", "img", "br"}
ROOT = Path(__file__).parents[2]


class Checker(HTMLParser):
    """Checks that elements are nested, and collects where the page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.names += [values["id"]] if values.get("id") and tag in ("h2", "section") else []
        self.sources += [values["src"] or ""] if "src" in values else []
        self.links += [values["href"] or ""] if tag == "a" else []

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """One like <path/>, inside a plot."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def facts(measured: Measured, tmp_path: Path) -> dict[str, Any]:
    """With rows of speed, too."""
    book = Book(tmp_path / "bench.json")
    book.facts |= json.loads(json.dumps(measured[0].facts))
    for model, slow in ((PAPER, 9), ("video-5.v2", 1)):
        for size, width, height in (("480p", 854, 480), ("1080p", 1920, 1080)):
            key = {"model": model, "size": size, "device": "cpu", "precision": "fp32"}
            seconds = slow * width * height / 1e6
            values = {"embed_seconds": seconds, "restore_seconds": 2 * seconds}
            rest = {"peak_bytes": slow * 10**8, "conv_gflops": 30.0, "roof_gflops": 60.0}
            rest |= {"embed_in_network": 0.4, "restore_in_network": 0.75} if slow == 1 else {}
            where = {"compiled": False, "width": width, "height": height}
            book.put(SPEED, key | {"sha256": "", "version": 1}, values | rest | where)
    gone = {"model": "<b>&", "size": "4K", "device": "cpu", "precision": "fp32"}
    book.put(SPEED, gone, {"compiled": False, "why": "It was ended by signal 9."})
    book.facts["startup"] = {"python -c pass": 0.02, "iic --version": 0.05}
    book.save()
    return read_book(tmp_path / "bench.json")


def test_the_report_needs_nothing_else(facts: dict[str, Any], measured: Measured) -> None:
    text = "\n".join(page(facts, measured[1]))
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert len(checker.sources) > 20
    assert all(source.startswith("data:image/jpeg;base64,") for source in checker.sources)
    assert [link[1:] for link in checker.links] == [
        *("glance", "fidelity", "robustness", "speed", "protocol"),
    ]
    assert {link[1:] for link in checker.links} <= set(checker.names)
    plain = re.sub(r'xmlns(:\w+)?="[^"]*"|data:image[^"]*', "", text)
    assert not re.search(r"https?://|@import|url\((?!#)", plain)
    assert text.count("<svg") == 4
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;" in text


def test_pictures_that_have_gone_are_left_out(facts: dict[str, Any], tmp_path: Path) -> None:
    target = write_report(facts, tmp_path)
    assert "<img" not in target.read_text(encoding="utf-8")


def test_without_matplotlib(
    facts: dict[str, Any], measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "available", lambda: False)
    assert "<svg" not in "\n".join(page(facts, measured[1]))


def test_many_cases_make_a_histogram(facts: dict[str, Any]) -> None:
    from iiccli.benchmarking.summary import matches

    rows = [
        {**row, "case": f"{number}", "others_psnr": row["others_psnr"] + number / 10}
        for row in facts["fidelity"]
        if row["model"] == "hide-2.v1" and row["case"] == "0"
        for number in range(20)
    ]
    (match,) = matches({**facts, "fidelity": rows})
    assert match.cases == 20
    assert (match.worst[0], match.best[0]) == ("0", "19")
    assert ">cases<" in plots.histogram(match, rows)


def test_the_page_of_the_documentation(facts: dict[str, Any]) -> None:
    text = benchmarks_page(facts, "benchmarks.json")
    assert "**Only the first 2 cases of each test set were measured**" in text
    assert "## Fidelity" in text
    assert "## Robustness" in text
    (row,) = re.findall(rf"^\| {PAPER} \| 480p .*$", text, re.M)
    assert row == f"| {PAPER} | 480p | cpu fp32 | 3.7 s | 7.4 s | 0.037 | 900 MB | 50% |  |"
    assert re.search(r"^\| video-5.v2 \| 480p .* \| 50% \| 40% / 75% \|$", text, re.M)
    assert "| met | 9.00 | ≥ 6 | times as fast as the paper's network" in text
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line[:1] == "|"]
    assert min(widths) >= 4
    whole = {**facts, "sets": {"hide: Kodak24": 2, "gray: Kodak24": 2}}
    assert "Every test set was measured whole" in benchmarks_page(whole, "benchmarks.json")


def test_where_we_lose_is_said(facts: dict[str, Any]) -> None:
    worse = [
        {**row, "others_psnr": 10.0} if row["contestant"] == "network" else row
        for row in facts["fidelity"]
    ]
    assert "- hide-2.v1 on Kodak24 (balanced): by" in benchmarks_page(
        {**facts, "fidelity": worse}, "benchmarks.json"
    )


def test_the_script_writes_the_page(
    facts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    path = ROOT / "scripts" / "benchmarks_page.py"
    found = importlib.util.spec_from_file_location("benchmarks_page", path)
    assert found is not None
    assert found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)

    def run(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["benchmarks_page.py", *map(str, words)])
        code = script.main()
        assert isinstance(code, int)
        return code

    docs = tmp_path / "docs"
    assert run(tmp_path / "bench.json", "--docs", docs) == 0
    first = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert read_book(docs / "benchmarks.json") == facts
    (docs / "benchmarks.md").unlink()
    assert run("--docs", docs) == 0
    assert (docs / "benchmarks.md").read_text(encoding="utf-8") == first
    assert run(tmp_path / "none.json", "--docs", docs) == 3
    assert "none.json cannot be read" in capsys.readouterr().err


def test_the_page_is_made_of_the_figures_beside_it() -> None:
    docs = ROOT / "docs"
    wanted = benchmarks_page(read_book(docs / "benchmarks.json"), "benchmarks.json")
    assert (docs / "benchmarks.md").read_text(encoding="utf-8") == wanted


def test_the_tables_of_the_terminal(facts: dict[str, Any]) -> None:
    text = list(lines(facts, ("fidelity", "robustness", "speed")))
    assert any(line.startswith("hide-2.v1         Kodak24") for line in text)
    assert any(line.startswith("  JPEG 80") for line in text)
    assert any("It was ended by signal 9." in line for line in text)
    assert any(line.startswith("met") for line in text)
    assert list(lines(facts, ("speed",)))[1].startswith("model")
    assert list(lines({"fidelity": [], "robustness": [], "speed": []}, ("fidelity",))) == []
