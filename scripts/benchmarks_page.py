"""Write docs/benchmarks.md, and docs/benchmarks.json beside it, from a bench.json.

    .venv/bin/python scripts/benchmarks_page.py bench/bench.json

The JSON is what the page is made from; without an argument the page is made anew from it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from iiccli.atomic import atomic_path
from iiccli.benchmarking.book import read_book
from iiccli.benchmarking.markdown import benchmarks_page
from iiccli.errors import IicError

DOCS = Path(__file__).parents[1] / "docs"


def main() -> int:
    """Copy the figures, write the page."""
    parser = argparse.ArgumentParser(description="Write docs/benchmarks.md from a bench.json.")
    parser.add_argument("book", type=Path, nargs="?", help="what `iic bench` wrote")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder to write into")
    arguments = parser.parse_args()
    kept = arguments.docs / "benchmarks.json"
    source = arguments.book or kept
    try:
        facts = read_book(source)
        page = benchmarks_page(facts, kept.name)
        text = source.read_text(encoding="utf-8")
        for target, content in ((kept, text), (kept.with_suffix(".md"), page)):
            with atomic_path(target, force=True) as path:
                path.write_text(content, encoding="utf-8")
    except IicError as error:
        print(f"benchmarks_page: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
